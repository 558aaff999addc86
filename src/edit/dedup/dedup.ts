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
import type { Judgement } from "../../memory/edit-kernel.js";
import * as abi from "../../memory/generated/edit-abi.js";
import { assembled, frameOf, type Sections } from "../build/encode.js";
import type { ProgressOptions } from "../progress.js";
import { type ExtFields, extFields } from "../reshape/ext-fields.js";
import { sameImage } from "../reshape/transfer.js";
import { Workspace } from "./workspace.js";

/** Options of `dedup`. */
export interface DedupOptions extends ProgressOptions {
  /** The `.BTF.ext` section that goes with the Btf: it comes back with new string offsets and ids. */
  readonly ext?: Uint8Array;
}

/** Options of `merge`. */
export interface MergeOptions extends Omit<DedupOptions, "ext"> {
  /** `.BTF.ext` of the inputs, by their place. */
  readonly ext?: readonly (Uint8Array | undefined)[];
  /** The base of the result. Split inputs must have the same base. */
  readonly base?: Btf;
  /** Unites equal types (default true); equal strings are always united. */
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

/** Pairs of hash rounds that classes start from. Measured: more rounds cost more time than they save. */
const HASH_PAIRS = 1;
/** Classes that `refine` looks at between two checks of the signal. */
const REFINE_BUDGET = 50_000;
/** Seeds to try before a collision of hashes counts as a bug. @internal */
export const SEEDS = 4;
/**
 * The modes of `judgeForwards`, round by round, for choices of declarations that
 * do not hold. The last mode leaves none, so that the rounds end.
 */
const JUDGEMENTS = [
  abi.JUDGE_CHOOSE,
  abi.JUDGE_CHOOSE,
  abi.JUDGE_CHOOSE,
  abi.JUDGE_RETRACT,
  abi.JUDGE_RETRACT,
  abi.JUDGE_RETRACT,
  abi.JUDGE_RETRACT_ALL,
] as const;

/** Share of the time that has passed after each pass, measured. */
const SHARE = { strings: 0.25, shapes: 0.4, loops: 0.45, start: 0.7, refine: 0.75, choose: 0.9, compact: 1 } as const;

/** A list of types in the workspace: those that declare or define an ambiguous name. */
interface TypeList {
  readonly at: number;
  readonly count: number;
}

const kindBits = (...kinds: number[]): number => kinds.reduce((bits, kind) => bits | (1 << kind), 0);

/** Cycles through these kinds alone are refused, as by libbpf. */
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
/** Cycles through these kinds alone are refused too: such a type has no size. libbpf does not detect them. */
const SIZELESS_KINDS = abi.MODIFIER_KINDS | (1 << abi.KIND_ARRAY);

/** Returns the least power of two that is at least `count`, and at least 16. */
function powerOfTwo(count: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(16, count)));
}

/** Slots of a hash table for `count` entries: at most three quarters are used. */
function slotsFor(count: number): number {
  return powerOfTwo((count * 4) / 3 + 1);
}

/**
 * The passes of a deduplication. Callers run them in this order:
 *
 * 1. `uniteStrings` gives each string that is referred to one offset.
 * 2. `hashShapes` hashes records without their references and lists these.
 * 3. `separateTypes`, or all of
 *    - `resolveForwards` lets a declaration stand for its only definition,
 *    - `refuseLoops` refuses references that form a cycle,
 *    - `startClasses` puts types with equal hashes into a class,
 *    - `refineClasses` splits classes until their members refer to equal classes,
 *    - `chooseDefinitions` does so for names with several definitions.
 * 4. `holds` tells whether a collision of hashes has spoiled a class.
 * 5. `compact` writes one record of each class.
 *
 * Columns live in the workspace, and some of them share memory:
 *
 * | column                          | written by      | memory                              |
 * | ------------------------------- | --------------- | ----------------------------------- |
 * | name bits, ranks, names         | `uniteStrings`  | freed by `hashShapes`               |
 * | strings                         | the workspace   | freed by `hashShapes`               |
 * | offsets, kinds, edges, shape    | `hashShapes`    | their own                           |
 * | alias, members                  | `hashShapes`    | their own; loop search uses members |
 * | hash, slots                     | `startClasses`  | one block, the hash block           |
 * | parents                         | `refineClasses` | the hash block                      |
 * | map                             | `compact`       | the hash block                      |
 * | classes, places, touched        | `startClasses`  | loop search uses places and touched |
 *
 * @internal
 */
