import type { Btf } from "../btf.js";
import { idsOf, RowEmitter } from "./cursor.js";
import { Dump, type DumpOptions } from "./dump.js";

/**
 * The raw text of `bpftool btf dump file FILE`, byte for byte: all own types,
 * or the chosen ones.
 *
 * @throws BtfLookupError ERR_NO_SUCH_ID for a chosen id that is no type's
 * @example
 * console.log(dumpRaw(btf, { types: btf.findAll("pid_t") }).text().trim());
 * // [73] TYPEDEF 'pid_t' type_id=52
 */
export function dumpRaw(btf: Btf, options: DumpOptions = {}): Dump {
  const ids = options.types && idsOf(btf, options.types);
  const open = (): RowEmitter =>
    new RowEmitter(btf.image, ids, (kernel, image, cursor, out, length) => kernel.emitRaw(image, cursor, out, length));
  return new Dump(btf, open, options);
}
