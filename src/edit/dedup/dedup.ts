/**
 * Deduplication and merging (libbpf's btf__dedup): equal types and strings
 * once. How, and where it differs from libbpf: docs/dedup.md.
 */
import { Btf } from "../../btf/btf.js";
import type { Endian } from "../../btf/header.js";
import type { Image } from "../../btf/image.js";
import type { ByteSource } from "../../btf/source.js";
import { ERR_INTERNAL } from "../../errors/btf.js";
import { ERR_BTF_EXT, ERR_BUILD_BASE } from "../../errors/edit.js";
import { BtfError, BtfFormatError, BtfInternalError } from "../../errors/error.js";
import * as abi from "../../memory/generated/edit-abi.js";
import { assembled, frameOf, type Sections } from "../build/encode.js";
import type { ProgressOptions } from "../progress.js";
import { type ExtFields, extFields } from "../reshape/ext-fields.js";
import { sameImage } from "../reshape/transfer.js";
import { Workspace } from "./workspace.js";

/** What is carried along, and how long work is followed or stopped. */
export interface DedupOptions extends ProgressOptions {
  /** The `.BTF.ext` section that goes with the Btf: it comes back with new string offsets and ids. */
  readonly ext?: Uint8Array;
}

/** What is carried along, on which base, and whether equal types become one. */
export interface MergeOptions extends Omit<DedupOptions, "ext"> {
  /** `.BTF.ext` of the inputs, by their place. */
  readonly ext?: readonly (Uint8Array | undefined)[];
  /** What the result is split on. Inputs that are split have to be so on the same. */
  readonly base?: Btf;
  /** Whether equal types become one (default true); strings always do. */
  readonly dedup?: boolean;
}

/** The deduplicated Btf, and where its types came from. */
export interface DedupResult {
  readonly btf: Btf;
  /** The new id of each old one, ids of the base and 0 included. */
  readonly map: Uint32Array;
  /** `options.ext` with what has moved. */
  readonly ext?: Uint8Array;
}

/** The merged Btf, and where each input's types went. */
export interface MergeResult {
  readonly btf: Btf;
  /** For each input the new id of each old one. */
  readonly maps: readonly Uint32Array[];
  readonly ext: readonly (Uint8Array | undefined)[];
}

/** Rounds in pairs by which classes begin: measured, more cost more than they spare. */
const HASH_PAIRS = 1;
/** Classes looked at between two looks at the signal. */
const REFINE_BUDGET = 50_000;
/** Seeds to try before a collision of hashes is no chance any more. @internal */
export const SEEDS = 4;
/**
 * What is done, time by time, where choices of declarations do not hold: other
 * ones are made (0), they are taken back (1), in the end all of them (2).
 */
const JUDGEMENTS = [0, 0, 0, 1, 1, 1, 2] as const;

/** Types that declare or define names with several definitions: their address and count. */
interface Opaque {
  readonly at: number;
  readonly count: number;
}

const kindBits = (...kinds: number[]): number => kinds.reduce((bits, kind) => bits | (1 << kind), 0);

/** Circles through these alone are refused, as by libbpf. */
const REFERENCE_KINDS = /* @__PURE__ */ kindBits(
  abi.KIND_PTR,
  abi.KIND_CONST,
  abi.KIND_VOLATILE,
  abi.KIND_RESTRICT,
  abi.KIND_FUNC,
  abi.KIND_TYPE_TAG,
  abi.KIND_DECL_TAG,
  abi.KIND_ARRAY,
  abi.KIND_FUNC_PROTO,
); // prettier-ignore
/** And through these, which libbpf does not notice: such a type has no size. */
const MODIFIER_KINDS = /* @__PURE__ */ kindBits(
  abi.KIND_CONST,
  abi.KIND_VOLATILE,
  abi.KIND_RESTRICT,
  abi.KIND_TYPEDEF,
  abi.KIND_TYPE_TAG,
  abi.KIND_ARRAY,
); // prettier-ignore

/** The least power of two that is at least `count`. */
function powerOfTwo(count: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(16, count)));
}

/** The steps, one after the other. @internal */
export class Dedup {
  readonly #work: Workspace;
  readonly #step: (done: number) => void;
  /** Address and count of the name offsets outside of the records. */
  #list = 0;
  #listLength = 0;
  /** Where the tables of names end. */
  #namesEnd = 0;

