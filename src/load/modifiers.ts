/** The type below typedefs and modifiers, as loading follows them. */
import { skipModifiers as below, type Unmodified } from "../btf/traverse.js";
import type { BtfType } from "../btf/types.js";
import { fail } from "./failure.js";

/** A longer chain is a loop. */
const LIMIT = 256;

/** @throws LoadFailure EINVAL for a loop */
export function skipModifiers(type: BtfType): Unmodified {
  return below(type, LIMIT) ?? fail("EINVAL", `type [${type.id}] is a loop of typedefs and modifiers`);
}
