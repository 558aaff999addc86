/** `layout`: where the members of a struct or union lie, as data. */

import type { Btf } from "../../btf/btf.js";
import { resolve } from "../../btf/query/resolve.js";
import type { BtfType, Member, StructType, UnionType } from "../../btf/types.js";
import { ERR_ARGUMENT, ERR_BTF_DEPTH, ERR_BTF_LOOP, ERR_WORK } from "../../errors/btf.js";
import { BtfError, BtfFormatError, BtfLimitError, BtfLookupError } from "../../errors/error.js";
import { Declarators } from "./declarator.js";
import { CACHELINE_BYTES, type Composite, type Field, type Shape, Shapes } from "./shapes.js";
import type {
  InnerSpace,
  Layout,
  LayoutGap,
  LayoutMember,
  LayoutOptions,
  LayoutStatistics,
  MemberCategory,
} from "./types.js";

const DEPTH_LIMIT = 200;
/** The most members that a layout opens. */
const MEMBER_LIMIT = 1 << 20;

interface Known {
  readonly shapes: Shapes;
  readonly declarators: Declarators;
}

/** A Btf's shapes and texts, for each length of a cacheline that was asked for. */
const known = /* @__PURE__ */ new WeakMap<Btf, Map<number, Known>>();

function shapesOf(btf: Btf, cachelineBytes: number): Known {
  const ofBtf = known.get(btf) ?? new Map<number, Known>();
  known.set(btf, ofBtf);
  const found = ofBtf.get(cachelineBytes);
  if (found) return found;
  const shapes = new Shapes(btf, { cachelineBytes, compatible: false });
  const made = { shapes, declarators: new Declarators(shapes) };
  ofBtf.set(cachelineBytes, made);
  return made;
}

/** @throws BtfError ERR_ARGUMENT for anything but a power of two from 8 to 4096 */
export function checkCacheline(bytes: number): number {
  if (bytes >= 8 && bytes <= 4096 && Number.isInteger(Math.log2(bytes))) return bytes;
  throw new BtfError(ERR_ARGUMENT, { note: `a cacheline has a power of two from 8 to 4096 bytes, not ${bytes}` });
}

/** The struct or union that a type is, typedefs and qualifiers left out. */
export function compositeOf(type: BtfType): StructType | UnionType {
  const resolved = resolve(type);
  if (resolved.kind === "struct" || resolved.kind === "union") return resolved;
  const what = `${type.kind} ${type.name || `[${type.id}]`}`;
  const why = resolved.kind === "fwd" ? "is only declared here, not defined" : "is neither a struct nor a union";
  throw new BtfLookupError(ERR_ARGUMENT, { typeId: type.id, note: `${what} ${why}, and so has no layout` });
}

/**
 * Returns the layout of a struct or union: members with their offsets, holes,
 * padding, cachelines and sums. Typedefs and qualifiers are followed first.
 *
 * Holes, bit holes, padding, inferred alignment and packing follow the rules of
 * pahole 1.31, so that `statistics` and the text of `layoutText` agree.
 *
 * @throws BtfLookupError ERR_ARGUMENT for a type that has no layout, such as a
 *   forward declaration or a function; BtfError ERR_ARGUMENT for a cacheline that
 *   is no power of two; BtfFormatError ERR_BTF_LOOP, BtfLimitError ERR_BTF_DEPTH
 *   or ERR_WORK for a type that contains itself or opens into too many members
 * @example
 * const { byteSize, members, gaps } = layout(btf.require("file_system_type"));
 * console.log(byteSize, members[2]!.declaration, members[2]!.byteOffset); // 72 int (*init_fs_context)(struct fs_context *) 16
 * console.log(gaps[0]); // { kind: 'hole', bitOffset: 96, bitSize: 32, after: 1 }
 */
export function layout(
  type: BtfType,
  { cachelineBytes = CACHELINE_BYTES, expand = false }: LayoutOptions = {},
): Layout {
  const view = compositeOf(type);
  const { shapes, declarators } = shapesOf(type.btf, checkCacheline(cachelineBytes));
  return new Builder(shapes, declarators, expand).build(view, 0, false);
}

class Builder {
  readonly #shapes: Shapes;
  readonly #declarators: Declarators;
  readonly #expand: boolean;
  readonly #open = new Set<number>();
  #members = 0;

  constructor(shapes: Shapes, declarators: Declarators, expand: boolean) {
    this.#shapes = shapes;
    this.#declarators = declarators;
    this.#expand = expand;
  }