  constructor(work: Workspace, { signal, onProgress }: DedupOptions) {
    this.#work = work;
    // Shares of the time, measured.
    this.#step = (share) => {
      signal?.throwIfAborted();
      onProgress?.(Math.floor(work.idLimit * share), work.idLimit);
    };
  }

  /** Names: each string once. `ext` are name offsets outside of the records. */
  names(ext: Uint32Array): void {
    const work = this.#work;
    const words = Math.floor(work.stringsLength / 64) + 1;
    const list = work.arena.allocate(ext.length * 4);
    new Uint32Array(work.arena.bytes.buffer, list, ext.length).set(ext);
    this.#list = list;
    this.#listLength = ext.length;
    work.array(abi.GRAPH_NAME_RANKS, words, 4);
    const marks = work.run((kernel, graph) => {
      kernel.markList(graph, list, ext.length);
      return kernel.rankNames(graph);
    });
    this.#namesEnd = work.array(abi.GRAPH_NAMES, marks, 8) + marks * 8;
    // From here on scratch: it is needed for this step alone.
    const { mark } = work.arena;
    const slots = powerOfTwo((marks * 4) / 3 + 1);
    const table = work.array(abi.GRAPH_SLOTS, slots, 4);
    work.set(abi.GRAPH_SLOT_MASK, slots - 1);
    work.zero(table, slots * 4);
    const hashes = work.arena.allocate(marks * 4);
    const offsets = work.arena.allocate(marks * 4);
    work.reseed();
    work.judge(work.run((kernel, graph) => kernel.uniteNames(graph, hashes, offsets)));
    work.arena.rewind(mark);
    const out = work.array(abi.GRAPH_OUT_STRINGS, work.get(abi.GRAPH_OUT_LENGTH) + 16, 1);
    // What is no split starts with "".
    work.zero(out, 1);
    work.set(abi.GRAPH_OUT_LENGTH, work.firstId === 1 ? 1 : 0);
    this.#step(0.25);
  }

  /** The new offsets of the names outside of the records, in their order. */
  get renamed(): Uint32Array {
    return new Uint32Array(this.#work.arena.bytes.buffer, this.#list, this.#listLength).slice();
  }

  /** Shapes and references; `single`: a VAR or DATASEC is like no other. */
  shapes(single: boolean): void {
    const work = this.#work;
    const count = work.idLimit;
    for (const field of [abi.GRAPH_OFFSETS, abi.GRAPH_ALIAS, abi.GRAPH_MEMBERS]) work.array(field, count, 4);
    work.array(abi.GRAPH_KINDS, count, 1);
    work.array(abi.GRAPH_EDGE_START, count + 1, 4);
    work.array(abi.GRAPH_EDGES, work.edgeCount, 4);
    work.array(abi.GRAPH_SHAPE, count, 8);
    work.run((kernel, graph) => {
      kernel.hashShapes(graph, +single);
      kernel.renameList(graph, this.#list, this.#listLength);
    });
    // All names are new ones now: the old strings and the tables have served.
    const strings = work.get(abi.GRAPH_STRINGS);
    work.serve(strings, strings + work.stringsLength);
    work.serve(work.get(abi.GRAPH_NAME_RANKS), this.#namesEnd);
    this.#step(0.4);
  }

  /** Classes of equal types; without `merge` each type is one, without `forwards` declarations stand for themselves. */
  classes(merge: boolean, forwards = true): void {
    const work = this.#work;
    const count = work.idLimit;
    const slots = powerOfTwo((count * 4) / 3 + 1);
    // Parents come when the hashes have served.
    const hash = work.allocate(Math.max(count * 8 + slots * 4, work.edgeCount * 4));
    work.set(abi.GRAPH_HASH, hash);
    work.set(abi.GRAPH_SLOTS, hash + count * 8);
    work.set(abi.GRAPH_SLOT_MASK, slots - 1);
    work.set(abi.GRAPH_PARENTS, hash);
    work.array(abi.GRAPH_OTHER_HASH, count, 8);
    work.array(abi.GRAPH_GROUPS, count, abi.GROUP_SIZE);
    for (const field of [abi.GRAPH_CLASSES, abi.GRAPH_PLACES, abi.GRAPH_TOUCHED]) work.array(field, count, 4);
    work.array(abi.GRAPH_PARENT_START, count + 1, 4);
    work.zero(work.array(abi.GRAPH_OPAQUE, count, 1), count);
    if (!merge) {
      work.run((kernel, graph) => kernel.separate(graph));
      return;
    }
    const opaque = forwards ? this.#hideNames() : { at: 0, count: 0 };
    if (forwards) this.#refuseLoops();
    work.zero(work.get(abi.GRAPH_SLOTS), slots * 4);
    work.run((kernel, graph) => {
      kernel.hashTypes(graph, HASH_PAIRS, opaque.at, opaque.count);
      kernel.startClasses(graph);
    });
    this.#step(0.7);
    this.#refine();
    if (opaque.count > 0) this.#chooseForwards(opaque);
    this.#step(0.9);
  }

  /** Lets declarations stand for their one definition, and makes names with several opaque. */
  #hideNames(): Opaque {
    const work = this.#work;
    const names = powerOfTwo(work.get(abi.GRAPH_DECLARED_COUNT) * 2);
    work.zero(work.array(abi.GRAPH_FORWARDS, names, abi.FORWARD_SIZE), names * abi.FORWARD_SIZE);
    work.set(abi.GRAPH_FORWARD_MASK, names - 1);
    const count = work.run((kernel, graph) => kernel.findDefinitions(graph));
    const at = work.allocate(count * abi.NAMED_SIZE);
    work.run((kernel, graph) => {
      kernel.makeOpaque(graph, at, count);
      kernel.redirect(graph);
    });
    return { at, count };
  }

  /** Chooses what declarations stand for, and refines until all choices hold. */
  #chooseForwards({ at, count }: Opaque): void {
    const work = this.#work;
    const length = work.idLimit * 4;
    const kept = work.allocate(length);
    const partners = work.allocate(length);
    work.zero(partners, length);
    work.run((kernel, graph) => {
      kernel.listParents(graph);
      kernel.findWitnesses(graph, at, count, kept);
    });
    const classes = work.get(abi.GRAPH_CLASSES);
    const classCount = work.get(abi.GRAPH_CLASS_COUNT);
    work.arena.bytes.copyWithin(kept, classes, classes + length);
    const settle = (): void => {
      work.run((kernel, graph) => {
        kernel.choose(graph, at, count, partners);
        kernel.settle(graph, at, count);
      });
    };
    settle();
    this.#refine();
    for (const mode of JUDGEMENTS) {
      const answer = work.run((kernel, graph) => kernel.judgeForwards(graph, mode));
      if (answer === 0) return;
      if (answer === 2) {
        work.run((kernel, graph) => kernel.restoreClasses(graph, kept, classCount));
        settle();
      }
      this.#refine();
    }
  }

  /** Splits classes until they hold. */
  #refine(): void {
    while (this.#work.run((kernel, graph) => kernel.refine(graph, REFINE_BUDGET))) this.#step(0.75);
  }

  /** Whether no class rests on a collision of hashes. */
  get holds(): boolean {
    return this.#work.run((kernel, graph) => kernel.checkClasses(graph)) === 0;
  }

  #refuseLoops(): void {
    const work = this.#work;
    const states = work.get(abi.GRAPH_TOUCHED);
    for (const kinds of [REFERENCE_KINDS, MODIFIER_KINDS]) {
      work.zero(states, work.idLimit);
      work.judge(
        work.run((kernel, graph) =>
          kernel.findLoop(graph, kinds, states, work.get(abi.GRAPH_MEMBERS), work.get(abi.GRAPH_PLACES)),
        ),
      );
    }
    this.#step(0.45);
  }

  /** What stays, in the place of the own records. */
  compact(): { map: Uint32Array; types: Uint8Array; strings: Uint8Array } {
    const work = this.#work;
    // The class hashes have served.
    const map = work.get(abi.GRAPH_HASH);
    const out = work.get(abi.GRAPH_TYPES) + work.ownOffset;
    const length = work.run((kernel, graph) => {
      kernel.assignIds(graph, map);
      return kernel.compact(graph, map, out);
    });
    this.#step(1);
    const { bytes } = work.arena;
    const strings = work.get(abi.GRAPH_OUT_STRINGS);
    return {
      map: new Uint32Array(bytes.buffer, map, work.idLimit).slice(),
      types: bytes.subarray(out, out + length),
      strings: bytes.subarray(strings, strings + work.get(abi.GRAPH_OUT_LENGTH)),
    };
  }
}

