/** Finds definitions by name, kind, size and members, over all kernels. */

import { isComposite } from "../../btf/traverse.js";
import type { BtfType } from "../../btf/types.js";
import { KINDS } from "../../format/generated/kinds.js";
import { RECORD_SHAPES } from "../../format/generated/records.js";
import { DEFINITION_KINDS, type DefinitionKind } from "../../inspect/diff/types.js";
import { leavesOf } from "../../inspect/leaves.js";
import { KIND_TYPEDEF } from "../../memory/generated/abi.js";
import { ByteReader } from "../bytes.js";
import type { Fragment } from "../definitions/fragment.js";
import { hasVlen } from "../definitions/fragment.js";
import { ANY_MACHINE, SmallBtf } from "../definitions/small-btf.js";

/** What is looked for; all that is given has to hold. */
export interface ArchiveQuery {
  /** A name, or what it has to match. */
  readonly name?: string | RegExp;
  readonly kind?: DefinitionKind;
  /** A member's name, or what it has to match; also of anonymous structs and unions inside. Of an enum, an enumerator's. */
  readonly member?: string | RegExp;
  /** Size in bytes, both ends included. */
  readonly byteSize?: { readonly least?: number; readonly most?: number };
  /** Only definitions that one of these kernels has, by id (default: all). */
  readonly kernels?: readonly string[];
  /** Stops between two blocks. */
  readonly signal?: AbortSignal;
}

/** A definition, and who has it. */
export interface FoundDefinition {
  readonly kind: DefinitionKind;
  readonly name: string;
  /** Of what has one. */
  readonly byteSize?: number;
  /** Ids of the kernels that have it, in their own image or in a module. */
  readonly kernels: readonly string[];
}

/** Kind and size of a definition, without reading the rest. */
export function headOf({ numbers }: Fragment, place: string): { kind: DefinitionKind; byteSize?: number } {
  const reader = new ByteReader(numbers, place);
  const number = reader.below(RECORD_SHAPES.length * 2) >> 1;
  if (hasVlen(number)) reader.varint();
  const text = KINDS[number] === "enum64" ? "enum" : KINDS[number];
  const kind = DEFINITION_KINDS.find((one) => one === text);
  if (!kind) throw reader.refuse(`kind ${number} is no definition`);
  if (number === KIND_TYPEDEF || kind === "func" || kind === "var") return { kind };
  return { kind, byteSize: reader.signed() >>> 0 };
}

/** Returns a test for a name. */
export function matcher(wanted: string | RegExp | undefined): (name: string) => boolean {
  if (wanted === undefined) return () => true;
  if (typeof wanted === "string") return (name) => name === wanted;
  // A global expression remembers where it was.
  const expression = new RegExp(wanted.source, wanted.flags.replace(/[gy]/g, ""));
  return (name) => expression.test(name);
}

/** Tells whether a definition has a member or enumerator that passes a test. */
export function hasMember(fragment: Fragment, test: (name: string) => boolean, place: string): boolean {
  const small = new SmallBtf(ANY_MACHINE);
  small.add(fragment, place);
  const found: BtfType = small.open().get(1)!;
  // A typedef has the members of the anonymous struct that it names.
  const type = found.kind === "typedef" && found.target.name === "" ? found.target : found;
  try {
    if (isComposite(type)) return leavesOf(type).some(({ name }) => name !== "" && test(name));
    return (type.kind === "enum" || type.kind === "enum64") && type.values.some(({ name }) => test(name));
  } finally {
    type.btf[Symbol.dispose]();
  }
}
