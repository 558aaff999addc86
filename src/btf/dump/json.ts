import type { Btf } from "../btf.js";
import { idsOf, RowEmitter } from "./cursor.js";
import { Dump, type DumpOptions } from "./dump.js";

/** Options of `dumpJson`. */
export interface JsonOptions extends DumpOptions {
  /** Indents by 4 spaces, as `bpftool -j -p` (default false). */
  readonly pretty?: boolean;
}

/**
 * The JSON of `bpftool -j btf dump file FILE`, byte for byte: `{"types":[…]}`
 * with all own types, or the chosen ones. Control bytes in hostile names go
 * out raw, as bpftool writes them.
 *
 * @throws BtfLookupError ERR_NO_SUCH_ID for a chosen id that is no type's
 * @example
 * const { types } = JSON.parse(dumpJson(btf, { types: [1] }).text());
 * console.log(types[0].kind, types[0].name); // FUNC_PROTO (anon)
 */
export function dumpJson(btf: Btf, options: JsonOptions = {}): Dump {
  const ids = options.types && idsOf(btf, options.types);
  const pretty = options.pretty ? 1 : 0;
  const open = (): RowEmitter =>
    new RowEmitter(btf.image, ids, (kernel, image, cursor, out, length) =>
      kernel.emitJson(image, cursor, out, length, pretty),
    );
  return new Dump(btf, open, options);
}
