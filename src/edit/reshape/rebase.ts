/** A split Btf moved from its distilled base to a kernel's (libbpf's btf__relocate). */
import type { Btf } from "../../btf/btf.js";
import { isComposite, isModifier } from "../../btf/traverse.js";
import type { BtfType } from "../../btf/types.js";
import { ERR_REBASE_AMBIGUOUS, ERR_REBASE_BASE, ERR_REBASE_ENDIAN, ERR_REBASE_MISSING } from "../../errors/edit.js";
import { BtfError, BtfFormatError, BtfLookupError } from "../../errors/error.js";
import { assemble, frameOf, sectionsOf } from "../build/encode.js";
import { rewriteRecords, visitIds } from "../build/record.js";
import { type ProgressOptions, steps } from "../progress.js";
import { recordOf } from "./distill.js";

/** The split Btf on its new base. */
export interface RebaseResult {
  readonly btf: Btf;
  /** The new id of each old one; those of the distilled base are the new base's. */
  readonly map: Uint32Array;
}

/** Users that an error names. */
const NAMED_USERS = 3;

/**
 * Moves a split Btf to another base. Types of its distilled base (`distill`, a
 * module's `.BTF.base`) are looked up by name: numbers and enums by size too,
 * structs and unions by size where the new base has several of the name or the
 * split embeds them.
 *
 * Unlike libbpf a struct is no match for a union, and a forward declaration of
 * a struct is met by one with bitfields.
 *
 * @throws BtfFormatError ERR_REBASE_BASE for a base that is not distilled;
 *   BtfLookupError ERR_REBASE_MISSING for a type that the new base lacks, with
 *   the types that use it; ERR_REBASE_AMBIGUOUS for one that it has twice;
 *   BtfError ERR_REBASE_ENDIAN for another byte order; the reason of `signal`.
 *   Source: btf__relocate.
 * @example
 * const { btf: split } = distill(module);
 * const moved = rebase(split, btf).btf;
 * console.log(moved.base === btf, moved.size === module.size); // true true
 */
export function rebase(btf: Btf, onto: Btf, options: ProgressOptions = {}): RebaseResult {
  const { base, image } = btf;
  if (!base) throw new BtfFormatError(ERR_REBASE_BASE, { note: "it is not split" });
  if (base.endian !== onto.endian) throw new BtfError(ERR_REBASE_ENDIAN, { name: onto.endian });
  checkDistilled(base);
  const embedded = embeddedIn(btf, base);
  const map = new Uint32Array(btf.size);
  const names = new Map<number, number>();
  const step = steps(options, base.size - 1);
  for (let id = 1; id < base.size; id++) {
    step(id);
    const target = match(btf, base.get(id)!, onto, embedded.has(id));
    map[id] = target.id;
    names.set(recordOf(base.image, id)[0]!, recordOf(onto.image, target.id)[0]!);
  }
  for (let id = base.size; id < btf.size; id++) map[id] = id + onto.size - base.size;

  const distilledLength = image.stringsStart;
  const shift = onto.image.stringsStart + onto.header.stringsLength - distilledLength;
  const sections = sectionsOf(image);
  const words = new Uint32Array(sections.types.buffer);
  // A name of the distilled base that is no type's there: the new base may have it elsewhere, the split gets it anew.
  const missing = new Map<number, number>();
  let strings = sections.strings;
  const rename = (offset: number): number => {
    if (offset === 0) return 0;
    if (offset >= distilledLength) return offset + shift;
    const known = names.get(offset) ?? missing.get(offset);
    if (known !== undefined) return known;
    const text = new TextEncoder().encode(`${image.string(offset)}\0`);
    const at = distilledLength + shift + strings.length;
    const longer = new Uint8Array(strings.length + text.length);
    longer.set(strings);
    longer.set(text, strings.length);
    strings = longer;
    missing.set(offset, at);
    return at;
  };
  rewriteRecords(words, 0, words.length, rename, (id) => map[id]!);
  const headerLength = image.header.headerLength < 32 ? 24 : 32;
  const made = assemble(
    { ...frameOf(image), types: sections.types, strings },
    headerLength,
    sections.layout,
    btf.endian,
  );
  const moved = onto.split(made);
  moved.pointerSize = btf.pointerSize;
  return { btf: moved, map };
}