interface Parts {
  readonly map: Uint32Array;
  readonly sections: Sections;
  readonly ext: readonly (Uint8Array | undefined)[];
}

/** `.BTF.ext` of an input, and what is in it. */
interface Ext {
  readonly bytes: Uint8Array;
  readonly fields: ExtFields;
}

function readExt(bytes: Uint8Array | undefined): Ext | undefined {
  return bytes && { bytes, fields: extFields(bytes) };
}

/** Name offsets of all `.BTF.ext`, as the workspace has them. */
function extNames(work: Workspace, exts: readonly (Ext | undefined)[]): Uint32Array {
  const names: number[] = [];
  exts.forEach((ext, i) => {
    const { image, nameShift } = work.parts[i]!;
    if (!ext) return;
    const view = new DataView(ext.bytes.buffer, ext.bytes.byteOffset);
    const limit = image.stringsStart + image.header.stringsLength;
    for (const at of ext.fields.names) {
      const offset = view.getUint32(at, ext.fields.littleEndian);
      if (offset >= limit)
        throw new BtfFormatError(ERR_BTF_EXT, {
          note: `a string at offset ${offset}, beyond the ${limit} bytes of strings`,
          offset: at,
        });
      names.push(offset >= Math.max(1, image.stringsStart) ? offset + nameShift : offset);
    }
  });
  return Uint32Array.from(names);
}

