/**
 * Writes types with their layout, as pahole does: members with offset and
 * size, cacheline boundaries, holes, and a summary.
 */

import { ERR_BTF_DEPTH, ERR_PIECE } from "../../errors/btf.js";
import { BtfLimitError } from "../../errors/error.js";
import { Declarators, padded, TYPEDEF_BUFFER } from "./declarator.js";
import type { Composite, Field, Shape, Shapes } from "./shapes.js";
import { Sink } from "./sink.js";

/** How a layout is written; names of pahole's options in brackets. */
export interface Style {
  /** Opens named types (-E). */
  readonly expand?: boolean;
  /** Offsets and sizes in hexadecimal (--hex). */
  readonly hex?: boolean;
  /** Offsets of members of members from the start of their own struct (-r). */
  readonly relative?: boolean;
  /** Neither offsets, comments nor summary (-q). */
  readonly quiet?: boolean;
  /** No inferred alignments (--suppress_aligned_attribute). */
  readonly noAligned?: boolean;
  /** No inferred packing (--suppress_packed). */
  readonly noPacked?: boolean;
  /** Names the first of the widest members (-l). */
  readonly widest?: boolean;
  /** Says that a type comes from this file (-I). */
  readonly usedAt?: string;
}

/** Columns of a type and of a name. */
const TYPE_COLUMN = 26;
const NAME_COLUMN = 23;
const UNION_NAME_COLUMN = 21;
const EXPANDED_NAME_COLUMN = 55;
/** How much less room a type has in a definition within another. */
const NESTED_COLUMN = 8;
/** The deepest indent. */
const TABS = /* @__PURE__ */ Array.from({ length: 17 }, (_, depth) => "\t".repeat(depth));
const DEPTH_LIMIT = 200;
/** The most that one type may take, in characters: a hostile one grows without end. */
const LENGTH_LIMIT = 32 << 20;
/** The buffer that pahole writes the name of a pointer to a definition into, in bytes. */
const POINTER_NAME_BUFFER = 257;

/** What a definition takes over from the one around it. */
interface Scope {
  readonly indent: number;
  readonly typeColumn: number;
  readonly nameColumn: number;
  /** Offset of the definition in the outermost type, in bytes. */
  readonly base: number;
  readonly isRelative: boolean;
  readonly hasSummary: boolean;
  readonly prefix: string | undefined;
  readonly suffix: string | undefined;
  /** Within a union, at any depth. */
  readonly inUnion: boolean;
  /** The member that the definition belongs to is the first or last of its struct. */
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

/** What the types of a struct's members hold. */
interface InnerTotals {
  paddings: number;
  paddingBytes: number;
  bitPaddings: number;
  paddingBits: number;
  withHoles: number;
  holes: number;
  withBitHoles: number;
  bitHoles: number;
  flexible: number;
  embedded: number;
}

const plural = (count: number): string => (count === 1 ? "" : "s");

export class LayoutPrinter {
  readonly shapes: Shapes;
  readonly #declarators: Declarators;
  readonly #style: Style;
  readonly #sink = new Sink();
  /** Where the type at hand starts. */
  #start = 0;
  /** The last cacheline that a boundary was written for. */
  #cacheline = 0;
  #depth = 0;

  constructor(shapes: Shapes, style: Style = {}) {
    this.shapes = shapes;
    this.#declarators = new Declarators(shapes);
    this.#style = style;
  }

  /**
   * The definition of a type with its layout, closed by a semicolon.
   *
   * @param alias the typedef that an anonymous struct or union is known by
   * @param composite another order of the type's members
   */
  print(shape: Shape, alias?: string, composite?: Composite): string {
    const start = this.#sink.length;
    try {
      this.write(shape, alias, composite);
      return this.#sink.takeText(start);
    } finally {
      this.#sink.length = start;
    }
  }

  /** How many bytes `write` has written that were not taken. */
  get written(): number {
    return this.#sink.length;
  }

  /** The bytes that `write` has written. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#sink.take();
  }

  /** A piece of text between two definitions. */
  add(text: string): void {
    this.#sink.text(text);
  }

