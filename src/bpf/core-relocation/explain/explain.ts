/** Says in words why a relocation came out as it did, so that a person can act on it. */
import type { BtfType } from "../../../btf/types.js";
import { CLASS, LDX, STX } from "../../instruction.js";
import type { CoreTarget, Resolution } from "../resolution.js";
import { accessPath, type Spec } from "../spec.js";
import { describe } from "../types.js";
import type { Outcome } from "../value.js";
import { whyNoMatch } from "./mismatch.js";
import { MissingTypes } from "./missing-types.js";

/** Reasons for the relocations on one target. */
export class Explainer {
  readonly #missing: MissingTypes;

  constructor(target: CoreTarget) {
    this.#missing = new MissingTypes(target);
  }

  /**
   * Returns the reason; `undefined` where the field is where the program
   * expects it.
   *
   * @param opcode of the instruction
   */
  explain(resolution: Resolution, status: string, opcode: number): string | undefined {
    const { root, local, candidates, matches, unmatched, outcome } = resolution;
    if (!root || !local || !outcome || local.kind === "local_type_id") return undefined;
    const [match] = matches;
    if (match) {
      if (outcome.sizeMismatch && status === "poisoned") return whyNotResized(outcome);
      return whatChanged(local, match.candidate, outcome, isAccess(opcode));
    }
    if (candidates.length === 0) return this.#missing.why(root);
    const reasons = unmatched.map(({ candidate, mismatch }) => ({
      candidate,
      why: whyNoMatch(local, candidate, mismatch),
    }));
    return reasons.length === 1
      ? reasons[0]!.why
      : reasons.map(({ candidate, why }) => `[${candidate.id}]: ${why}`).join("; ");
  }
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
    return `was ${original} when the program was compiled, is ${value} in the target`;
  }
  const path = `${describe(candidate)}${accessPath(accessors)}`;
  const moved = original === value ? "" : `${path} has moved from byte ${original} to ${value}`;
  const isResized = originalSize !== newSize && access;
  const resized = isResized ? `the access has ${newSize} bytes instead of ${originalSize}` : "";
  return [moved, resized].filter(Boolean).join("; ") || undefined;
}

function whyNotResized({ originalSize, newSize, originalType, newType }: Outcome): string {
  const ours = `${originalSize} bytes in the program (${describe(originalType!)})`;
  const theirs = `${newSize} in the target (${describe(newType!)})`;
  return `the field has ${ours}, ${theirs}: only loads and stores of pointers and unsigned integers are resized; read it with bpf_core_read and a size from bpf_core_field_size`;
}
