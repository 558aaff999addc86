/** Says in words why a relocation came out as it did, so that a person can act on it. */

import { isComposite } from "../../../btf/traverse.js";
import type { BtfType } from "../../../btf/types.js";
import { CLASS, LDX, STX } from "../../instruction.js";
import { Budget } from "../budget.js";
import type { FieldRules } from "../compatible.js";
import { RelocationFailure } from "../failure.js";
import { matchSpec } from "../match.js";
import type { CoreTarget, Narrowing, Resolution } from "../resolution.js";
import { accessPath, formatSpec, type Spec } from "../spec.js";
import { describe, memberAt } from "../types.js";
import type { Outcome } from "../value.js";
import { whyNoMatch } from "./mismatch.js";
import { MissingTypes } from "./missing-types.js";

/** Reasons for the relocations on one target. */
export class Explainer {
  readonly #missing: MissingTypes;
  readonly #rules: FieldRules;

  constructor(target: CoreTarget, rules: FieldRules) {
    this.#rules = rules;
    this.#missing = new MissingTypes(target);
  }

  /**
   * Returns the reason; `undefined` where the field is where the program
   * expects it.
   *
   * @param opcode of the instruction
   */
  explain(resolution: Resolution, status: string, opcode: number): string | undefined {
    const { root, local, candidates, matches, unmatched, narrowed, outcome } = resolution;
    if (!root || !local || !outcome || local.kind === "local_type_id") return undefined;
    const [match] = matches;
    if (match) {
      if (outcome.sizeMismatch && status === "poisoned") return whyNotResized(outcome);
      return whatChanged(local, match.candidate, outcome, isAccess(opcode));
    }
    if (candidates.length === 0) return this.#missing.why(root);
    if (narrowed) {
      const ruledOut = whyRuledOut(local, narrowed, this.#rules);
      if (ruledOut !== undefined) return ruledOut;
    }
    const reasons = unmatched.map(({ candidate, mismatch }) => ({
      candidate,
      why: whyNoMatch(local, candidate, mismatch),
    }));
    return reasons.length === 1
      ? reasons[0]!.why
      : reasons.map(({ candidate, why }) => `[${candidate.id}]: ${why}`).join("; ");
  }
}

/** Says that a type which matches was ruled out by an earlier relocation; `undefined` where none of those matches. */
function whyRuledOut(local: Spec, { by, dropped }: Narrowing, rules: FieldRules): string | undefined {
  const fitting = dropped.filter((candidate) => {
    try {
      return matchSpec(local, candidate, new Budget(), rules).spec !== undefined;
    } catch (error) {
      if (error instanceof RelocationFailure) return false;
      throw error;
    }
  });
  const [first] = fitting;
  if (!first) return undefined;
  const types = fitting.map(({ id }) => `[${id}]`).join(", ");
  return `${describe(first)} ${types} of the target has it, but an earlier relocation, ${formatSpec(by)}, matches other types of this name only, and all relocations of a type have to match the same: use a flavour (${first.name}___other) for the second`;
}

function isAccess(opcode: number): boolean {
  return (opcode & CLASS) >= LDX && (opcode & CLASS) <= STX;
}

function whatChanged(
  { kind, accessors }: Spec,
  candidate: BtfType,
  outcome: Outcome,
  access: boolean,
): string | undefined {
  const { original, value, originalSize, newSize } = outcome;
  if (kind !== "byte_off") {
    if (original === value) return undefined;
    const changed = `was ${original} when the program was compiled, is ${value} in the target`;
    return kind === "byte_sz" && isBitfield(accessors)
      ? `${changed}: byte_sz of a bitfield is the size of the load that holds it, which its place and its type decide`
      : changed;
  }
  const path = `${describe(candidate)}${accessPath(accessors)}`;
  const moved = original === value ? "" : `${path} has moved from byte ${original} to ${value}`;
  const isResized = originalSize !== newSize && access;
  const resized = isResized ? `the access has ${newSize} bytes instead of ${originalSize}` : "";
  return [moved, resized].filter(Boolean).join("; ") || undefined;
}

function isBitfield(accessors: Spec["accessors"]): boolean {
  const last = accessors.at(-1);
  if (!last || last.name === undefined || !isComposite(last.type)) return false;
  return (memberAt(last.type, last.index)?.bitfieldSize ?? 0) > 0;
}

function whyNotResized({ originalSize, newSize, originalType, newType }: Outcome): string {
  const ours = `${originalSize} bytes in the program (${describe(originalType!)})`;
  const theirs = `${newSize} in the target (${describe(newType!)})`;
  return `the field has ${ours}, ${theirs}: only loads and stores of pointers and unsigned integers are resized; read it with bpf_core_read and a size from bpf_core_field_size`;
}