/** Copies of all `.BTF.ext` with new name offsets, in the order of `extNames`, and new ids. */
function rewriteExt(
  work: Workspace,
  exts: readonly (Ext | undefined)[],
  names: Uint32Array,
  map: Uint32Array,
): (Uint8Array | undefined)[] {
  let next = 0;
  return exts.map((ext, i) => {
    if (!ext) return undefined;
    const { image, idShift } = work.parts[i]!;
    const { littleEndian, names: nameFields, ids } = ext.fields;
    // A copy: `slice` of a Node Buffer shares its memory.
    const bytes = new Uint8Array(ext.bytes);
    const view = new DataView(bytes.buffer);
    for (const at of nameFields) view.setUint32(at, names[next++]!, littleEndian);
    for (const at of ids) {
      const id = view.getUint32(at, littleEndian);
      if (id >= image.idLimit) throw new BtfFormatError(ERR_BTF_EXT, { note: `type ${id} does not exist`, offset: at });
      view.setUint32(at, map[id >= image.firstId ? id + idShift : id]!, littleEndian);
    }
    return bytes;
  });
}

/** Runs `use` on the deduplicated parts, which lie in memory that is handed back afterwards. @internal */
export function deduplicate<T>(
  images: readonly Image[],
  base: Image | undefined,
  exts: readonly (Ext | undefined)[],
  options: DedupOptions & { readonly dedup?: boolean },
  use: (work: Workspace, parts: Parts) => T,
): T {
  for (let seed = 1; ; seed++) {
    const work = new Workspace(images, base);
    try {
      const dedup = new Dedup(work, options);
      const names = extNames(work, exts);
      dedup.names(names);
      dedup.shapes(true);
      dedup.classes(options.dedup !== false);
      if (!dedup.holds) {
        if (seed < SEEDS) continue;
        throw new BtfInternalError(ERR_INTERNAL, { note: "hashes collide whatever the seed" });
      }
      const { map, ...sections } = dedup.compact();
      return use(work, { map, sections, ext: rewriteExt(work, exts, dedup.renamed, map) });
    } finally {
      work.release();
    }
  }
}

/** Opens what was made; the sections are copied once, from the workspace's memory into the new one. */
function openSections(sections: Sections, headerLength: 24 | 32, endian: Endian, base: Btf | undefined): Btf {
  const { head, size, readInto } = assembled(sections, headerLength, sections.layout, endian);
  const source: ByteSource = {
    size,
    read: (offset, length) => head.subarray(offset, offset + length),
    readInto: (_, target) => readInto(target),
  };
  return Btf.fromSource(source, { base });
}

