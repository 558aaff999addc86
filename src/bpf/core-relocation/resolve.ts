/** Resolves the relocations of programs that are loaded together, one after the other. */
import type { Btf } from "../../btf/btf.js";
import type { Endian } from "../../btf/header.js";
import type { BtfType } from "../../btf/types.js";
import type { CoreRelocation } from "../ext/types.js";
import type { Budget } from "./budget.js";
import { candidatesIn } from "./candidates.js";
import type { Decider, Engine, Findings } from "./engine.js";
import { RelocationFailure } from "./failure.js";
import type { CoreTarget, Narrowing, Resolution } from "./resolution.js";
import { localSpec, type Spec } from "./spec.js";
import { describe } from "./types.js";
import { type Outcome, plainOutcome } from "./value.js";

export interface ResolverOptions {
  /** Byte order of the object. */
  readonly endian: Endian;
  readonly budget: Budget;
  readonly engine: Engine;
  /** All relocations that will be resolved, for engines that look at them together. */
  readonly records: () => readonly CoreRelocation[];
}

interface Progress extends Findings {
  readonly root: BtfType | undefined;
  local: Spec | undefined;
  candidates: readonly BtfType[];
}

export class Resolver {
  readonly #local: Btf;
  readonly #target: CoreTarget;
  readonly #engine: Engine;
  readonly #decider: Decider;
  readonly #records: () => readonly CoreRelocation[];
  /** By the id of the local root type. Matches narrow the list for later relocations. */
  readonly #candidates = new Map<number, readonly BtfType[]>();
  /** By the id of the local root type. */
  readonly #narrowings = new Map<number, Narrowing>();

  constructor(local: Btf, target: CoreTarget, { endian, budget, engine, records }: ResolverOptions) {
    this.#local = local;
    this.#target = target;
    this.#engine = engine;
    this.#records = records;
    this.#decider = engine.decider({ target, endian, budget, specsOf: (typeId) => this.#specsOf(typeId) });
  }

  resolve(record: CoreRelocation): Resolution {
    const progress: Progress = {
      root: this.#local.get(record.typeId),
      local: undefined,
      candidates: [],
      matches: [],
      unmatched: [],
    };
    const narrowed = this.#narrowings.get(record.typeId);
    try {
      const outcome = this.#resolve(record, progress);
      return { ...progress, narrowed, outcome, failure: undefined };
    } catch (error) {
      if (!(error instanceof RelocationFailure)) throw error;
      return { ...progress, narrowed, outcome: undefined, failure: error };
    }
  }

  #resolve(record: CoreRelocation, progress: Progress): Outcome {
    const { root } = progress;
    const engine = this.#engine;
    if (!root) {
      const last = this.#local.size - 1;
      throw new RelocationFailure("EINVAL", `type ${record.typeId} does not exist: the last id is ${last}`, true);
    }
    const isAnonymous = root.kind === "void" || root.name === "";
    if (isAnonymous && record.kind !== "local_type_id" && engine.refusesAnonymous) {
      throw new RelocationFailure("EINVAL", `${describe(root)} has no name to look for in the target`, true);
    }
    const local = localSpec(record, root, engine.parseAccess);
    progress.local = local;
    if (record.kind === "type_matches" && !engine.knowsMatches)
      throw new RelocationFailure("EOPNOTSUPP", `${engine.name} does not support type_matches`);
    // The record's own type is not looked for: linkers renumber it.
    if (record.kind === "local_type_id") return plainOutcome(root.id, root.id, false);
    const candidates = isAnonymous ? [] : this.#candidatesOf(root);
    progress.candidates = candidates;
    const outcome = this.#decider.decide({ record, root, local, candidates }, progress);
    const narrowed = this.#decider.narrowed?.(progress);
    if (narrowed) {
      this.#candidates.set(root.id, narrowed);
      const dropped = candidates.filter((candidate) => !narrowed.includes(candidate));
      const earlier = this.#narrowings.get(root.id);
      if (dropped.length > 0)
        this.#narrowings.set(root.id, { by: local, dropped: [...(earlier?.dropped ?? []), ...dropped] });
    }
    return outcome;
  }

  /** The well-formed relocations of a local type; malformed ones fail by themselves. */
  #specsOf(typeId: number): { readonly record: CoreRelocation; readonly local: Spec }[] {
    const root = this.#local.get(typeId)!;
    return this.#records().flatMap((record) => {
      if (record.typeId !== typeId || record.kind === "local_type_id") return [];
      try {
        return [{ record, local: localSpec(record, root, this.#engine.parseAccess) }];
      } catch (error) {
        if (error instanceof RelocationFailure) return [];
        throw error;
      }
    });
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
