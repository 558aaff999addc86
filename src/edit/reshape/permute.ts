/** Own types in another order (libbpf's btf__permute). */
import { Btf } from "../../btf/btf.js";
import type { Image } from "../../btf/image.js";
import { ERR_ARGUMENT } from "../../errors/btf.js";
import { BtfError } from "../../errors/error.js";
import { assemble, frameOf } from "../build/encode.js";
import { recordWords, rewriteRecords } from "../build/record.js";
import { type ProgressOptions, steps } from "../progress.js";
import { extFields } from "./ext-fields.js";
import { checkKinds } from "./transfer.js";

/** The types in their new order. */
export interface PermuteResult {
  readonly btf: Btf;
  /** The new id of each old one, ids of the base and 0 included. */
  readonly map: Uint32Array;
  /** `options.ext` with new ids. */
  readonly ext?: Uint8Array;
}

/** Options of `permute`. */
export interface PermuteOptions extends ProgressOptions {
  /** The `.BTF.ext` section that goes with the Btf. */
  readonly ext?: Uint8Array;
}

/**
 * Gives own types new ids: `map[id]` is that of type `id`. Ids of the base and 0
 * stay.
 *
 * @throws BtfError ERR_ARGUMENT if `map` is no permutation of the own ids;
 *   BtfEnvironmentError ERR_UNSUPPORTED for a kind unknown to us; the reason of
 *   `signal`. Source: btf__permute.
 * @example
 * const builder = new BtfBuilder();
 * for (const name of ["a", "b"]) builder.int(name, { byteSize: 4 });
 * const { btf } = permute(builder.build(), Uint32Array.of(0, 2, 1));
 * console.log(btf.get(1)?.name, btf.get(2)?.name); // b a
 */
export function permute(btf: Btf, map: Uint32Array, options: PermuteOptions = {}): PermuteResult {
  const { ext } = options;
  const { image, firstId, size } = btf;
  const refuse = (note: string): never => {
    throw new BtfError(ERR_ARGUMENT, { note });
  };
  if (map.length !== size) refuse(`a map of ${map.length} ids for ${size}`);
  const oldId = new Uint32Array(size);
  for (let id = 0; id < size; id++) {
    const to = map[id]!;
    if (id < firstId ? to !== id : to < firstId || to >= size || oldId[to] !== 0)
      refuse(`type ${id} cannot become ${to}`);
    oldId[to] = id;
  }
  checkKinds(image);
  const records = new Uint8Array(image.header.typesLength);
  const step = steps(options, size - firstId);
  let at = 0;
  for (let id = firstId; id < size; id++) {
    step(id - firstId + 1);
    const from = image.record(oldId[id]!);
    const length = recordWords(image.view.getUint32(from + 4, true)) * 4;
    records.set(image.memory.subarray(from, from + length), at);
    at += length;
  }
  const words = new Uint32Array(records.buffer);
  rewriteRecords(
    words,
    0,
    words.length,
    (offset) => offset,
    (id) => map[id]!,
  );
  const { strings, header } = image;
  const sections = {
    ...frameOf(image),
    types: records,
    strings: image.memory.slice(strings, strings + header.stringsLength),
  };
  const bytes = assemble(sections, header.headerLength < 32 ? 24 : 32, sections.layout, btf.endian);
  const made = btf.base ? btf.base.split(bytes) : Btf.parse(bytes);
  if (btf.knownPointerSize !== undefined) made.pointerSize = btf.knownPointerSize;
  return { btf: made, map, ...(ext && { ext: renumbered(ext, map) }) };
}

function renumbered(ext: Uint8Array, map: Uint32Array): Uint8Array {
  const { ids, littleEndian } = extFields(ext);
  const bytes = new Uint8Array(ext);
  const view = new DataView(bytes.buffer);
  for (const at of ids) view.setUint32(at, map[view.getUint32(at, littleEndian)] ?? 0, littleEndian);
  return bytes;
}

/**
 * Own types in the order of their names, byte by byte, anonymous ones first, and
 * of equal names as they were: readers can find a name by bisection.
 *
 * @throws as `permute`. Source: libbpf's check for sorted types.
 * @example
 * const builder = new BtfBuilder();
 * for (const name of ["b", "a"]) builder.int(name, { byteSize: 4 });
 * console.log(sortByName(builder.build()).btf.get(1)?.name); // a
 */
export function sortByName(btf: Btf, options: PermuteOptions = {}): PermuteResult {
  const { firstId, size } = btf;
  options.signal?.throwIfAborted();
  const names = Array.from({ length: size - firstId }, (_, i) => nameBytes(btf.image, firstId + i));
  const order = Uint32Array.from(names.keys()).sort((a, b) => compareBytes(names[a]!, names[b]!) || a - b);
  const map = Uint32Array.from({ length: size }, (_, id) => id);
  order.forEach((old, i) => {
    map[firstId + old] = firstId + i;
  });
  return permute(btf, map, options);
}

/** The bytes of an own type's name, where they lie. */
function nameBytes(image: Image, id: number): Uint8Array {
  const offset = image.view.getUint32(image.record(id), true);
  let owner = image;
  while (offset < owner.stringsStart) owner = owner.base!;
  const start = owner.strings + offset - owner.stringsStart;
  return owner.memory.subarray(start, owner.memory.indexOf(0, start));
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}