  /** @param isDisplaced its place shows that it is packed */
  build(type: StructType | UnionType, bitOffset: number, isDisplaced: boolean): Layout {
    if (this.#open.has(type.id)) throw new BtfFormatError(ERR_BTF_LOOP, { typeId: type.id });
    if (this.#open.size === DEPTH_LIMIT) {
      throw new BtfLimitError(ERR_BTF_DEPTH, { typeId: type.id, limit: DEPTH_LIMIT });
    }
    this.#open.add(type.id);
    const shape = this.#shapes.type(type.id)!;
    const composite = this.#shapes.composite(shape);
    this.#shapes.findHoles(composite);
    const isPacked = this.#shapes.inferPacked(composite, () => {}) || (isDisplaced && shape.isStruct);
    this.#members += composite.fields.length;
    if (this.#members > MEMBER_LIMIT) throw new BtfLimitError(ERR_WORK, { typeId: type.id });
    const views = type.members;
    const members = composite.fields.map((field, i) => this.#member(composite, field, views[i]!, bitOffset));
    this.#open.delete(type.id);
    return {
      type,
      kind: type.kind,
      name: type.name,
      bitOffset,
      byteSize: type.byteSize,
      alignment: this.#shapes.naturalAlignment(shape),
      forcedAlignment: isPacked ? 0 : composite.alignment,
      isPacked,
      cachelineBytes: this.#shapes.cachelineBytes,
      members,
      gaps: type.kind === "struct" ? gapsOf(composite, bitOffset) : [],
      statistics: this.#sums(composite),
    };
  }

  #member(of: Composite, field: Field, view: Member, start: number): LayoutMember {
    const shape = this.#shapes.type(field.typeId);
    const stripped = this.#shapes.strip(shape);
    const isComposite = stripped?.kind === "struct" || stripped?.kind === "union";
    const bitOffset = start + field.bitOffset;
    const byteOffset = start / 8 + field.byteOffset;
    let nested: Layout | undefined;
    if (stripped && isComposite && (stripped.name === "" || this.#expand)) {
      const natural = this.#shapes.naturalAlignment(stripped);
      const isDisplaced = (of.shape.isUnion ? of.size : field.byteOffset) % natural !== 0;
      nested = this.build(
        this.#shapes.btf.get(stripped.id) as StructType | UnionType,
        start + field.byteOffset * 8,
        isDisplaced,
      );
    }
    return {
      name: field.name,
      index: field.index,
      type: view.type,
      typeText: shape ? this.#text(shape, "") : "void",
      declaration: `${shape ? this.#text(shape, field.name) : "void"}${field.bitfieldBits ? `:${field.bitfieldBits}` : ""}`,
      category: field.bitfieldBits ? "bitfield" : categoryOf(stripped),
      bitOffset,
      bitSize: field.bitfieldBits || field.byteSize * 8,
      byteOffset,
      byteSize: field.byteSize,
      bitfieldBits: field.bitfieldBits,
      bitfieldOffset: field.bitfieldOffset,
      alignment: this.#shapes.naturalAlignment(stripped),
      forcedAlignment: field.alignment,
      isEmptyArray: stripped?.kind === "array" && field.byteSize === 0 && stripped.after(2) === 0,
      cacheline: Math.floor(byteOffset / this.#shapes.cachelineBytes),
      nested,
      inner: stripped?.isStruct ? this.#inner(stripped) : undefined,
    };
  }

  #text(shape: Shape, name: string): string {
    return this.#declarators.declare(shape, name);
  }

  #inner(shape: Shape): InnerSpace | undefined {
    const composite = this.#shapes.composite(shape);
    this.#shapes.findHoles(composite);
    const inner: InnerSpace = {
      holes: composite.holes,
      bitHoles: composite.bitHoles,
      paddingBytes: composite.padding,
      paddingBits: composite.bitPadding,
      endsInFlexibleArray: this.#shapes.endsInFlexibleArray(shape),
      embedsFlexibleArray: this.#shapes.embedsFlexibleArray(shape),
    };
    return Object.values(inner).some(Boolean) ? inner : undefined;
  }

  #sums(composite: Composite): LayoutStatistics {
    const { cachelineBytes } = this.#shapes;
    const { size, fields, preHole, preBitHole } = composite;
    const ordinary = fields.filter(({ bitfieldBits }) => bitfieldBits === 0);
    const isStruct = composite.shape.isStruct;
    return {
      members: fields.length,
      cachelines: Math.ceil(size / cachelineBytes),
      lastCachelineBytes: size % cachelineBytes,
      memberBytes: sum(ordinary, ({ byteSize }) => byteSize),
      bitfieldBits: sum(fields, ({ bitfieldBits }) => bitfieldBits),
      holes: composite.holes,
      holeBytes: Math.max(0, preHole) + sum(fields, ({ hole }) => Math.max(0, hole)),
      bitHoles: composite.bitHoles,
      holeBits: preBitHole + sum(fields, ({ bitHole }) => bitHole),
      paddingBytes: isStruct ? composite.padding : 0,
      paddingBits: composite.bitPadding,
      forcedAlignments: fields.filter(({ alignment }) => alignment !== 0).length,
    };
  }
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}

function categoryOf(shape: Shape | undefined): MemberCategory {
  switch (shape?.kind) {
    case "int":
      return (shape.after(0) >>> 24) & 4 ? "bool" : "integer";
    case "ptr":
      return "pointer";
    case "enum64":
      return "enum";
    case "float":
    case "enum":
    case "array":
    case "struct":
    case "union":
      return shape.kind;
    default:
      return "other";
  }
}

/** What no member occupies, in the order of offsets. */
function gapsOf({ fields, size }: Composite, start: number): LayoutGap[] {
  const gaps: LayoutGap[] = [];
  const inOrder = [...fields].sort((a, b) => a.bitOffset - b.bitOffset || a.index - b.index);
  let seen = 0;
  let after = -1;
  for (const { bitOffset, bitfieldBits, byteSize, index } of inOrder) {
    if (bitOffset > seen) gaps.push({ kind: "hole", bitOffset: start + seen, bitSize: bitOffset - seen, after });
    const end = bitOffset + (bitfieldBits || byteSize * 8);
    if (end >= seen) after = index;
    seen = Math.max(seen, end);
  }
  if (size * 8 > seen) gaps.push({ kind: "padding", bitOffset: start + seen, bitSize: size * 8 - seen, after });
  return gaps;
}
