/** Finds a member by a path as C would write it. */

import { ERR_PATH } from "../../errors/btf.js";
import { BtfLookupError } from "../../errors/error.js";
import type { Btf } from "../btf.js";
import { type Composite, isComposite } from "../traverse.js";
import type { BtfType, Member } from "../types.js";
import { nearest } from "./nearest.js";
import { resolve, sizeOf } from "./resolve.js";

/** A place inside a type. */
export interface Field {
  /** The path as it was asked for. */
  readonly path: string;
  /** The member's type, modifiers and typedefs kept. */
  readonly type: BtfType;
  /** In bits, from the start of the type, or of what the last pointer of `pointers` points to. */
  readonly bitOffset: number;
  /** In bits: the bitfield's width, or 8 × the size of the type; `undefined` for what has no size. */
  readonly bitSize: number | undefined;
  /** Width of a bitfield in bits, 0 for an ordinary member. */
  readonly bitfieldSize: number;
  /** In bytes; `undefined` for what has no size. */
  readonly byteSize: number | undefined;
  /** The bit offset of each pointer that the path follows, outermost first, each from where the one before points to. */
  readonly pointers: readonly number[];
}

/** Anonymous members that are searched inside one another. */
const NESTING = 64;

interface Found {
  readonly member: Member;
  readonly bitOffset: number;
}

/** The member called `name`, also inside anonymous structs and unions; each of these is looked into once. */
function memberOf(type: Composite, name: string, bitOffset = 0, seen = new Set<BtfType>()): Found | undefined {
  seen.add(type);
  for (const member of type.members) {
    const at = bitOffset + member.bitOffset;
    if (member.name === name) return { member, bitOffset: at };
    if (member.name || seen.size > NESTING) continue;
    const inner = resolve(member.type);
    if (!isComposite(inner) || seen.has(inner)) continue;
    const found = memberOf(inner, name, at, seen);
    if (found) return found;
  }
  return undefined;
}

function* memberNames(type: Composite, seen = new Set<BtfType>()): Generator<string> {
  seen.add(type);
  for (const member of type.members) {
    if (member.name) yield member.name;
    const inner = resolve(member.type);
    if (!member.name && seen.size <= NESTING && isComposite(inner) && !seen.has(inner)) {
      yield* memberNames(inner, seen);
    }
  }
}

const STEP = /^(?:\.|->)?([\p{L}_$][\p{L}\p{N}_$]*)|^\[(\d+)\]/u;

/**
 * The place of `path` in a type: `"comm"`, `"se.load.weight"`,
 * `"cpus_mask.bits[1]"`, and through pointers `"mm.pgd"` or `"mm->pgd"`. Looks
 * inside anonymous structs and unions as C does.
 *
 * @param of a type, or the name of a struct, union or typedef (the first that is one)
 * @throws BtfLookupError ERR_NOT_FOUND for the type, ERR_PATH for the path, naming the nearest members.
 * @example
 * const pid = fieldOf(btf, "task_struct", "pid");
 * console.log(pid.bitOffset / 8, pid.byteSize); // 2416 4
 * console.log(fieldOf(btf, "task_struct", "mm->pgd").pointers); // [ 18176 ]
 */
export function fieldOf(btf: Btf, of: BtfType | string, path: string): Field {
  const start = typeof of === "string" ? startOf(btf, of) : of;
  let type: BtfType = start;
  let bitOffset = 0;
  let bitfieldSize = 0;
  const pointers: number[] = [];
  const fail = (note: string, near: string[] = []): never => {
    throw new BtfLookupError(ERR_PATH, { name: path, note, nearest: near });
  };
  for (let rest = path; rest; ) {
    const step = STEP.exec(rest);
    if (!step) return fail(`cannot read "${rest}": a path is like a.b[3].c`);
    rest = rest.slice(step[0].length);
    let inner = resolve(type);
    const [, name, index] = step;
    if (name !== undefined) {
      if (inner.kind === "ptr") {
        pointers.push(bitOffset);
        bitOffset = 0;
        inner = resolve(inner.target);
      }
      if (!isComposite(inner)) return fail(`${describe(inner)} has no member "${name}"`);
      const found = memberOf(inner, name, bitOffset);
      if (!found) return fail(`${describe(inner)} has no member "${name}"`, nearest(name, memberNames(inner)));
      type = found.member.type;
      bitOffset = found.bitOffset;
      bitfieldSize = found.member.bitfieldSize;
    } else {
      if (inner.kind !== "array") return fail(`${describe(inner)} is no array`);
      const i = Number(index);
      if (inner.length !== 0 && i >= inner.length) return fail(`index ${i} of an array of ${inner.length}`);
      const byteSize = sizeOf(inner.element);
      if (byteSize === undefined) return fail(`the elements of ${describe(inner)} have no size`);
      type = inner.element;
      bitOffset += i * byteSize * 8;
      bitfieldSize = 0;
    }
  }
  const byteSize = sizeOf(type);
  const bitSize = bitfieldSize || (byteSize === undefined ? undefined : byteSize * 8);
  return { path, type, bitOffset, bitSize, bitfieldSize, byteSize, pointers };
}

function startOf(btf: Btf, name: string): BtfType {
  return (
    btf.find(name, "struct") ?? btf.find(name, "union") ?? btf.find(name, "typedef") ?? btf.require(name, "struct")
  );
}

function describe(type: BtfType): string {
  return type.name ? `${type.kind} ${type.name}` : `anonymous ${type.kind} [${type.id}]`;
}
