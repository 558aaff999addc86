import { BtfError } from "../../errors/error.js";

/**
 * A CO-RE relocation has no answer on this target: ambiguous, out of range, contradicted by the instruction.
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
