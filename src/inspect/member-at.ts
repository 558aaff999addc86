/** From an offset back to the members that lie there: the inverse of `fieldOf`. */

import { resolve, sizeOf } from "../btf/query/resolve.js";
import { type Composite, isComposite } from "../btf/traverse.js";
import type { BtfType, Member } from "../btf/types.js";
import { ERR_ARGUMENT, ERR_BTF_DEPTH, ERR_PATH } from "../errors/btf.js";
import { BtfError, BtfLimitError, BtfLookupError } from "../errors/error.js";

/** An offset in bits, for what does not start at a byte. */
export interface BitPlace {
  readonly bitOffset: number;
}

/** What lies at an offset, seen through one chain of members. */
export interface PlaceAt {
  /** As drgn writes it: `next`, `next+0x4`, `<padding between a and b>`, `<end padding>`, `<end>`, `<past end>`. */
  readonly text: string;
  /**
   * `member`: inside of a member. `empty`: a member without size starts here. `padding`: inside of a struct, but of no
   * member. `end`: right behind the last byte. `past`: beyond it.
   */
  readonly what: "member" | "empty" | "padding" | "end" | "past";
  /** The path to the innermost member or, for padding, to the struct that has it; `fieldOf` takes it. "" is the type itself. */
  readonly path: string;
  /** Type of what `path` leads to. */
  readonly type: BtfType;
  /** Where that starts, in bits from the start of the whole type. */
  readonly bitOffset: number;
  /** How many bits of it lie in front of the offset. */
  readonly bitsInto: number;
}

/** Structs inside one another that are followed. */
const NESTING = 64;
/** Chains of members that one offset may have. */
const PLACES = 4096;

/** A step on the way in. */
interface Step {
  readonly type: BtfType;
  readonly path: string;
  /** Of `type`, from the start of the whole. */
  readonly start: number;
  /** Still to go, from the start of `type`. */
  readonly bits: number;
  readonly depth: number;
}

/**
 * Returns what lies at an offset: in a struct one place, in a union one for each member that reaches there, in the order
 * of the declaration. Looks into arrays, nested and anonymous structs and unions, not through pointers. A flexible array
 * has no end. Members without size come last, as `empty`.
 *
 * @param of a struct, union or array, or a typedef of one
 * @param at an offset in bytes, or `{ bitOffset }`
 * @throws BtfLookupError ERR_PATH for a type without members or elements; BtfError ERR_ARGUMENT for an offset that
 *   is no natural number; BtfLimitError ERR_BTF_DEPTH for a type that is nested too deep
 * @example
 * const task = btf.require("task_struct", "struct");
 * console.log(memberAt(task, 2416)[0]?.path, memberAt(task, { bitOffset: 19336 })[0]?.text); // pid pid+0x1
 */
export function memberAt(of: BtfType, at: number | BitPlace): PlaceAt[] {
  const bits = typeof at === "number" ? at * 8 : at.bitOffset;
  if (!Number.isSafeInteger(bits) || bits < 0) {
    throw new BtfError(ERR_ARGUMENT, { note: `an offset is a natural number, not ${bits / 8} bytes` });
  }
  const type = resolve(of);
  if (!isComposite(type) && type.kind !== "array") {
    throw new BtfLookupError(ERR_PATH, { name: of.name || of.kind, note: `${type.kind} has no members` });
  }
  const found: PlaceAt[] = [];
  descend({ type, path: "", start: 0, bits, depth: 0 }, found);
  return [...found.filter(({ what }) => what !== "empty"), ...found.filter(({ what }) => what === "empty")];
}

/**
 * Returns what lies at an offset as drgn's `member_at_offset` words it: `folio or ent.val`.
 *
 * @param of as for `memberAt`
 * @param at as for `memberAt`
 * @throws as `memberAt`
 * @example
 * console.log(memberTextAt(btf.require("list_head", "struct"), 12)); // prev+0x4
 */
export function memberTextAt(of: BtfType, at: number | BitPlace): string {
  const places = memberAt(of, at);
  const solid = places.filter(({ what }) => what !== "empty");
  return (solid.length > 0 ? solid : places).map(({ text }) => text).join(" or ");
}

function descend(step: Step, found: PlaceAt[]): void {
  if (step.depth > NESTING) throw new BtfLimitError(ERR_BTF_DEPTH, { typeId: step.type.id, limit: NESTING });
  if (found.length >= PLACES) return;
  const type = resolve(step.type);
  if (type.kind === "array") intoArray(type, step, found);
  else if (isComposite(type)) intoComposite(type, step, found);
  else emit(step, found, "member", "");
}

function emit(step: Step, found: PlaceAt[], what: PlaceAt["what"], note: string): void {
  const { path, type, start, bits } = step;
  const into =
    what !== "member" || bits === 0 ? "" : bits % 8 === 0 ? `+0x${(bits / 8).toString(16)}` : `+${bits} bits`;
  // The end of an array is told behind it, that of a struct as a member of it.
  const joint = note && path && type.kind !== "array" ? "." : "";
  found.push({ text: `${path}${joint}${note}${into}`, what, path, type, bitOffset: start, bitsInto: bits });
}

function emitEnd(step: Step, found: PlaceAt[], bitSize: number): void {
  if (step.bits === bitSize) emit(step, found, "end", "<end>");
  else emit(step, found, "past", "<past end>");
}