export class Dedup {
  readonly #work: Workspace;
  readonly #report: (share: number) => void;
  /** Name offsets that stand outside of the records. */
  #list: TypeList = { at: 0, count: 0 };
  /** End of the tables of names. */
  #namesEnd = 0;
  /** Types whose names are ambiguous; `resolveForwards` lists them. */
  #ambiguous: TypeList = { at: 0, count: 0 };

  constructor(work: Workspace, { signal, onProgress }: DedupOptions) {
    this.#work = work;
    this.#report = (share) => {
      signal?.throwIfAborted();
      onProgress?.(Math.floor(work.idLimit * share), work.idLimit);
    };
  }

  /** Gives each string one offset. `outside` are name offsets that stand outside of the records. */
  uniteStrings(outside: Uint32Array): void {
    const work = this.#work;
    const words = Math.floor(work.stringsLength / 64) + 1;
    const at = work.arena.allocate(outside.length * 4);
    new Uint32Array(work.arena.bytes.buffer, at, outside.length).set(outside);
    this.#list = { at, count: outside.length };
    work.array(abi.GRAPH_NAME_RANKS, words, 4);
    const marks = work.run((kernel, graph) => {
      kernel.markList(graph, at, outside.length);
      return kernel.rankNames(graph);
    });
    this.#namesEnd = work.array(abi.GRAPH_NAMES, marks, 8) + marks * 8;
    // The table, hashes and offsets serve this pass alone: `rewind` frees them.
    const { mark } = work.arena;
    const slots = slotsFor(marks);
    const table = work.array(abi.GRAPH_SLOTS, slots, 4);
    work.set(abi.GRAPH_SLOT_MASK, slots - 1);
    work.zero(table, slots * 4);
    const hashes = work.arena.allocate(marks * 4);
    const offsets = work.arena.allocate(marks * 4);
    work.reseed();
    work.judge(work.run((kernel, graph) => kernel.uniteNames(graph, hashes, offsets)));
    work.arena.rewind(mark);
    const out = work.array(abi.GRAPH_OUT_STRINGS, work.get(abi.GRAPH_OUT_LENGTH) + 16, 1);
    // The strings of an image without a base start with "".
    work.zero(out, 1);
    work.set(abi.GRAPH_OUT_LENGTH, work.firstId === 1 ? 1 : 0);
    this.#report(SHARE.strings);
  }

  /** The new offsets of the names outside of the records, in the order in which they were given. */
  get renamed(): Uint32Array {
    const { at, count } = this.#list;
    return new Uint32Array(this.#work.arena.bytes.buffer, at, count).slice();
  }

  /** Hashes records without their references, and lists these. With `single`, a VAR or DATASEC equals no other. */
  hashShapes(single: boolean): void {
    const work = this.#work;
    const count = work.idLimit;
    for (const field of [abi.GRAPH_OFFSETS, abi.GRAPH_ALIAS, abi.GRAPH_MEMBERS]) work.array(field, count, 4);
    work.array(abi.GRAPH_KINDS, count, 1);
    work.array(abi.GRAPH_EDGE_START, count + 1, 4);
    work.array(abi.GRAPH_EDGES, work.edgeCount, 4);
    work.array(abi.GRAPH_SHAPE, count, 8);
    work.run((kernel, graph) => {
      kernel.hashShapes(graph, +single);
      kernel.renameList(graph, this.#list.at, this.#list.count);
    });
    // Records hold new name offsets now: nothing reads the old strings and the tables any more.
    const strings = work.get(abi.GRAPH_STRINGS);
    work.reuse(strings, strings + work.stringsLength);
    work.reuse(work.get(abi.GRAPH_NAME_RANKS), this.#namesEnd);
    this.#allocateClasses();
    this.#report(SHARE.shapes);
  }

  /** Allocates the columns of classes; hash, slots, parents and map share the hash block. */
  #allocateClasses(): void {
    const work = this.#work;
    const count = work.idLimit;
    const slots = slotsFor(count);
    const hashBlock = work.allocate(Math.max(count * 8 + slots * 4, work.edgeCount * 4));
    work.set(abi.GRAPH_HASH, hashBlock);
    work.set(abi.GRAPH_SLOTS, hashBlock + count * 8);
    work.set(abi.GRAPH_SLOT_MASK, slots - 1);
    work.set(abi.GRAPH_PARENTS, hashBlock);
    work.array(abi.GRAPH_OTHER_HASH, count, 8);
    work.array(abi.GRAPH_GROUPS, count, abi.GROUP_SIZE);
    for (const field of [abi.GRAPH_CLASSES, abi.GRAPH_PLACES, abi.GRAPH_TOUCHED]) work.array(field, count, 4);
    work.array(abi.GRAPH_PARENT_START, count + 1, 4);
    work.zero(work.array(abi.GRAPH_OPAQUE, count, 1), count);
  }

  /** Puts each type into a class of its own: strings are united, types are not. */
  separateTypes(): void {
    this.#work.run((kernel, graph) => kernel.separate(graph));
  }

  /** Lets declarations stand for their only definition, and makes types with an ambiguous name opaque. */
  resolveForwards(): void {
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
    this.#ambiguous = { at, count };
  }

  /** Refuses references that form a cycle. @throws BtfFormatError ERR_DEDUP_LOOP */
  refuseLoops(): void {
    const work = this.#work;
    const states = work.get(abi.GRAPH_TOUCHED);
    const stack = work.get(abi.GRAPH_MEMBERS);
    const next = work.get(abi.GRAPH_PLACES);
    for (const kinds of [REFERENCE_KINDS, SIZELESS_KINDS]) {
      work.zero(states, work.idLimit);
      work.judge(work.run((kernel, graph) => kernel.findLoop(graph, kinds, states, stack, next)));
    }
    this.#report(SHARE.loops);
  }

  /** Puts types with equal hashes into a class. */
  startClasses(): void {
    const work = this.#work;
    const { at, count } = this.#ambiguous;
    work.zero(work.get(abi.GRAPH_SLOTS), (work.get(abi.GRAPH_SLOT_MASK) + 1) * 4);
    work.run((kernel, graph) => {
      kernel.hashTypes(graph, HASH_PAIRS, at, count);
      kernel.startClasses(graph);
    });
    this.#report(SHARE.start);
  }

  /** Splits classes until the members of each refer to equal classes. */
  refineClasses(): void {
    while (this.#work.run((kernel, graph) => kernel.refine(graph, REFINE_BUDGET))) this.#report(SHARE.refine);
  }

  /** Chooses the definitions that ambiguous declarations stand for, and refines until all choices hold. */
  chooseDefinitions(): void {
    const { at, count } = this.#ambiguous;
    if (count > 0) this.#chooseAmong(at, count);
    this.#report(SHARE.choose);
  }

  #chooseAmong(at: number, count: number): void {
    const work = this.#work;
    const length = work.idLimit * 4;
    // Before it keeps the classes, this column is the queue of the search for witnesses.
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
    this.refineClasses();
    for (const mode of JUDGEMENTS) {
      const answer: Judgement = work.run((kernel, graph) => kernel.judgeForwards(graph, mode));
      if (answer === abi.JUDGED_HOLDS) return;
      if (answer === abi.JUDGED_SETTLE) {
        work.run((kernel, graph) => kernel.restoreClasses(graph, kept, classCount));
        settle();
      }
      this.refineClasses();
    }
  }

  /** Tells whether all members of each class are equal: false after a collision of hashes. */
  get holds(): boolean {
    return this.#work.run((kernel, graph) => kernel.checkClasses(graph)) === 0;
  }

  /** Writes one record of each class over the records of the inputs. */
  compact(): { map: Uint32Array; types: Uint8Array; strings: Uint8Array } {
    const work = this.#work;
    // Nothing reads the hash block any more.
    const map = work.get(abi.GRAPH_HASH);
    const out = work.get(abi.GRAPH_TYPES) + work.ownOffset;
    const length = work.run((kernel, graph) => {
      kernel.assignIds(graph, map);
      return kernel.compact(graph, map, out);
    });
    this.#report(SHARE.compact);
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
      dedup.uniteStrings(names);
      dedup.hashShapes(true);
      if (options.dedup === false) dedup.separateTypes();
      else {
        dedup.resolveForwards();
        dedup.refuseLoops();
        dedup.startClasses();
        dedup.refineClasses();
        dedup.chooseDefinitions();
      }
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
  const base = options.base ?? inputs.find((input) => input.base)?.base;
  for (const [i, input] of inputs.entries()) {
    if (input.base && !sameImage(input.base, base!)) {
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
  const part = new Uint32Array(image.idLimit);
  part.set(map.subarray(0, image.firstId));
  part.set(map.subarray(image.firstId + idShift, image.idLimit + idShift), image.firstId);
  return part;
}
