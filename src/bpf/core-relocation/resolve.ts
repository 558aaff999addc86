/**
 * One relocation against its candidates. Source: libbpf's
 * bpf_core_resolve_relo and bpf_core_calc_relo_insn.
 */
import type { Btf } from "../../btf/btf.js";
import type { Endian } from "../../btf/header.js";
import type { BtfType } from "../../btf/types.js";
import type { CoreRelocation } from "../ext/types.js";
import type { Budget } from "./budget.js";
import { candidatesIn } from "./candidates.js";
import type { Engine } from "./engine.js";
import { choose } from "./loaders/cilium.js";
import { matchSpec } from "./match.js";
import { Refusal, refuse } from "./refusal.js";
import { localSpec, type Spec } from "./spec.js";
import { describe } from "./types.js";
import { evaluate, type Outcome } from "./value.js";

/** Where types are looked for. */
export interface CoreTarget {
  readonly vmlinux: Btf;
  /** Split BTF of modules on it, in the order in which the kernel has loaded them. */
  readonly modules: readonly Btf[];
}

/** One candidate that matched. */
export interface Match {
  readonly candidate: BtfType;
  readonly spec: Spec;
  readonly outcome: Outcome;
}

/** What became of one relocation. */
export interface Resolution {
  /** The local root type; `undefined` where the record names none. */
  readonly root: BtfType | undefined;
  readonly local: Spec | undefined;
  /** What was looked at, after earlier relocations of the same type had ruled others out. */
  readonly candidates: readonly BtfType[];
  /** Those that match. */
  readonly matches: readonly Match[];
  readonly outcome: Outcome | undefined;
  readonly refusal: Refusal | undefined;
}

/** Resolves the relocations of one object, one after the other: what matched narrows the candidates of the next. */
export class Resolver {
  readonly #local: Btf;
  readonly #target: CoreTarget;
  readonly #endian: Endian;
  readonly #budget: Budget;
  readonly #engine: Engine;
  readonly #records: readonly CoreRelocation[];
  /** By the id of the local root type. */
  readonly #candidates = new Map<number, readonly BtfType[]>();
  readonly #choices = new Map<number, ReadonlyMap<CoreRelocation, Chosen> | Refusal>();

  /**
   * @param records all that will be resolved: an engine may look at them together
   * @param endian of the object: shifts depend on it
   */
  constructor(local: Btf, target: CoreTarget, { endian, budget, engine, records }: ResolverOptions) {
    this.#local = local;
    this.#target = target;
    this.#endian = endian;
    this.#budget = budget;
    this.#engine = engine;
    this.#records = records;
  }

  resolve(record: CoreRelocation): Resolution {
    const root = this.#local.get(record.typeId);
    const state: Progress = { root, local: undefined, candidates: [], matches: [] };
    try {
      const outcome = this.#resolve(record, state);
      return { ...state, outcome, refusal: undefined };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { ...state, outcome: undefined, refusal: error };
    }
  }