function intoArray(type: Extract<BtfType, { kind: "array" }>, step: Step, found: PlaceAt[]): void {
  const bitSize = (sizeOf(type.element) ?? 0) * 8;
  const { path, start, bits, depth } = step;
  if (bitSize === 0) {
    // Elements without size all lie at the start.
    emit({ ...step, type }, found, bits === 0 ? "empty" : "past", bits === 0 ? "" : "<past end>");
    return;
  }
  const index = Math.floor(bits / bitSize);
  if (type.length > 0 && index >= type.length) {
    emitEnd({ ...step, type }, found, type.length * bitSize);
    return;
  }
  const skipped = index * bitSize;
  descend(
    { type: type.element, path: `${path}[${index}]`, start: start + skipped, bits: bits - skipped, depth: depth + 1 },
    found,
  );
}

/** Types that end in a flexible array, or do not, as far as they have been asked about. */
const endless = new WeakMap<BtfType, boolean>();

/** Tells whether a type is a flexible array or ends in one: a struct by its last member, a union by any. */
function isEndless(of: BtfType, depth = 0): boolean {
  const type = resolve(of);
  if (type.kind === "array") return type.length === 0 && (sizeOf(type.element) ?? 0) > 0;
  if (!isComposite(type) || depth > NESTING) return false;
  let known = endless.get(type);
  if (known === undefined) {
    const last = type.kind === "union" ? type.members : type.members.slice(-1);
    known = last.some((member) => isEndless(member.type, depth + 1));
    endless.set(type, known);
  }
  return known;
}

/** As `endless`, for types that end in a member without size. */
const emptyAtEnd = new WeakMap<BtfType, boolean>();

/** Tells whether the last bit of a struct or union is the place of a member without size. */
function endsEmpty(type: Composite, depth = 0): boolean {
  if (depth > NESTING) throw new BtfLimitError(ERR_BTF_DEPTH, { typeId: type.id, limit: NESTING });
  let known = emptyAtEnd.get(type);
  if (known === undefined) {
    known = type.members.some((member) => {
      const reach = reachOf(member, false);
      if (member.bitOffset + reach !== type.byteSize * 8) return false;
      const inner = resolve(member.type);
      return reach === 0 ? member.name !== "" : isComposite(inner) && endsEmpty(inner, depth + 1);
    });
    emptyAtEnd.set(type, known);
  }
  return known;
}

/** How far a member reaches, in bits; without end for what ends in a flexible array. */
function reachOf(member: Member, isLast: boolean): number {
  if (member.bitfieldSize > 0) return member.bitfieldSize;
  return isLast && isEndless(member.type) ? Infinity : (sizeOf(member.type) ?? 0) * 8;
}

function intoComposite(type: Composite, step: Step, found: PlaceAt[]): void {
  const { path, start, bits, depth } = step;
  const enter = (member: Member): void =>
    descend(
      {
        type: member.type,
        path: member.name ? (path ? `${path}.${member.name}` : member.name) : path,
        start: start + member.bitOffset,
        bits: bits - member.bitOffset,
        depth: depth + 1,
      },
      found,
    );
  let reached = false;
  const { members } = type;
  for (const [i, member] of members.entries()) {
    const isUnion = type.kind === "union";
    const reach = reachOf(member, isUnion || i === members.length - 1);
    if (reach === 0 && member.bitOffset === bits && member.name) {
      const name = path ? `${path}.${member.name}` : member.name;
      emit({ type: member.type, path: name, start: start + bits, bits: 0, depth }, found, "empty", "");
      continue;
    }
    if (reach > 0 && bits === member.bitOffset + reach) emitEmptyAtEnd(member, step, found);
    if ((reached && !isUnion) || member.bitOffset > bits || bits >= member.bitOffset + reach) continue;
    reached = true;
    enter(member);
  }
  if (reached) return;
  const bitSize = type.byteSize * 8;
  if (bits >= bitSize) emitEnd({ ...step, type }, found, bitSize);
  else emit({ ...step, type }, found, "padding", paddingText(members, bits));
}

/** Members without size at the very end of a member, such as the buffer of a kfifo: where the next member starts. */
function emitEmptyAtEnd(member: Member, step: Step, found: PlaceAt[]): void {
  const { start, bits, depth } = step;
  const type = resolve(member.type);
  if (!isComposite(type) || found.length >= PLACES || !endsEmpty(type)) return;
  const path = member.name ? (step.path ? `${step.path}.${member.name}` : member.name) : step.path;
  const inner = { type, path, start: start + member.bitOffset, bits: bits - member.bitOffset, depth: depth + 1 };
  for (const last of type.members) {
    const reach = reachOf(last, false);
    if (last.bitOffset + reach !== inner.bits) continue;
    if (reach > 0) emitEmptyAtEnd(last, inner, found);
    else if (last.name) {
      const name = path ? `${path}.${last.name}` : last.name;
      emit({ type: last.type, path: name, start: start + bits, bits: 0, depth }, found, "empty", "");
    }
  }
}

/** Between which members an offset lies that no member reaches. */
function paddingText(members: readonly Member[], bits: number): string {
  let before: Member | undefined;
  let behind: Member | undefined;
  for (const member of members) {
    if (member.bitOffset < bits) {
      if (!before || member.bitOffset > before.bitOffset) before = member;
    } else if (!behind || member.bitOffset < behind.bitOffset) behind = member;
  }
  if (!behind) return "<end padding>";
  if (!before) return "<padding at beginning>";
  return `<padding between ${before.name || "<unnamed>"} and ${behind.name || "<unnamed>"}>`;
}
