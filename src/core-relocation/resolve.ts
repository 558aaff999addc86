/**
 * One relocation against its candidates. Source: libbpf's
 * bpf_core_resolve_relo and bpf_core_calc_relo_insn.
 */
import type { Btf } from "../btf.js";
import type { Endian } from "../core/header.js";
import type { CoreRelocation } from "../ext/types.js";
import type { BtfType } from "../model/types.js";
import type { Budget } from "./budget.js";
import { candidatesIn } from "./candidates.js";
import { matchSpec } from "./match.js";
import { Refusal } from "./refusal.js";
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
  /** By the id of the local root type. */
  readonly #candidates = new Map<number, readonly BtfType[]>();

  /** @param endian of the object: shifts depend on it */
  constructor(local: Btf, target: CoreTarget, endian: Endian, budget: Budget) {
    this.#local = local;
    this.#target = target;
    this.#endian = endian;
    this.#budget = budget;
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
    if (!root)
      throw new Refusal("EINVAL", `its type ${record.typeId} does not exist: ids go to ${this.#local.size - 1}`, true);
    const isAnonymous = root.kind === "void" || root.name === "";
    if (isAnonymous && record.kind !== "local_type_id") {
      throw new Refusal("EINVAL", `${describe(root)} has no name to look for in the target`, true);
    }
    state.local = localSpec(record, root);
    if (record.kind === "local_type_id") return localTypeId(root);
    state.candidates = this.#candidatesOf(root);
    for (const candidate of state.candidates) {
      const spec = matchSpec(state.local, candidate, this.#budget);
      if (spec) state.matches.push({ candidate, spec, outcome: evaluate(state.local, spec, this.#endian) });
    }
    for (const match of state.matches) requireAgreement(state.matches[0]!, match);
    // Nothing matched: the candidates stay, others of the type's fields may be there.
    if (state.matches.length === 0) return evaluate(state.local, undefined, this.#endian);
    this.#candidates.set(
      root.id,
      state.matches.map(({ candidate }) => candidate),
    );
    return state.matches[0]!.outcome;
  }

  /** vmlinux first; modules only where it has none. */
  #candidatesOf(root: BtfType): readonly BtfType[] {
    const known = this.#candidates.get(root.id);
    if (known) return known;
    const { vmlinux, modules } = this.#target;
    let found = candidatesIn(vmlinux, root, false);
    if (found.length === 0) found = modules.flatMap((module) => candidatesIn(module, root, true));
    this.#candidates.set(root.id, found);
    return found;
  }
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
