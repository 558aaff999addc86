/** The type behind typedefs and modifiers, as loading follows them. */

import { Refusal } from "../bpf/core-relocation/refusal.js";
import { skip } from "../bpf/core-relocation/types.js";
import type { BtfType } from "../btf/types.js";
import { fail } from "./failure.js";

/** @throws LoadFailure EINVAL for a loop */
export function skipModifiers(type: BtfType): BtfType {
  try {
    return skip(type);
  } catch (cause) {
    if (cause instanceof Refusal) fail("EINVAL", cause.reason);
    throw cause;
  }
}
