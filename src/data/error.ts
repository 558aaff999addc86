import { BtfError, type ErrorDetails, type Rule } from "../errors/error.js";

/**
 * Bytes do not hold a value of the type, or a value does not fit the type: the data is short, a number is out of
 * range, an enumerator or a member does not exist.
 *
 * @example
 * const list = btf.require("list_head", "struct");
 * try {
 *   decode(list, new Uint8Array(10));
 * } catch (error) {
 *   if (error instanceof BtfDataError) console.log(error.code, error.path); // ERR_DATA_SHORT prev
 * }
 */
export class BtfDataError extends BtfError {
  /** The member at fault, from the outermost type on: `se.load.weight`, `args[3]`; "" for the value itself. */
  declare readonly path: string;
  /** `formatData`: the text up to the place where the data ends; "" elsewhere. */
  declare readonly text: string;

  /** @internal */
  constructor(rule: Rule, details: ErrorDetails, path: string, text = "") {
    super(rule, details);
    this.path = path;
    Object.defineProperty(this, "text", { value: text });
  }

  override get name(): string {
    return "BtfDataError";
  }
}
