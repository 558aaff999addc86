import { BtfError } from "../../errors/error.js";

/**
 * Thrown for a CO-RE relocation that has no result on a target: it is ambiguous, out of range, or contradicted by the instruction.
 *
 * @example
 * const { error } = relocate(object, btf);
 * console.log(error instanceof BtfRelocationError); // false
 */
export class BtfRelocationError extends BtfError {
  override get name(): string {
    return "BtfRelocationError";
  }
}