  #resolve(record: CoreRelocation, state: Progress): Outcome {
    const { root } = state;
    const engine = this.#engine;
    if (!root)
      throw new Refusal("EINVAL", `its type ${record.typeId} does not exist: ids go to ${this.#local.size - 1}`, true);
    const isAnonymous = root.kind === "void" || root.name === "";
    if (isAnonymous && record.kind !== "local_type_id" && engine.name !== "aya") {
      throw new Refusal("EINVAL", `${describe(root)} has no name to look for in the target`, true);
    }
    state.local = localSpec(record, root);
    if (record.kind === "type_matches" && !engine.knowsMatches)
      throw new Refusal("EOPNOTSUPP", `${engine.name} does not know type_matches`);
    if (record.kind === "local_type_id") return localTypeId(root);
    state.candidates = isAnonymous ? [] : this.#candidatesOf(root);
    return engine.name === "cilium" ? this.#chosen(record, state) : this.#agreed(root, state.local, state);
  }

  /** Each relocation by itself: all candidates that match have to agree. */
  #agreed(root: BtfType, local: Spec, { candidates, matches }: Progress): Outcome {
    for (const candidate of candidates) {
      const spec = matchSpec(local, candidate, this.#budget, this.#engine);
      if (spec) matches.push({ candidate, spec, outcome: evaluate(local, spec, this.#endian) });
    }
    for (const match of matches) requireAgreement(matches[0]!, match);
    // Nothing matched: the candidates stay, others of the type's fields may be there.
    if (matches.length === 0) return evaluate(local, undefined, this.#endian);
    if (this.#engine.narrows) {
      this.#candidates.set(
        root.id,
        matches.map(({ candidate }) => candidate),
      );
    }
    return matches[0]!.outcome;
  }

  /** All relocations of one type together: the candidate with the most answers is taken. */
  #chosen(record: CoreRelocation, { candidates, matches }: Progress): Outcome {
    const { endian } = this.#target.vmlinux;
    if (endian !== this.#endian) refuse("EINVAL", `the target is ${endian}-endian, the object is not`);
    let choice = this.#choices.get(record.typeId);
    if (!choice) {
      choice = this.#choose(record.typeId, candidates);
      this.#choices.set(record.typeId, choice);
    }
    if (choice instanceof Refusal) throw choice;
    const chosen = choice.get(record);
    // Belongs to no program: nothing is resolved together with it.
    if (!chosen) refuse("EINVAL", "its instruction is in no program");
    const { match, outcome } = chosen;
    if (match) matches.push(match);
    // It cannot tell the id of a module's type from one of vmlinux.
    const isForeign = record.kind === "target_type_id" && match && match.candidate.btf !== this.#target.vmlinux;
    return isForeign ? { ...outcome, value: 0n, poison: true } : outcome;
  }

  #choose(typeId: number, candidates: readonly BtfType[]): ReadonlyMap<CoreRelocation, Chosen> | Refusal {
    const group = this.#records.flatMap((record) => {
      const local = record.typeId === typeId && record.kind !== "local_type_id" ? this.#specOf(record) : undefined;
      return local ? [{ record, local }] : [];
    });
    try {
      const { matches, outcomes } = choose(
        group.map(({ local }) => local),
        candidates,
        this.#endian,
        this.#budget,
      );
      return new Map(group.map(({ record }, i) => [record, { match: matches[i], outcome: outcomes[i]! }]));
    } catch (error) {
      if (error instanceof Refusal) return error;
      throw error;
    }
  }

  /** Of one that is not malformed: those are told of by themselves. */
  #specOf(record: CoreRelocation): Spec | undefined {
    try {
      return localSpec(record, this.#local.get(record.typeId)!);
    } catch (error) {
      if (error instanceof Refusal) return undefined;
      throw error;
    }
  }

  #candidatesOf(root: BtfType): readonly BtfType[] {
    const known = this.#candidates.get(root.id);
    if (known) return known;
    const { vmlinux, modules } = this.#target;
    const engine = this.#engine;
    let found = candidatesIn(vmlinux, root, false, engine);
    if (engine.modules === "together" || (engine.modules === "fallback" && found.length === 0)) {
      found = [...found, ...modules.flatMap((module) => candidatesIn(module, root, true, engine))];
    }
    this.#candidates.set(root.id, found);
    return found;
  }
}

interface Chosen {
  readonly match: Match | undefined;
  readonly outcome: Outcome;
}

export interface ResolverOptions {
  readonly endian: Endian;
  readonly budget: Budget;
  readonly engine: Engine;
  readonly records: readonly CoreRelocation[];
}

interface Progress {
  readonly root: BtfType | undefined;
  local: Spec | undefined;
  candidates: readonly BtfType[];
  readonly matches: Match[];
}

/** The record's own type: not looked for, and renumbered by linkers. */
function localTypeId(root: BtfType): Outcome {
  const id = BigInt(root.id);
  return {
    original: id,
    value: id,
    poison: false,
    validate: false,
    sizeMismatch: false,
    originalSize: 0,
    newSize: 0,
    originalType: undefined,
    newType: undefined,
  };
}

/** All that match have to lead to the same place and the same value. */
function requireAgreement(first: Match, other: Match): void {
  const between = `${describe(first.candidate)} [${first.candidate.id}] and ${describe(other.candidate)} [${other.candidate.id}]`;
  if (first.spec.bitOffset !== other.spec.bitOffset) {
    const places = `${place(first.spec.bitOffset)} in the one, ${place(other.spec.bitOffset)} in the other`;
    throw new Refusal("EINVAL", `ambiguous between ${between}: the field is at ${places}`);
  }
  if (first.outcome.poison !== other.outcome.poison || first.outcome.value !== other.outcome.value) {
    throw new Refusal(
      "EINVAL",
      `ambiguous between ${between}: ${first.outcome.value} by the one, ${other.outcome.value} by the other`,
    );
  }
}

function place(bitOffset: number): string {
  return bitOffset % 8 ? `bit ${bitOffset}` : `byte ${bitOffset / 8}`;
}
