/**
 * libbpf's rules: each relocation is decided by itself, and all candidates that
 * match have to agree. Source: relo_core.c, bpf_core_calc_relo_insn.
 */
import type { BtfType } from "../../../btf/types.js";
import { parseAccess } from "../access.js";
import type { Decider, DecisionContext, Engine, Findings, Question } from "../engine.js";
import { essentialName } from "../essential-name.js";
import { RelocationFailure } from "../failure.js";
import { matchSpec } from "../match.js";
import type { Match } from "../resolution.js";
import { describe, sameKind } from "../types.js";
import { evaluate, type Outcome } from "../value.js";

export const libbpf: Engine = {
  name: "libbpf",
  essentialName,
  isCandidate: sameKind,
  modules: "fallback",
  refusesAnonymous: true,
  anonymousFits: true,
  knowsMatches: true,
  patching: { resizes: "or poisons", validates: true, poisonsAny: false, poisonsWideWith: "calls" },
  parseAccess,
  extendsEnumerators: "sign",
  decider(context) {
    return new Agreement(context, this, true);
  },
};

/** libbpf up to release 1.8, which poisons any instruction. */
export const libbpf18: Engine = /* @__PURE__ */ anyPoisoned(libbpf);

function anyPoisoned(engine: Engine): Engine {
  return { ...engine, name: "libbpf-1.8", patching: { ...engine.patching, poisonsAny: true } };
}

/** Decides by agreement of all candidates that match. */
export class Agreement implements Decider {
  readonly #context: DecisionContext;
  readonly #rules: Engine;
  readonly #narrows: boolean;

  /** @param narrows later relocations of the same type look only at the candidates that matched */
  constructor(context: DecisionContext, rules: Engine, narrows: boolean) {
    this.#context = context;
    this.#rules = rules;
    this.#narrows = narrows;
  }

  decide({ local, candidates }: Question, { matches, unmatched }: Findings): Outcome {
    const { budget, endian } = this.#context;
    for (const candidate of candidates) {
      const { spec, mismatch } = matchSpec(local, candidate, budget, this.#rules);
      if (spec) matches.push({ candidate, spec, outcome: evaluate(local, spec, endian, this.#rules) });
      else unmatched.push({ candidate, mismatch });
    }
    for (const match of matches) requireAgreement(matches[0]!, match);
    return matches[0]?.outcome ?? evaluate(local, undefined, endian, this.#rules);
  }

  /** Where nothing matched, the candidates stay: they may have other fields of the type. */
  narrowed({ matches }: Findings): readonly BtfType[] | undefined {
    return this.#narrows && matches.length > 0 ? matches.map(({ candidate }) => candidate) : undefined;
  }
}

/** Requires that two matches lead to the same place and the same value. @throws RelocationFailure EINVAL */
function requireAgreement(first: Match, other: Match): void {
  const between = `${describe(first.candidate)} [${first.candidate.id}] and ${describe(other.candidate)} [${other.candidate.id}]`;
  if (first.spec.bitOffset !== other.spec.bitOffset) {
    const places = `${place(first.spec.bitOffset)} in the first, ${place(other.spec.bitOffset)} in the second`;
    throw new RelocationFailure("EINVAL", `ambiguous between ${between}: the field is at ${places}`);
  }
  if (first.outcome.poison !== other.outcome.poison || first.outcome.value !== other.outcome.value) {
    const values = `${first.outcome.value} by the first, ${other.outcome.value} by the second`;
    throw new RelocationFailure("EINVAL", `ambiguous between ${between}: the value is ${values}`);
  }
}

function place(bitOffset: number): string {
  return bitOffset % 8 ? `bit ${bitOffset}` : `byte ${bitOffset / 8}`;
}