  /** As `print`, for `take`. */
  write(shape: Shape, alias?: string, composite?: Composite): void {
    const { expand = false, relative = false, quiet = false, usedAt } = this.#style;
    this.#start = this.#sink.length;
    this.#cacheline = 0;
    if (usedAt !== undefined) this.#put(`/* Used at: ${usedAt} */\n/* <0> (null):0 */\n`);
    const scope: Scope = {
      indent: 0,
      typeColumn: TYPE_COLUMN,
      nameColumn: expand ? EXPANDED_NAME_COLUMN : shape.isUnion ? UNION_NAME_COLUMN : NAME_COLUMN,
      base: 0,
      isRelative: relative,
      hasSummary: !quiet,
      prefix: alias === undefined ? undefined : "typedef",
      suffix: alias,
      inUnion: false,
      isFirst: false,
      isLast: false,
    };
    if (shape.kind === "typedef") this.#typedef(shape, scope);
    else if (shape.isEnum) this.#enum(shape, scope);
    else if (shape.isUnion) this.#union(composite ?? this.shapes.composite(shape), scope);
    else this.#struct(composite ?? this.shapes.composite(shape), scope);
    this.#put(";");
  }

  #put(text: string): void {
    this.#sink.text(text);
  }

  #marksPacked = (inner: Composite): void => {
    inner.packed = true;
    inner.packedKnown = true;
  };

  /** Bytes of holes and the like in a struct, `packed` inferred. */
  #examine(composite: Composite): void {
    this.shapes.findHoles(composite);
    this.shapes.inferPacked(composite, this.#marksPacked);
  }

  #typedef(shape: Shape, scope: Scope): void {
    const { name } = shape;
    this.#put("typedef ");
    const type = this.shapes.target(shape);
    if (!type) {
      this.#put(shape.word === 0 ? `void ${name}` : `<ERROR> ${name}`);
      return;
    }
    if (!this.shapes.compatible && this.#declarators.isMisprinted(type)) {
      this.#type(type, name, scope, 0);
      return;
    }
    switch (type.kind) {
      case "array":
        this.#array(type, name, scope, scope.typeColumn);
        return;
      case "ptr": {
        const pointee = this.shapes.target(type);
        if (pointee?.kind === "func_proto") {
          const { before, after } = this.#declarators.of(type, 0);
          this.#put(`${before}${name}${after}`);
          return;
        }
        break;
      }
      case "func_proto": {
        const { before, after } = this.#declarators.of(type, 0);
        this.#put(`${before}${name}${after}`);
        return;
      }
      case "struct":
      case "union":
      case "fwd":
        if (type.name !== "" && !this.#style.expand) {
          if (type.isUnion) this.#put(`union ${padded(type.name, scope.typeColumn - 6)} ${name}`);
          else this.#put(`struct ${type.name} ${name}`);
        } else {
          this.#definition(type, { ...scope, suffix: name }, scope.typeColumn);
        }
        return;
      case "enum":
      case "enum64":
        if (type.name !== "") this.#put(`enum ${type.name} ${name}`);
        else this.#enum(type, { ...scope, suffix: name });
        return;
    }
    this.#put(`${this.#declarators.name(type, TYPEDEF_BUFFER)} ${name}`);
  }

  #enum(shape: Shape, { indent, suffix }: Scope): void {
    const tabs = TABS[Math.min(indent, 16)]!;
    this.#put(`enum${shape.name && ` ${shape.name}`}`);
    const { vlen, image, record } = shape;
    if (vlen === 0) return;
    const isWide = shape.kind === "enum64";
    const isSigned = shape.kindFlag === 1;
    const step = isWide ? 12 : 8;
    const names: string[] = [];
    let width = 0;
    for (let i = 0; i < vlen; i++) {
      const name = this.shapes.name(image, image.view.getUint32(record + 12 + i * step, true));
      width = Math.max(width, name.length);
      names.push(name);
    }
    const lines: string[] = [];
    for (let i = 0; i < vlen; i++) {
      const at = record + 12 + i * step + 4;
      const { view } = image;
      let value: number | bigint = isSigned ? view.getInt32(at, true) : view.getUint32(at, true);
      if (isWide) {
        const bits = (BigInt(view.getUint32(at + 4, true)) << 32n) | BigInt(view.getUint32(at, true));
        value = isSigned ? BigInt.asIntN(64, bits) : bits;
      }
      const text = this.#style.hex ? hex(value < 0 ? BigInt.asUintN(64, BigInt(value)) : value) : value;
      lines.push(`${tabs}\t${names[i]!.padEnd(width)} = ${text},\n`);
    }
    this.#put(` {\n${lines.join("")}${tabs}}`);
    if (this.shapes.sizeOf(shape) !== 4) this.#put(" __attribute__((__packed__))");
    if (suffix !== undefined) this.#put(` ${suffix}`);
  }

  /** The definition of a struct, union or enum within another. */
  #definition(shape: Shape, scope: Scope, column: number): void {
    if (this.#depth === DEPTH_LIMIT) throw new BtfLimitError(ERR_BTF_DEPTH, { typeId: shape.id, limit: DEPTH_LIMIT });
    this.#depth++;
    try {
      const inner: Scope = { ...scope, typeColumn: column - NESTED_COLUMN };
      if (shape.isEnum) this.#enum(shape, scope);
      else if (shape.isUnion) this.#union(this.shapes.composite(shape), inner);
      else this.#struct(this.shapes.composite(shape), inner);
    } finally {
      this.#depth--;
    }
    if (this.#sink.length - this.#start > LENGTH_LIMIT)
      throw new BtfLimitError(ERR_PIECE, { typeId: shape.id, limit: LENGTH_LIMIT });
  }

  /** Appends a type and the name of what has it; `undefined` where a definition's name follows by itself. */
  #type(type: Shape, name: string | undefined, scope: Scope, column: number): void {
    const { expand = false } = this.#style;
    let at = type;
    if (!this.shapes.compatible && this.#declarators.isMisprinted(type)) {
      this.#exactType(type, name ?? "", scope, column);
      return;
    }
    if (expand && at.kind === "typedef") {
      this.#put("/* typedef ");
      for (let depth = 0; at.kind === "typedef"; depth++) {
        if (depth === DEPTH_LIMIT) throw new BtfLimitError(ERR_BTF_DEPTH, { typeId: type.id, limit: DEPTH_LIMIT });
        this.#put(`${depth ? " -> " : ""}${at.name}`);
        const next = this.shapes.target(at);
        if (!next) {
          this.#put(`${padded("<ERROR", column)}> ${name ?? "(null)"}`);
          return;
        }
        at = next;
      }
      this.#put(" */ ");
    }
    let inner = scope;
    if (at.isDefinition) inner = { ...scope, prefix: undefined, suffix: name, hasSummary: false };
    let room = column;
    for (let depth = 0; depth < DEPTH_LIMIT; depth++) {
      switch (at.kind) {
        case "const": {
          const target = this.shapes.target(at);
          if (!target) break;
          this.#put("const ");
          room -= 6;
          at = target;
          continue;
        }
        case "type_tag": {
          const target = this.shapes.target(at);
          if (!target) break;
          at = target;
          continue;
        }
        case "ptr": {
          const { definition } = this.#declarators.of(at, room);
          if (!definition) break;
          const label = `* ${name ?? "(null)"}`.slice(0, POINTER_NAME_BUFFER);
          inner = { ...inner, prefix: undefined, suffix: label, hasSummary: false, isRelative: true };
          room -= NESTED_COLUMN;
          at = definition;
          continue;
        }
        case "array":
          this.#array(at, name, inner, room);
          return;
        case "struct":
        case "union":
        case "fwd":
        case "enum":
        case "enum64":
          if (at.name !== "" && !expand) break;
          // A union takes the name that it is given, whatever stands around.
          this.#definition(at, at.isUnion ? { ...inner, suffix: inner.suffix ?? name } : inner, room);
          return;
      }
      break;
    }
    const { before, after, unnamed } = this.#declarators.of(at, room);
    this.#put(`${before}${name ?? unnamed}${after}`);
  }

  #array(shape: Shape, name: string | undefined, scope: Scope, column: number): void {
    let element = this.shapes.target(shape);
    const length = shape.after(2);
    if (length === 0 && element?.kind === "const") element = this.shapes.target(element);
    if (this.#depth === DEPTH_LIMIT) throw new BtfLimitError(ERR_BTF_DEPTH, { typeId: shape.id, limit: DEPTH_LIMIT });
    this.#depth++;
    try {
      if (element) this.#type(element, name, scope, column);
      else this.#put(`${padded("<ERROR", column)}> ${name ?? "(null)"}`);
    } finally {
      this.#depth--;
    }
    this.#put(length === 0 && isOpenEnded(scope) ? "[]" : `[${length}]`);
  }

  /** A type that pahole misprints, as C has it. */
  #exactType(type: Shape, name: string, scope: Scope, column: number): void {
    const { before, after, afterLast, definition, around } = this.#declarators.of(type, column);
    const end = isOpenEnded(scope) ? afterLast : after;
    if (!definition || !around) {
      this.#put(`${before}${name}${end}`);
      return;
    }
    const isPointer = around.stars !== "" || around.before !== "";
    this.#put(around.qualifiers);
    const suffix = `${around.stars && `${around.stars} `}${around.before}${name}${end}`;
    this.#definition(
      definition,
      {
        ...scope,
        prefix: undefined,
        suffix: suffix || undefined,
        hasSummary: false,
        isRelative: scope.isRelative || isPointer,
      },
      column,
    );
  }

  #number(value: number, width: number): void {
    if (this.#style.hex) this.#sink.text(hex(value >>> 0).padStart(width));
    else this.#sink.number(value >>> 0, width);
  }

  #boundary(offset: number, tabs: string): void {
    const { cachelineBytes } = this.shapes;
    const cacheline = Math.floor(offset / cachelineBytes);
    if (cacheline <= this.#cacheline) return;
    const ago = offset % cachelineBytes;
    const passed = ago ? ` was ${ago} byte${plural(ago)} ago` : "";
    this.#put(`/* --- cacheline ${cacheline} boundary (${offset - ago} bytes)${passed} --- */\n${tabs}`);
    this.#cacheline = cacheline;
  }

  #member(field: Field, type: Shape, scope: Scope, isUnion: boolean, tabs: string): void {
    const { quiet = false, expand = false, noAligned = false } = this.#style;
    const { bitfieldBits, nameOffset } = field;
    let { byteOffset: offset } = field;
    let { base } = scope;
    if (!scope.isRelative) {
      offset += base;
      if (!isUnion) base = offset;
    }
    if (!quiet) this.#boundary(offset, tabs);
    const sink = this.#sink;
    const start = sink.length;
    const column = scope.typeColumn;
    const declarator = this.#declarators.of(type, column);
    const isDefinition = type.isDefinition;
    if (expand || declarator.definition) {
      const inner = { ...scope, base };
      const { name } = field;
      if (isDefinition) {
        this.#type(type, undefined, inner, column);
        if (name) this.#put(type.name === "" || expand ? ` ${name}` : name);
      } else {
        this.#type(type, name || undefined, inner, column);
      }
    } else {
      sink.bytes(declarator.beforeBytes);
      if (nameOffset === 0 || !sink.name(field.image, nameOffset)) sink.text(declarator.unnamed);
      const { after, afterLast } = declarator;
      if (after !== "") sink.text(after === afterLast || !isOpenEnded(scope) ? after : afterLast);
    }
    if (bitfieldBits !== 0) {
      sink.text(":");
      sink.number(bitfieldBits, 0);
    }
    let aligned = "";
    if (!noAligned && field.alignment !== 0) {
      aligned = ` __attribute__((__aligned__(${field.alignment})))`;
      sink.text(aligned);
    }
    sink.text(";");
    if (quiet) return;
    let spacing = column + scope.nameColumn - (sink.length - start);
    if ((isDefinition && type.name === "") || (declarator.definition && declarator.around)) {
      const { name } = field;
      let taken = aligned.length + (name ? byteLength(name) : -1);
      if (type.isStruct && this.shapes.composite(type).packed && !this.#style.noPacked) {
        taken += "__attribute__((__packed__))".length + 1;
      }
      // A negative width pads as a positive one does.
      spacing = Math.abs(column + scope.nameColumn - taken - 3);
    }
    sink.spaces(spacing > 1 ? spacing : 1);
    sink.text("/* ");
    this.#number(offset, 5);
    if (bitfieldBits !== 0) {
      sink.text(":");
      this.#number(field.bitfieldOffset, 2);
      sink.text(" ");
      this.#number(field.byteSize, 2);
    } else {
      sink.text(" ");
      this.#number(field.byteSize, 5);
    }
    sink.text(" */");
  }

  #union(composite: Composite, scope: Scope): void {
    const { shape } = composite;
    const indent = Math.min(scope.indent, 16);
    const inner: Scope = { ...scope, indent: indent + 1, inUnion: true };
    const tabs = TABS[Math.min(indent + 1, 16)]!;
    if (scope.prefix !== undefined) this.#put(`${scope.prefix} `);
    this.#put(`union${shape.name && ` ${shape.name}`} {\n`);
    this.shapes.inferPackedInUnion(composite, this.#marksPacked);
    // Each member starts over from the same line.
    const cacheline = this.#cacheline;
    for (const field of composite.fields) {
      const type = this.shapes.type(field.typeId);
      this.#put(tabs);
      if (!type) {
        this.#put(`<ERROR: ${field.typeId} not found!>\n`);
        continue;
      }
      this.#member(field, type, inner, true, tabs);
      this.#put("\n");
      this.#cacheline = cacheline;
    }
    this.#put(`${TABS[indent]}}${scope.suffix === undefined ? "" : ` ${scope.suffix}`}`);
  }

  #struct(composite: Composite, scope: Scope): void {
    const { quiet = false, noAligned = false, noPacked = false } = this.#style;
    const { shape, fields } = composite;
    const indent = Math.min(scope.indent, 16);
    const inner: { -readonly [K in keyof Scope]: Scope[K] } = { ...scope, indent: indent + 1 };
    const tabs = TABS[Math.min(indent + 1, 16)]!;
    this.#put(`${scope.prefix === undefined ? "" : `${scope.prefix} `}struct${shape.name && ` ${shape.name}`} {\n`);
    this.#examine(composite);

    let sumHoles = 0;
    let sumBitHoles = 0;
    let sumBytes = 0;
    let sumBits = 0;
    let forced = 0;
    let forcedHoles = 0;
    let sumForcedHoles = 0;
    const totals: InnerTotals = {
      paddings: 0,
      paddingBytes: 0,
      bitPaddings: 0,
      paddingBits: 0,
      withHoles: 0,
      holes: 0,
      withBitHoles: 0,
      bitHoles: 0,
      flexible: 0,
      embedded: 0,
    };
    // A comment was written, and a blank line is due before the next member.
    let isBlankDue = false;
    const { preHole, preBitHole } = composite;
    if (!quiet && (preBitHole > 0 || preHole > 0)) {
      this.#put("\n");
      isBlankDue = true;
      if (preBitHole > 0) this.#put(`${tabs}/* XXX ${preBitHole} bit${plural(preBitHole)} hole, try to pack */\n`);
      if (preHole > 0) this.#put(`${tabs}/* XXX ${preHole} byte${plural(preHole)} hole, try to pack */\n`);
      sumBitHoles += preBitHole;
      sumHoles += preHole;
    }

    let last: Field | undefined;
    let lastSize = 0;
    const end = fields.length - 1;
    for (let i = 0; i <= end; i++) {
      const field = fields[i]!;
      const type = this.shapes.type(field.typeId);
      if (!noAligned && field.alignment !== 0) {
        const hole = last ? last.hole : preHole;
        if (hole !== 0) {
          forcedHoles++;
          sumForcedHoles += hole;
        }
        forced++;
      }
      if (last && lastSize !== 0) {
        if (last.bitHole !== 0 && field.bitfieldBits && type) {
          let bits = last.bitHole;
          if (last.byteOffset !== field.byteOffset) {
            this.#put(`\n${tabs}/* Force alignment to the next boundary: */\n`);
            bits = 0;
          }
          this.#put(tabs);
          this.#type(type, "", inner, inner.typeColumn);
          this.#put(`:${bits};\n`);
        }
        const moved = field.byteOffset - last.byteOffset;
        let combined = "";
        if (moved < 0 || (moved === 0 && last.bitfieldBits === 0 && field.bitfieldBits !== 0)) combined = "previous";
        else if (moved > 0 && moved < lastSize) combined = "next";
        if (combined && !quiet) {
          this.#put(`${isBlankDue ? "" : "\n"}${tabs}/* Bitfield combined with ${combined} fields */\n`);
          isBlankDue = true;
        }
      }
      if (isBlankDue) {
        this.#put("\n");
        isBlankDue = false;
      }
      this.#put(tabs);
      if (!type) {
        this.#put(`<ERROR: ${field.typeId} not found!>\n`);
        last = field;
        continue;
      }
      inner.isLast = i === end;
      inner.isFirst = last === undefined;
      this.#member(field, type, inner, false, tabs);
      if (!quiet) {
        if (type.isStruct) isBlankDue = this.#innerSpace(this.shapes.composite(type), totals, tabs);
        if (field.bitHole !== 0) {
          this.#put(
            `${isBlankDue ? "" : "\n"}\n${tabs}/* XXX ${field.bitHole} bit${plural(field.bitHole)} hole, try to pack */`,
          );
          isBlankDue = true;
          sumBitHoles += field.bitHole;
        }
        if (field.hole > 0) {
          this.#put(
            `${isBlankDue ? "" : "\n"}\n${tabs}/* XXX ${field.hole} byte${plural(field.hole)} hole, try to pack */`,
          );
          isBlankDue = true;
          sumHoles += field.hole;
        }
      }
      this.#put("\n");
      if (field.bitfieldBits) sumBits += field.bitfieldBits;
      else sumBytes += field.byteSize;
      if (
        !last ||
        lastSize === 0 ||
        last.byteOffset !== field.byteOffset ||
        (last.bitfieldBits === 0 && field.bitfieldBits !== 0)
      ) {
        lastSize = field.byteSize;
      }
      last = field;
    }

    if (scope.hasSummary) {
      const { cachelineBytes } = this.shapes;
      const { size, padding, bitPadding } = composite;
      const counted = size === 1 && fields.length === 0 ? 0 : size;
      const cachelines = Math.floor((counted + cachelineBytes - 1) / cachelineBytes);
      let text = `\n${tabs}/* size: ${size | 0}, cachelines: ${cachelines}, members: ${fields.length} */\n`;
      const add = (what: string): void => {
        text += `${tabs}/* ${what} */\n`;
      };
      if (sumHoles > 0 || sumBitHoles > 0) {
        if (sumBytes > 0) {
          const holes = sumHoles > 0 ? `, holes: ${composite.holes}, sum holes: ${sumHoles}` : "";
          add(`sum members: ${sumBytes >>> 0}${holes}`);
        }
        if (sumBits > 0) {
          const holes =
            sumBitHoles > 0
              ? `, bit holes: ${composite.bitHoles}, sum bit holes: ${sumBitHoles} bits`
              : ` (${Math.floor(sumBits / 8)} bytes)`;
          add(`sum bitfield members: ${sumBits} bits${holes}`);
        }
      }
      if (padding > 0) add(`padding: ${padding}`);
      if (totals.withHoles || totals.withBitHoles || totals.bitPaddings) {
        const parts: string[] = [];
        if (totals.withHoles) parts.push(`holes: ${totals.withHoles}, total: ${totals.holes}`);
        if (totals.withBitHoles) parts.push(`bit holes: ${totals.withBitHoles}, total: ${totals.bitHoles}`);
        if (totals.bitPaddings) {
          const bits = `${totals.paddingBits} bit${totals.paddingBits > 1 ? "s" : ""}`;
          parts.push(`bit paddings: ${totals.bitPaddings}, total: ${bits}`);
        }
        add(`member types with ${parts.join(", ")}`);
      }
      if (totals.paddings) add(`paddings: ${totals.paddings}, sum paddings: ${totals.paddingBytes}`);
      if (bitPadding > 0) add(`bit_padding: ${bitPadding} bits`);
      if (forced) {
        const holes = forcedHoles ? `, forced holes: ${forcedHoles}, sum forced holes: ${sumForcedHoles >>> 0}` : "";
        add(`forced alignments: ${forced}${holes}`);
      }
      if (totals.flexible || totals.embedded) {
        const parts: string[] = [];
        if (totals.flexible) parts.push(`end: ${totals.flexible}`);
        if (totals.embedded) parts.push(`middle: ${totals.embedded}`);
        add(`flexible array members: ${parts.join(", ")}`);
      }
      const lastLine = (scope.base + size) % cachelineBytes;
      if (lastLine !== 0) add(`last cacheline: ${lastLine} bytes`);
      if (this.#style.widest && fields.length > 0) {
        const widest = this.#widest(shape);
        if (widest) {
          const { name, byteOffset, byteSize } = widest;
          add(`first biggest size base type member: ${name || "(null)"} ${byteOffset} ${byteSize}`);
        }
      }
      const rest = (size * 8 - (sumBytes * 8 + sumBits + sumHoles * 8 + sumBitHoles + padding * 8 + bitPadding)) | 0;
      if (rest && fields.length > 0) {
        const sums = `${sumBytes >>> 0} (member bytes) + ${sumBits} (member bits) + ${sumHoles} (byte holes) + ${sumBitHoles} (bit holes)`;
        text += `\n${tabs}/* BRAIN FART ALERT! ${size | 0} bytes != ${sums}, diff = ${rest} bits */\n`;
      }
      this.#put(text);
    }

    this.#put(`${TABS[indent]}}`);
    if (composite.packed && !noPacked) this.#put(" __attribute__((__packed__))");
    if (scope.suffix !== undefined) this.#put(` ${scope.suffix}`);
    if (!noAligned && composite.alignment !== 0 && !composite.packed) {
      this.#put(` __attribute__((__aligned__(${composite.alignment})))`);
    }
  }

  /** Says what is free within a member's struct, and whether there is anything to say. */
  #innerSpace(composite: Composite, totals: InnerTotals, tabs: string): boolean {
    this.#examine(composite);
    const { padding, bitPadding, holes, bitHoles, shape } = composite;
    const isFlexible = this.shapes.endsInFlexibleArray(shape);
    const isEmbedding = this.shapes.embedsFlexibleArray(shape);
    if (!padding && !bitPadding && !holes && !bitHoles && !isFlexible && !isEmbedding) return false;
    const parts: string[] = [];
    if (isFlexible) {
      parts.push(" a flexible array");
      totals.flexible++;
    }
    if (isEmbedding) {
      parts.push(" embedded flexible array(s)");
      totals.embedded++;
    }
    if (padding) {
      parts.push(` ${padding} byte${plural(padding)} of padding`);
      totals.paddings++;
      totals.paddingBytes += padding;
    }
    if (bitPadding) {
      parts.push(` ${bitPadding} bit${plural(bitPadding)} of padding`);
      totals.bitPaddings++;
      totals.paddingBits += bitPadding;
    }
    if (holes) {
      parts.push(` ${holes} hole${plural(holes)}`);
      totals.withHoles++;
      totals.holes += holes;
    }
    if (bitHoles) {
      parts.push(` ${bitHoles} bit hole${plural(bitHoles)}`);
      totals.withBitHoles++;
      totals.bitHoles += bitHoles;
    }
    this.#put(`\n\n${tabs}/* XXX last struct has${parts.join(",")} */`);
    return true;
  }

  /** The first of the widest scalar members, looked for in members of members too. */
  #widest(shape: Shape): Field | undefined {
    if (this.#depth === DEPTH_LIMIT) throw new BtfLimitError(ERR_BTF_DEPTH, { typeId: shape.id, limit: DEPTH_LIMIT });
    this.#depth++;
    try {
      return this.#searchWidest(shape);
    } finally {
      this.#depth--;
    }
  }

  #searchWidest(shape: Shape): Field | undefined {
    const { pointerSize } = this.shapes;
    let widest: Field | undefined;
    let widestSize = 0;
    for (const field of this.shapes.composite(shape).fields) {
      let type = this.shapes.type(field.typeId);
      for (let depth = 0; type && depth < DEPTH_LIMIT; depth++) {
        if (!["array", "const", "typedef", "volatile"].includes(type.kind)) break;
        type = this.shapes.target(type);
      }
      if (!type) continue;
      let size = 0;
      let inner: Field | undefined;
      if (type.kind === "int" || type.kind === "float" || type.kind === "ptr" || type.isEnum) {
        size = this.shapes.sizeOf(type);
      } else if (type.isStruct || type.isUnion) {
        if (this.shapes.composite(type).fields.length === 0) continue;
        inner = this.#widest(type);
        size = inner?.byteSize ?? 0;
      }
      if (size > pointerSize) return field;
      for (let power = pointerSize; power > widestSize; power = Math.floor(power / 2)) {
        if (size < power) continue;
        if (power === pointerSize) return inner ?? field;
        widestSize = power;
        widest = inner ?? field;
      }
    }
    return widest;
  }
}

/** An array without elements is written `[]` at the end of a struct of several members, outside unions. */
function isOpenEnded({ isFirst, isLast, inUnion }: Scope): boolean {
  return isLast && !isFirst && !inUnion;
}

function hex(value: number | bigint): string {
  return value ? `0x${value.toString(16)}` : "0";
}

function byteLength(text: string): number {
  return /^[\0-\x7f]*$/.test(text) ? text.length : new TextEncoder().encode(text).length;
}
