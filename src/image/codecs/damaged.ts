import { BtfFormatError } from "../../errors/error.js";
import { ERR_IMAGE_DAMAGED } from "../../errors/image.js";
import type { Reader } from "./reader.js";

/** That a decoder gave up, near where it has read to. */
export function damaged(input: Reader, what: string, why?: string, options?: ErrorOptions): BtfFormatError {
  const note = why ? `${what}: ${why}` : what;
  return new BtfFormatError(ERR_IMAGE_DAMAGED, { name: input.name, note, offset: input.position }, options);
}
