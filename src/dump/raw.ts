import type { Btf } from "../btf.js";
import { Dump, type DumpOptions } from "./dump.js";

/**
 * The raw text of `bpftool btf dump file FILE`, byte for byte: all own types,
 * or the chosen ones.
 *
 * @throws BtfLookupError ERR_NO_SUCH_ID for a chosen id that is no type's
 */
export function dumpRaw(btf: Btf, options?: DumpOptions): Dump {
  return new Dump(
    btf,
    (kernel, image, cursor, out, length) => kernel.emitRaw(image.address, cursor, out, length),
    options,
  );
}
