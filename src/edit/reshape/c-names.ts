/** BTF whose header a C compiler takes: of Rust's, Zig's and C++'s names some are none in C. */
import { Btf } from "../../btf/btf.js";
import { isComposite, skipModifiers } from "../../btf/traverse.js";
import * as abi from "../../memory/generated/edit-abi.js";
import { Draft, stringsOf } from "../build/draft.js";
import { assemble } from "../build/encode.js";
import { kindOf, rewriteRecords, visitIds } from "../build/record.js";
import { recordOf } from "./distill.js";
import { identifier } from "./identifier.js";
import { checkKinds } from "./transfer.js";

/** Options of `fitForC`. */
export interface FitOptions {
  /** Replace what C does not take in names, in place of leaving out what has such names (default `false`). */
  readonly names?: boolean;
}

/** BTF with the same ids, and the ids of the own types that are not what they were, ascending. */
export interface FitResult {
  readonly btf: Btf;
  /** Types that got other names, or whose members, enumerators or parameters did (a parameter may lose its own). */
  readonly renamed: readonly number[];
  /**
   * Types that are left out: what C cannot name, and what cannot be said without it. A struct or union that can be
   * named is declared; the others are pointers to void that nothing refers to.
   */
  readonly omitted: readonly number[];
  /** Structs whose members were not in the order of their offsets. */
  readonly sorted: readonly number[];
}

/** Of C11 and, behind them, of GNU C; those that C23 adds are dealt with by the header itself. */
const KEYWORDS =
  /^(?:auto|break|case|char|const|continue|default|do|double|else|enum|extern|float|for|goto|if|inline|int|long|register|restrict|return|short|signed|sizeof|static|struct|switch|typedef|union|unsigned|void|volatile|while|asm|typeof|__(?:attribute|asm|typeof|extension|inline)__)$/;

const isForC = (name: string): boolean => /^[A-Za-z_]\w*$/.test(name) && !KEYWORDS.test(name);

const COMPOSITES: readonly number[] = [abi.KIND_STRUCT, abi.KIND_UNION];
const ENUMS: readonly number[] = [abi.KIND_ENUM, abi.KIND_ENUM64];
/** Kinds whose own names a header shows. */
const NAMED: readonly number[] = [...COMPOSITES, ...ENUMS, abi.KIND_FWD, abi.KIND_TYPEDEF];
/** Kinds with elements that have names. */
const ELEMENTS: Readonly<Record<number, number>> = {
  [abi.KIND_STRUCT]: 3,
  [abi.KIND_UNION]: 3,
  [abi.KIND_ENUM]: 2,
  [abi.KIND_ENUM64]: 3,
  [abi.KIND_FUNC_PROTO]: 2,
};
/** Bit of `info`: a FWD is that of a union. */
const KIND_FLAG = 0x80000000;
/** That many modifiers in a row are followed, as by libbpf. */
const MODIFIERS = 32;
/** Words before the elements. */
const HEAD = 3;

/** No part of C: it may not be mentioned. */
const UNNAMED = 2;
/** It may be declared, and pointed to, but not defined. */
const INCOMPLETE = 1;

/**
 * Makes BTF that C can say: types with names that are no identifiers of C, or keywords, are left out with all that
 * cannot be said without them, or are renamed; members stand in the order of their offsets, and numbers such as Rust's
 * `u64` have the names of C's. Ids stay. A split BTF's base is left as it is.
 *
 * @throws BtfEnvironmentError ERR_UNSUPPORTED for a kind unknown to us
 * @example
 * const builder = new BtfBuilder();
 * builder.struct("core::Option<u32>", { byteSize: 4 });
 * console.log(fitForC(builder.build()).omitted.length, fitForC(builder.build(), { names: true }).btf.nameAt(1)); // 1 core__Option_u32_
 */
export function fitForC(btf: Btf, { names = false }: FitOptions = {}): FitResult {
  const { image, firstId, size } = btf;
  checkKinds(image);
  const records = Array.from({ length: size - firstId }, (_, i) => recordOf(image, firstId + i));
  const draft = new Draft(btf.base);
  draft.strings.adopt(stringsOf(image).content);
  for (const record of records) respell(btf, record, draft);
  const renamed = names ? renameAll(btf, records, draft) : [];
  const omitted = names ? [] : omitAll(btf, records, renamed);
  const sorted = records.flatMap((record, i) => (sortMembers(record) ? [firstId + i] : []));
  for (const record of records) draft.addRecords(new Uint8Array(record.buffer), 1, 0);
  const bytes = assemble(draft.sections, 24, undefined, btf.endian);
  const made = btf.base ? btf.base.split(bytes) : Btf.parse(bytes);
  made.pointerSize = btf.pointerSize;
  return { btf: made, renamed, omitted, sorted };
}

