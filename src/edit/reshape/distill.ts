/** Split BTF with a base of its own, small enough to travel with it (libbpf's btf__distill_base). */
import { Btf } from "../../btf/btf.js";
import type { Image } from "../../btf/image.js";
import { ERR_DISTILL_BASE, ERR_DISTILL_KIND } from "../../errors/edit.js";
import { BtfError, BtfFormatError } from "../../errors/error.js";
import * as abi from "../../memory/generated/edit-abi.js";
import { Draft } from "../build/draft.js";
import { assemble } from "../build/encode.js";
import { kindOf, recordWords, rewriteRecords, visitIds } from "../build/record.js";
import { type ProgressOptions, steps } from "../progress.js";
import { checkKinds, stringMapper } from "./transfer.js";

/** A split Btf with a base of its own. */
export interface DistillResult {
  /** The types that the split one needs of its base, by name and size alone. */
  readonly base: Btf;
  /** The split one, on that base. */
  readonly btf: Btf;
}

const kinds = (...numbers: number[]): number => numbers.reduce((bits, kind) => bits | (1 << kind), 0);

const COMPOSITES = /* @__PURE__ */ kinds(abi.KIND_STRUCT, abi.KIND_UNION);
const ENUMS = /* @__PURE__ */ kinds(abi.KIND_ENUM, abi.KIND_ENUM64);
/** Go to the base as they are. */
const PLAIN = /* @__PURE__ */ kinds(abi.KIND_INT, abi.KIND_FLOAT, abi.KIND_FWD);
/** Go to the split in full. */
const REFERENCES = /* @__PURE__ */ kinds(
  abi.KIND_ARRAY,
  abi.KIND_TYPEDEF,
  abi.KIND_PTR,
  abi.KIND_CONST,
  abi.KIND_RESTRICT,
  abi.KIND_VOLATILE,
  abi.KIND_FUNC_PROTO,
  abi.KIND_TYPE_TAG,
); // prettier-ignore

const has = (set: number, kind: number): boolean => ((set >> kind) & 1) === 1;

/** A copy of the record of a type of `image` or its bases. @internal */
export function recordOf(image: Image, id: number): Uint32Array<ArrayBuffer> {
  let owner = image;
  while (id < owner.firstId) owner = owner.base!;
  const at = owner.record(id);
  return new Uint32Array(owner.memory.slice(at, at + recordWords(owner.view.getUint32(at + 4, true)) * 4).buffer);
}

/**
 * Replaces the base of a split Btf by one that holds what is needed to find its
 * types again in another base: INT, FLOAT and FWD as they are; named structs,
 * unions and enums with name and size alone. What else the split one refers to
 * (pointers, arrays, anonymous structs …) goes into it, behind its own types.
 *
 * @throws BtfError ERR_DISTILL_BASE for a Btf that is not split; BtfFormatError
 *   ERR_DISTILL_KIND if it refers to a FUNC, VAR, DATASEC or DECL_TAG of its
 *   base; the reason of `signal`. Source: btf__distill_base.
 * @example
 * const { base, btf: split } = distill(module);
 * console.log(base.size < btf.size, split.base === base); // true true
 */
export function distill(btf: Btf, options: ProgressOptions = {}): DistillResult {
  const { base, image, firstId } = btf;
  if (!base) throw new BtfError(ERR_DISTILL_BASE);
  for (let at: Image | undefined = image; at; at = at.base) checkKinds(at);
  const used = usedOfBase(btf, base);
  const map = new Uint32Array(firstId);
  const isInBase = (record: Uint32Array): boolean =>
    has(PLAIN, kindOf(record[1]!)) || (record[0] !== 0 && has(COMPOSITES | ENUMS, kindOf(record[1]!)));

  const below = new Draft(undefined);
  const nameBelow = stringMapper(below, image);
  for (const [id, record] of used) {
    if (!isInBase(record)) continue;
    const kind = kindOf(record[1]!);
    map[id] = below.nextId;
    const name = nameBelow(record[0]!);
    if (has(PLAIN, kind)) below.add(name, record[1]!, record[2]!, ...record.subarray(3));
    else below.add(name, (has(ENUMS, kind) ? abi.KIND_ENUM : kind) << abi.KIND_SHIFT, record[2]!);
  }
  const newBase = Btf.parse(assemble(below.sections, 24, undefined, btf.endian));

  const above = new Draft(newBase);
  const name = stringMapper(above, image);
  const shift = newBase.size - firstId;
  const rest = [...used].filter(([, record]) => !isInBase(record));
  rest.forEach(([id], i) => {
    map[id] = btf.size + shift + i;
  });
  const newId = (id: number): number => (id < firstId ? map[id]! : id + shift);
  const add = (record: Uint32Array<ArrayBuffer>): void => {
    rewriteRecords(record, 0, record.length, name, newId);
    above.addRecords(new Uint8Array(record.buffer), 1, 0);
  };
  const step = steps(options, btf.size - firstId);
  for (let id = firstId; id < btf.size; id++) {
    step(id - firstId + 1);
    add(recordOf(image, id));
  }
  for (const [, record] of rest) add(record);
  const split = newBase.split(assemble(above.sections, 24, undefined, btf.endian));
  for (const made of [newBase, split]) made.pointerSize = btf.pointerSize;
  return { base: newBase, btf: split };
}

/** Records of the base's types that a split refers to, in the order of their ids; named structs and unions end the way. */
function usedOfBase(btf: Btf, base: Btf): Map<number, Uint32Array<ArrayBuffer>> {
  const used = new Map<number, Uint32Array<ArrayBuffer>>();
  const waiting: number[] = [];
  const visit = (record: Uint32Array, from: number): void => {
    visitIds(record, 0, (id) => {
      if (id === 0 || id >= base.size || used.has(id)) return;
      const target = recordOf(base.image, id);
      const kind = kindOf(target[1]!);
      if (!has(PLAIN | COMPOSITES | ENUMS | REFERENCES, kind)) {
        throw new BtfFormatError(ERR_DISTILL_KIND, { typeId: from, value: id, name: base.kindAt(id).toUpperCase() });
      }
      used.set(id, target);
      if (!has(COMPOSITES, kind) || target[0] === 0) waiting.push(id);
    });
  };
  for (let id = btf.firstId; id < btf.size; id++) {
    visit(recordOf(btf.image, id), id);
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) visit(used.get(next)!, next);
  }
  return new Map([...used].sort(([a], [b]) => a - b));
}