function checkDistilled(base: Btf): void {
  if (base.base) throw new BtfFormatError(ERR_REBASE_BASE, { note: "its base is split itself" });
  for (let id = 1; id < base.size; id++) {
    const kind = base.kindAt(id);
    if (!["int", "float", "enum", "struct", "union", "fwd"].includes(kind)) {
      throw new BtfFormatError(ERR_REBASE_BASE, {
        typeId: id,
        note: `its base has a ${kind.toUpperCase()}, type [${id}]`,
      });
    }
    if (base.nameAt(id) === "") {
      throw new BtfFormatError(ERR_REBASE_BASE, {
        typeId: id,
        note: `its base has an anonymous ${kind.toUpperCase()}, type [${id}]`,
      });
    }
  }
}

/** Structs and unions of the base that those of the split hold by value. */
function embeddedIn(btf: Btf, base: Btf): Set<number> {
  const found = new Set<number>();
  for (const kind of ["struct", "union"] as const) {
    for (const { members } of btf.ofKind(kind, { own: true })) {
      for (const { type } of members) {
        let at: BtfType = type;
        // A loop has been refused by no one yet.
        for (let steps = 0; steps < btf.size; steps++) {
          if (at.kind === "array") at = at.element;
          else if (isModifier(at)) at = at.target;
          else break;
        }
        if (isComposite(at) && at.id < base.size) found.add(at.id);
      }
    }
  }
  return found;
}

const sizeOf = (type: BtfType): number => ("byteSize" in type ? type.byteSize : 0);

/** Tells whether a type of the new base is the type that the distilled one stands for. */
function fits(distilled: BtfType, type: BtfType, isEmbedded: boolean): boolean {
  switch (distilled.kind) {
    case "fwd":
      return type.kind === distilled.forwardKind || (type.kind === "fwd" && type.forwardKind === distilled.forwardKind);
    case "int":
      return type.kind === "int" && type.encoding === distilled.encoding && type.byteSize === distilled.byteSize;
    case "float":
      return type.kind === "float" && type.byteSize === distilled.byteSize;
    case "enum":
      return (type.kind === "enum" || type.kind === "enum64") && type.byteSize === distilled.byteSize;
    default:
      return type.kind === distilled.kind && (!isEmbedded || sizeOf(type) === sizeOf(distilled));
  }
}

/** The one type of the new base that a distilled one stands for. */
function match(btf: Btf, distilled: BtfType, onto: Btf, isEmbedded: boolean): BtfType {
  const { id: typeId, name } = distilled;
  const named = onto.findAll(name);
  // Among several structs of a name the size decides.
  const composites = named.filter(isComposite);
  const fitting = named.filter((type) => {
    if (composites.length > 1 && isComposite(type) && sizeOf(type) !== sizeOf(distilled)) return false;
    return fits(distilled, type, isEmbedded);
  });
  // libbpf takes no struct with bitfields for a declared one: here it counts where nothing else fits.
  const plain =
    distilled.kind === "fwd" ? fitting.filter(({ kind, kindFlag }) => kind === "fwd" || !kindFlag) : fitting;
  const found = plain.length > 0 ? plain : fitting;
  if (found.length === 1) return found[0]!;
  const what = `${distilled.kind.toUpperCase()} "${name}"`;
  if (found.length > 1) {
    throw new BtfLookupError(ERR_REBASE_AMBIGUOUS, {
      typeId,
      name,
      note: `${what} is there as types ${found.map(({ id }) => `[${id}]`).join(" and ")}`,
    });
  }
  const near = named.map((type) => `${type.kind.toUpperCase()} [${type.id}] of ${sizeOf(type)} bytes`);
  const instead = near.length ? `, only ${near.join(", ")}` : "";
  const size = distilled.kind === "fwd" ? "" : ` of ${sizeOf(distilled)} bytes`;
  throw new BtfLookupError(ERR_REBASE_MISSING, {
    typeId,
    name,
    note: `${what}${size}${instead}; used by ${usersOf(btf, typeId)}`,
  });
}

/** The own types that refer to one, the first few. */
function usersOf(btf: Btf, typeId: number): string {
  const users: string[] = [];
  for (let id = btf.firstId; id < btf.size && users.length < NAMED_USERS; id++) {
    let uses = false;
    visitIds(recordOf(btf.image, id), 0, (to) => {
      uses ||= to === typeId;
    });
    if (uses) users.push(`${btf.kindAt(id).toUpperCase()} [${id}]${btf.nameAt(id) && ` "${btf.nameAt(id)}"`}`);
  }
  return users.join(", ") || "no type";
}