/** Names of C's integer types are made of these words; the header has `bool`. */
const INT_WORDS = /^(?:(?:unsigned|signed|long|short|int|char|_Bool|__int128)\b ?)+$|^bool$|^__ARRAY_SIZE_TYPE__$/;
const FLOAT_WORDS =
  /^(?:(?:long|float|double|complex|_Complex|__float128|__float80|__ibm128|__bf16|_Float\d+x?)\b ?)+$/;
const INTS: Readonly<Record<number, string>> = { 1: "char", 2: "short", 4: "int", 8: "long long", 16: "__int128" };
/** BTF_INT_SIGNED and BTF_INT_BOOL. */
const SIGNED = 1;
const BOOL = 4;
const FLOATS: Readonly<Record<number, string>> = { 2: "_Float16", 4: "float", 8: "double", 16: "long double" };

/** Gives numbers of other languages, such as `u64` and `f32`, the names that they have in C. */
function respell({ image }: Btf, record: Uint32Array, draft: Draft): void {
  const [offset = 0, info = 0, byteSize = 0, data = 0] = record;
  const kind = kindOf(info);
  if (kind !== abi.KIND_INT && kind !== abi.KIND_FLOAT) return;
  const name = image.string(offset);
  if ((kind === abi.KIND_INT ? INT_WORDS : FLOAT_WORDS).test(name)) return;
  const encoding = data >>> abi.INT_ENCODING_SHIFT;
  let spelt = kind === abi.KIND_FLOAT ? FLOATS[byteSize] : encoding & BOOL ? "_Bool" : INTS[byteSize];
  if (spelt && kind === abi.KIND_INT && !(encoding & (SIGNED | BOOL))) spelt = `unsigned ${spelt}`;
  if (spelt) record[0] = draft.strings.add(spelt);
}

function renameAll(btf: Btf, records: readonly Uint32Array[], draft: Draft): number[] {
  return records.flatMap((record, i) => {
    const kind = kindOf(record[1]!);
    const element = ELEMENTS[kind];
    if (element === undefined && !NAMED.includes(kind)) return [];
    const before = record.join();
    const own = record[0]!;
    const taken = new Set<string>();
    const bare: number[] = [];
    for (let at = HEAD; at < record.length; at += element ?? Infinity) if (isBare(btf, record, at)) bare.push(at);
    const rename = (offset: number): number =>
      plain(offset === 0 ? "" : btf.image.string(offset), offset, taken, draft);
    rewriteRecords(record, 0, record.length, rename, (id) => id);
    for (const at of bare) record[at] = plain(`${(at - HEAD) / 3}`, 0, taken, draft);
    if (!NAMED.includes(kind)) record[0] = own;
    return record.join() === before ? [] : [btf.firstId + i];
  });
}

/** The offset of a name that C takes, and that no other of the same type has. */
function plain(name: string, offset: number, taken: Set<string>, draft: Draft): number {
  if (name === "") return offset;
  const whole = isForC(name) ? name : KEYWORDS.test(name) ? `${name}_` : identifier(name);
  let free = whole;
  for (let i = 2; free !== name && taken.has(free); i++) free = `${whole}_${i}`;
  taken.add(free);
  return free === name ? offset : draft.strings.add(free);
}

/** Whether a member has no name though its type is no struct or union: C takes it for no member at all. */
function isBare(btf: Btf, record: Uint32Array, at: number): boolean {
  if (!COMPOSITES.includes(kindOf(record[1]!)) || btf.image.string(record[at]!) !== "") return false;
  const type = skipModifiers(btf.get(record[at + 1]!)!, MODIFIERS);
  return type === undefined || !isComposite(type);
}