/** The pointer size of an ELF file, or one that was set, is not in the bytes. */
function keepPointerSize(from: Btf, to: Btf): Btf {
  const known = from.knownPointerSize;
  if (known !== undefined && to.knownPointerSize !== known) to.pointerSize = known;
  return to;
}

/**
 * A copy of a Btf in which equal types and strings stand once; a split one's
 * own types are compared with its base's too, which stays as it is. Forward
 * declarations become the struct, union or enum that they declare where only
 * one fits. The input is left as it is.
 *
 * Never merged: VAR and DATASEC (as libbpf does it). Strings that nothing
 * refers to vanish; the others stand in the order of the references. Takes time
 * in proportion to types and references, memory about 3 times the input.
 *
 * @throws BtfFormatError ERR_DEDUP_LOOP for references that lead back to
 *   themselves without a struct, union or typedef (libbpf's ELOOP);
 *   ERR_BTF_TYPE_ID for a reference to nothing; ERR_BTF_EXT;
 *   BtfLimitError ERR_DEDUP_NAMES for names that overlap millionfold,
 *   ERR_MEMORY; BtfEnvironmentError ERR_UNSUPPORTED for a kind unknown to us;
 *   the reason of `signal`. Source: btf__dedup.
 * @example
 * const builder = new BtfBuilder();
 * for (let i = 0; i < 2; i++) builder.ptr(builder.int("int", { byteSize: 4, isSigned: true }));
 * const { btf, map } = dedup(builder.build());
 * console.log(btf.size - 1, map); // 2 Uint32Array(5) [ 0, 1, 2, 1, 2 ]
 */
export function dedup(btf: Btf, options: DedupOptions = {}): DedupResult {
  const { image, base } = btf;
  return deduplicate([image], base?.image, [readExt(options.ext)], options, (_, { map, sections, ext }) => {
    const { headerLength, endian } = image.header;
    const made = openSections({ ...frameOf(image), ...sections }, headerLength < 32 ? 24 : 32, endian, base);
    return { btf: keepPointerSize(btf, made), map, ...(ext[0] && { ext: ext[0] }) };
  });
}

/**
 * One Btf of several: their types one behind the other, equal ones once.
 * Split inputs, such as modules, are merged on their base into one split Btf.
 *
 * The result has the byte order of the base or the first input and a header of
 * 24 bytes.
 *
 * @throws as `dedup`; BtfError ERR_BUILD_BASE for an input that is split on
 *   something else than `base`; BtfLimitError ERR_BUILD_LIMIT for more than
 *   2^31 - 1 ids or bytes of strings. Source: btf__add_btf, btf__dedup.
 * @example
 * const { btf: both } = merge([btf, object.btf]);
 * console.log(both.size > btf.size); // true
 */
export function merge(inputs: readonly Btf[], options: MergeOptions = {}): MergeResult {
  const base = options.base ?? inputs.find((one) => one.base)?.base;
  for (const [i, one] of inputs.entries()) {
    if (one.base && !sameImage(one.base, base!)) {
      throw new BtfError(ERR_BUILD_BASE, { note: `input ${i + 1} is split on another base than the others` });
    }
  }
  const { ext, base: _, ...rest } = options;
  const exts = inputs.map((_, i) => readExt(ext?.[i]));
  const images = inputs.map(({ image }) => image);
  return deduplicate(images, base?.image, exts, rest, (work, made) => {
    const endian = base?.endian ?? inputs[0]?.endian ?? "little";
    const opened = openSections(made.sections, 24, endian, base);
    const first = inputs.find(({ knownPointerSize }) => knownPointerSize !== undefined);
    return {
      btf: first ? keepPointerSize(first, opened) : opened,
      maps: work.parts.map(({ image, idShift }) => mapOf(image, idShift, made.map)),
      ext: made.ext,
    };
  });
}

/** The part of the map that an input sees: its base's ids, then its own. */
function mapOf(image: Image, idShift: number, map: Uint32Array): Uint32Array {
  const own = new Uint32Array(image.idLimit);
  own.set(map.subarray(0, image.firstId));
  own.set(map.subarray(image.firstId + idShift, image.idLimit + idShift), image.firstId);
  return own;
}