/** Puts something in place of what C cannot say; returns the ids. */
function omitAll(btf: Btf, records: Uint32Array[], renamed: number[]): number[] {
  const { firstId, image } = btf;
  const states = new Uint8Array(records.length);
  const queue: number[] = [];
  const mark = (i: number, state: number): void => {
    if (states[i]! >= state) return;
    states[i] = state;
    queue.push(i);
  };
  const isOdd = (offset: number): boolean =>
    offset !== 0 && image.string(offset) !== "" && !isForC(image.string(offset));
  const users = usersOf(records, firstId);
  records.forEach((record, i) => {
    const kind = kindOf(record[1]!);
    if (NAMED.includes(kind) && isOdd(record[0]!)) mark(i, UNNAMED);
    const step = ELEMENTS[kind];
    if (step === undefined) return;
    for (let at = HEAD; at < record.length; at += step) {
      if (!isOdd(record[at]!) && !isBare(btf, record, at)) continue;
      if (kind === abi.KIND_FUNC_PROTO) {
        // A parameter needs no name.
        record[at] = 0;
        if (renamed.at(-1) !== firstId + i) renamed.push(firstId + i);
      } else mark(i, COMPOSITES.includes(kind) && image.string(record[0]!) ? INCOMPLETE : UNNAMED);
    }
  });
  for (let i = queue.pop(); i !== undefined; i = queue.pop()) {
    const state = states[i]!;
    users.of(i, (user) => {
      const record = records[user]!;
      switch (kindOf(record[1]!)) {
        case abi.KIND_STRUCT:
        case abi.KIND_UNION:
          mark(user, image.string(record[0]!) ? INCOMPLETE : UNNAMED);
          break;
        case abi.KIND_ARRAY:
          mark(user, UNNAMED);
          break;
        case abi.KIND_PTR:
        case abi.KIND_FUNC_PROTO:
        case abi.KIND_FUNC:
          if (state === UNNAMED) mark(user, UNNAMED);
          break;
        default:
          mark(user, state);
      }
    });
  }
  const omitted: number[] = [];
  states.forEach((state, i) => {
    const [name = 0, info = 0] = records[i]!;
    const kind = kindOf(info);
    if (state === 0 || (state === INCOMPLETE && !COMPOSITES.includes(kind))) return;
    if (kind === abi.KIND_DATASEC || kind === abi.KIND_DECL_TAG) return;
    omitted.push(firstId + i);
    const isUnion = kind === abi.KIND_UNION ? KIND_FLAG : 0;
    records[i] =
      state === INCOMPLETE
        ? Uint32Array.of(name, (abi.KIND_FWD << abi.KIND_SHIFT) | isUnion, 0)
        : Uint32Array.of(0, abi.KIND_PTR << abi.KIND_SHIFT, 0);
  });
  return omitted;
}

/** Which own types refer to an own type: two passes over all references. */
function usersOf(
  records: readonly Uint32Array[],
  firstId: number,
): { of(i: number, use: (user: number) => void): void } {
  const starts = new Uint32Array(records.length + 1);
  const each = (visit: (user: number, to: number) => void): void =>
    records.forEach((record, user) =>
      visitIds(record, 0, (id) => {
        if (id >= firstId && id - firstId < records.length) visit(user, id - firstId);
      }),
    );
  each((_, to) => starts[to + 1]!++);
  for (let i = 0; i < records.length; i++) starts[i + 1]! += starts[i]!;
  const list = new Uint32Array(starts[records.length]!);
  const next = starts.slice();
  each((user, to) => {
    list[next[to]!++] = user;
  });
  return {
    of(i, use) {
      for (let at = starts[i]!; at < starts[i + 1]!; at++) use(list[at]!);
    },
  };
}

/** Puts a struct's members in the order of their offsets. Returns whether they were not. */
function sortMembers(record: Uint32Array): boolean {
  if (kindOf(record[1]!) !== abi.KIND_STRUCT) return false;
  const bits = record[1]! >>> 31 ? 0xffffff : 0xffffffff;
  const offsetAt = (at: number): number => (record[at + 2]! & bits) >>> 0;
  let isSorted = true;
  for (let at = HEAD + 3; at < record.length; at += 3) isSorted &&= offsetAt(at - 3) <= offsetAt(at);
  if (isSorted) return false;
  const places = Array.from({ length: (record.length - HEAD) / 3 }, (_, i) => HEAD + i * 3);
  places.sort((a, b) => offsetAt(a) - offsetAt(b));
  record.set(
    places.flatMap((at) => Array.from(record.slice(at, at + 3))),
    HEAD,
  );
  return true;
}
