/**
 * What pahole 1.31 prints of BTF, byte for byte: filters, lists, searches, and
 * definitions in its order. One run takes several files, as pahole does.
 */

import type { Btf } from "../../btf/btf.js";
import { compareBytes } from "../../btf/strings.js";
import { Declarators } from "../layout/declarator.js";
import { Distinct } from "../layout/distinct.js";
import { LayoutPrinter } from "../layout/printer.js";
import { CACHELINE_BYTES, type Composite, type Shape, Shapes } from "../layout/shapes.js";
import { layoutChunks } from "../layout/text.js";
import { type PaholeArguments, PaholeUsage } from "./options.js";
import { cloneComposite, Endless, reorganize } from "./reorganize.js";
import { printReorganized } from "./reorganized-text.js";

/** A chunk has about so many characters. */
const CHUNK = 1 << 16;
/** Levels of members within members that -d follows. */
const DEPTH_LIMIT = 200;

/** One file. */
interface Unit {
  readonly name: string;
  readonly btf: Btf;
  readonly shapes: Shapes;
  readonly printer: LayoutPrinter;
  /** The first typedef of each type that has any. */
  aliases?: Map<number, string>;
}

/** A definition that was met. */
interface Met {
  readonly unit: Unit;
  readonly composite: Composite;
  files: number;
  methods: number;
}

const shown = (name: string): string => name || "(null)";

export class PaholeRun {
  readonly #args: PaholeArguments;
  readonly #distinct = new Distinct();
  readonly #met = new Map<Composite, Met>();
  /** Names of -C that are still looked for. */
  #wanted: string[];
  /** Equal definitions were met, which --sort orders by their members' types. */
  #needsTypes = false;

  /** @param names what -C, -i or -f names, lists and files of names resolved */
  constructor(args: PaholeArguments, names: readonly string[]) {
    this.#args = args;
    this.#wanted = [...names];
    for (const name of names) {
      if (name.includes("(")) throw new PaholeUsage(`arguments of a class, as in ${name}, are not supported`);
    }
    if (args.statistics === "methods" && args.className !== undefined) {
      throw new PaholeUsage("option -m/--nr_methods does not go with -C: it shows all classes");
    }
    if (args.wordSize && args.className === undefined) {
      throw new PaholeUsage("option -w/--word_size of pahole is not supported for all classes at once");
    }
  }

  /** What is said about names that no file had; as pahole does, of the first alone. */
  get missing(): string | undefined {
    return this.#wanted.length > 0 && !this.#isOrdered ? `pahole: type '${this.#wanted[0]}' not found` : undefined;
  }

  get #isOrdered(): boolean {
    return this.#args.isSorted === true && this.#args.listing === "definition";
  }

  /** Nothing but files, one of them: the whole text in the default style. */
  get #isPlain(): boolean {
    const { files, listing, separator, format, base, isRecursive, isReorganized, showsSteps, skipsMissing, ...rest } =
      this.#args;
    const { minHoles, minBitHoles, minHoleSize, minPadding, className, wordSize, ...others } = rest;
    const isFiltered = minHoles || minBitHoles || minHoleSize || minPadding;
    return files.length < 2 && listing === "definition" && !isFiltered && Object.keys(others).length === 0;
  }

  /** The text of one file. */
  *file(btf: Btf, name: string): Generator<string | Uint8Array, void> {
    const { excludeFiles, cachelineBytes, enumerator, className, showsOrigin } = this.#args;
    if (excludeFiles !== undefined && name.startsWith(excludeFiles)) return;
    const { expand, hex, relative, quiet, noAligned, noPacked, widest } = this.#args;
    const shapes = new Shapes(btf, { cachelineBytes: cachelineBytes || CACHELINE_BYTES, compatible: true });
    const printer = new LayoutPrinter(shapes, {
      ...(expand && { expand }),
      ...(hex && { hex }),
      ...(relative && { relative }),
      ...(quiet && { quiet }),
      ...(noAligned && { noAligned }),
      ...(noPacked && { noPacked }),
      ...(widest && { widest }),
      ...(showsOrigin && { usedAt: name }),
    });
    const unit: Unit = { name, btf, shapes, printer };
    if (enumerator !== undefined) {
      const text = this.#enumeration(unit, enumerator);
      if (text !== undefined) {
        yield text;
        return;
      }
    }
    if (className !== undefined) yield* gathered(this.#named(unit));
    else if (this.#args.statistics === "methods") this.#countMethods(unit);
    else if (this.#isPlain) yield* layoutChunks(btf, { compat: "pahole-1.31", cachelineBytes: shapes.cachelineBytes });
    else yield* gathered(this.#all(unit));
  }

  /** What comes when all files are read. */
  *end(): Generator<string | Uint8Array, void> {
    if (this.#isOrdered) yield* gathered(this.#ordered());
    const { statistics, separator } = this.#args;
    if (!statistics) return;
    let text = "";
    for (const { composite, files, methods } of this.#met.values()) {
      text += `${composite.shape.name}${separator}${statistics === "methods" ? methods : files}\n`;
    }
    yield text;
  }

  #enumeration({ shapes }: Unit, enumerator: string): string | undefined {
    const bare = new LayoutPrinter(shapes, this.#args.hex ? { hex: true } : {});
    for (let id = 1; id < shapes.limit; id++) {
      const kind = shapes.kindAt(id);
      if (kind !== "enum" && kind !== "enum64") continue;
      const shape = shapes.type(id)!;
      const step = kind === "enum" ? 2 : 3;
      for (let i = 0; i < shape.vlen; i++) {
        if (shapes.name(shape.image, shape.after(i * step)) !== enumerator) continue;
        // Without the origin that -I asks for.
        return `${bare.print(shape).slice(0, -1)}\n`;
      }
    }
    return undefined;
  }

  *#all(unit: Unit): Generator<string | Uint8Array, void> {
    const { anonymous, nestedAnonymous, packable, isVerbose } = this.#args;
    const { shapes } = unit;
    for (let id = 1; id < shapes.limit; id++) {
      const kind = shapes.kindAt(id);
      if (kind !== "struct" && kind !== "union") continue;
      const shape = shapes.type(id)!;
      if (shape.name === "" && !anonymous && !nestedAnonymous) continue;
      const composite = shapes.composite(shape);
      const packed: { clone?: Composite } = {};
      if (!this.#passes(unit, composite, packed)) continue;
      if (shape.name !== "" && this.#meet(unit, composite)) continue;
      if (packable && !isVerbose) yield this.#saving(unit, composite, packed.clone!);
      else if (this.#isOrdered) continue;
      else if (this.#args.listing !== "definition") yield this.#format(unit, shape);
      else if (this.#write(unit, shape)) yield unit.printer.take();
    }
    yield unit.printer.take();
  }

  /** Writes a definition; returns whether there is a chunk to take. */
  #write(unit: Unit, shape: Shape): boolean {
    const { printer } = unit;
    const alias = shape.name === "" ? this.#alias(unit, shape) : undefined;
    if (shape.name === "" && alias === undefined && !this.#args.nestedAnonymous) return false;
    printer.write(shape, alias);
    printer.add("\n");
    return printer.written >= CHUNK;
  }

  /** Remembers a definition; returns whether it has been met before. */
  #meet(unit: Unit, composite: Composite): boolean {
    const same = this.#distinct.meet(composite);
    if (same && !this.#args.isSorted) {
      this.#met.get(same)!.files++;
      return true;
    }
    // Sorting keeps equal ones apart until their members' types are compared.
    if (same) this.#needsTypes = true;
    this.#met.set(composite, { unit, composite, files: 1, methods: 0 });
    return false;
  }

  #passes(unit: Unit, composite: Composite, packed: { clone?: Composite } = {}): boolean {
    const { shape } = composite;
    const { shapes } = unit;
    const args = this.#args;
    if (args.justUnions && !shape.isUnion) return false;
    if (args.justStructs && !shape.isStruct) return false;
    if (args.justPacked && !shapes.inferPacked(composite, markPacked)) return false;
    if (shape.kind === "fwd") return false;
    if (!args.anonymous && shape.name === "") return false;
    const { excludePrefix, includePrefix } = args;
    if (excludePrefix !== undefined || includePrefix !== undefined) {
      const name = shape.name || this.#alias(unit, shape);
      if (name !== undefined && excludePrefix !== undefined && name.startsWith(excludePrefix)) return false;
      if (name !== undefined && includePrefix !== undefined && !name.startsWith(includePrefix)) return false;
    }
    // No BTF says which file a type is declared in.
    if (args.excludeDeclarations) return false;
    if (args.justUnions) return true;
    const { minHoles, minBitHoles, minHoleSize, minPadding } = args;
    if (!shape.isStruct) {
      return !(args.justStructs || args.packable || minHoles || minBitHoles || minHoleSize || minPadding);
    }
    shapes.findHoles(composite);
    if (composite.holes < minHoles || composite.padding < minPadding || composite.bitHoles < minBitHoles) return false;
    if (minHoleSize !== 0) {
      if (composite.holes === 0 || !composite.fields.some(({ hole }) => hole >= minHoleSize)) return false;
    }
    if (args.packable && !this.#packs(unit, composite, packed)) return false;
    if (args.flexible && !shapes.endsInFlexibleArray(shape)) return false;
    return !args.embedsFlexible || shapes.embedsFlexibleArray(shape);
  }

  #packs({ shapes }: Unit, composite: Composite, packed: { clone?: Composite }): boolean {
    if (composite.holes === 0 && composite.bitHoles === 0) return false;
    const clone = cloneComposite(composite);
    try {
      reorganize(shapes, clone);
    } catch (error) {
      if (!(error instanceof Endless)) throw error;
      throw new PaholeUsage(`pahole 1.31 does not end when it packs ${shown(composite.shape.name)}; btfkit pack does`);
    }
    if (composite.size <= clone.size) return false;
    packed.clone = clone;
    return true;
  }

  #saving(unit: Unit, { shape, size }: Composite, clone: Composite): string {
    const { separator } = this.#args;
    const name = shape.name || this.#alias(unit, shape) || "(null)(0)";
    return `${[name, size, clone.size, size - clone.size].join(separator)}\n`;
  }

  #alias(unit: Unit, shape: Shape): string | undefined {
    if (!unit.aliases) {
      unit.aliases = new Map();
      for (let id = 1; id < unit.shapes.limit; id++) {
        if (unit.shapes.kindAt(id) !== "typedef") continue;
        const { word, name } = unit.shapes.type(id)!;
        if (!unit.aliases.has(word)) unit.aliases.set(word, name);
      }
    }
    return unit.aliases.get(shape.id);
  }

  #format(unit: Unit, shape: Shape): string {
    const { listing, separator } = this.#args;
    const { name } = shape;
    const composite = shape.isStruct || shape.isUnion ? unit.shapes.composite(shape) : undefined;
    switch (listing) {
      case "none":
        return "";
      case "name":
        return `${name}\n`;
      case "name-length":
        return `${shown(name)}${separator}${name.length}\n`;
      case "members": {
        const members = composite ? composite.fields.length : shape.isEnum ? shape.vlen : 0;
        return `${shown(name)}${separator}${members & 0xffff}\n`;
      }
      case "sizes": {
        const size = composite ? composite.size : shape.isEnum ? unit.shapes.sizeOf(shape) * 8 : 0;
        return `${shown(name)}${separator}${size | 0}${separator}${shape.isStruct ? composite!.holes : 0}\n`;
      }
      case "definition": {
        return this.#write(unit, shape) || unit.printer.written > 0
          ? new TextDecoder().decode(unit.printer.take())
          : "";
      }
    }
  }

  *#named(unit: Unit): Generator<string | Uint8Array, void> {
    const { isPointers, isContainers, isReorganized, showsFile, skipsMissing } = this.#args;
    for (const name of [...this.#wanted]) {
      const shape = this.#find(unit, name, isPointers === true);
      if (!shape) {
        if (skipsMissing) continue;
        return;
      }
      this.#wanted.splice(this.#wanted.indexOf(name), 1);
      if (showsFile) {
        yield `${unit.name}\n`;
        return;
      }
      if (shape.isStruct) unit.shapes.findHoles(unit.shapes.composite(shape));
      if (isReorganized) {
        if (shape.isStruct) yield* this.#reorganized(unit, shape);
      } else if (isContainers) yield* this.#containers(unit, shape.id);
      else if (isPointers) yield* this.#pointers(unit, shape.id);
      else yield `${this.#format(unit, shape)}\n`;
    }
  }

  /** The first struct, union, enum or typedef with a name. */
  #find({ btf, shapes }: Unit, name: string, withDeclarations: boolean): Shape | undefined {
    for (const { id, kind } of btf.findAll(name)) {
      switch (kind) {
        case "fwd":
          if (!withDeclarations) break;
          return shapes.type(id);
        case "struct":
        case "union":
        case "enum":
        case "enum64":
        case "typedef":
          return shapes.type(id);
      }
    }
    return undefined;
  }

  *#reorganized({ printer }: Unit, shape: Shape): Generator<string | Uint8Array, void> {
    const { showsSteps, isVerbose } = this.#args;
    try {
      yield printReorganized(printer, shape, { moves: Boolean(showsSteps || isVerbose), steps: showsSteps ?? false });
    } catch (error) {
      if (!(error instanceof Endless)) throw error;
      throw new PaholeUsage(`pahole 1.31 does not end when it reorganizes ${shape.name}; btfkit pack does`);
    }
  }

  *#containers(unit: Unit, typeId: number): Generator<string | Uint8Array, void> {
    const { shapes } = unit;
    for (let id = 1; id < shapes.limit; id++) {
      const kind = shapes.kindAt(id);
      if (kind !== "struct" && kind !== "union") continue;
      const shape = shapes.type(id)!;
      if (shape.name === "") continue;
      const composite = shapes.composite(shape);
      if (!this.#passes(unit, composite) || !holds(composite, typeId) || this.#meet(unit, composite)) continue;
      yield this.#container(unit, composite, typeId, 0);
    }
  }

  #container(unit: Unit, composite: Composite, typeId: number, depth: number): string {
    const { isRecursive, isVerbose } = this.#args;
    if (!holds(composite, typeId) || depth > DEPTH_LIMIT) return "";
    const count = composite.fields.filter((field) => field.typeId === typeId).length;
    let text = `${" ".repeat(Math.min(depth * 2, 127))}${shown(composite.shape.name)}${isVerbose ? `: ${count}` : ""}\n`;
    if (!isRecursive) return text;
    for (const field of composite.fields) {
      const type = unit.shapes.type(field.typeId);
      if (type?.isStruct || type?.isUnion) {
        text += this.#container(unit, unit.shapes.composite(type), typeId, depth + 1);
      }
      if (text.length > CHUNK * 256) throw new PaholeUsage("the list of containers has no end");
    }
    return text;
  }

  *#pointers(unit: Unit, typeId: number): Generator<string | Uint8Array, void> {
    const { shapes } = unit;
    for (let id = 1; id < shapes.limit; id++) {
      const kind = shapes.kindAt(id);
      if (kind !== "struct" && kind !== "union") continue;
      const shape = shapes.type(id)!;
      if (shape.name === "") continue;
      const composite = shapes.composite(shape);
      if (!this.#passes(unit, composite)) continue;
      const found = composite.fields.filter((field) => {
        const type = shapes.type(field.typeId);
        return type?.kind === "ptr" && type.word === typeId;
      });
      if (found.length === 0 || this.#meet(unit, composite)) continue;
      yield found.map((field) => `${shape.name}: ${shown(field.name)}\n`).join("");
    }
  }

  #countMethods(unit: Unit): void {
    const { btf, shapes } = unit;
    for (const id of btf.idsOfKind("func")) {
      const func = btf.get(id);
      const proto = func?.kind === "func" ? shapes.type(func.protoId) : undefined;
      if (proto?.kind !== "func_proto") continue;
      for (let i = 0; i < proto.vlen; i++) {
        const type = shapes.type(proto.after(i * 2 + 1));
        const pointee = type?.kind === "ptr" ? shapes.target(type) : undefined;
        if (!pointee?.isStruct || pointee.name === "") continue;
        const composite = shapes.composite(pointee);
        if (!this.#passes(unit, composite)) continue;
        const same = this.#distinct.meet(composite) ?? composite;
        const met = this.#met.get(same) ?? { unit, composite: same, files: 1, methods: 0 };
        this.#met.set(same, met);
        met.methods++;
      }
    }
  }

  *#ordered(): Generator<string | Uint8Array, void> {
    const order: Met[] = [];
    const compare = this.#needsTypes ? compareByTypes() : compareByPlaces;
    for (const met of this.#met.values()) {
      let low = 0;
      let high = order.length;
      let isKnown = false;
      while (low < high) {
        const middle = (low + high) >> 1;
        const result = compare(order[middle]!, met);
        if (result === 0) {
          isKnown = true;
          break;
        }
        if (result > 0) high = middle;
        else low = middle + 1;
      }
      if (!isKnown) order.splice(low, 0, met);
    }
    for (const { unit, composite } of order) yield this.#format(unit, composite.shape);
  }
}

function markPacked(inner: Composite): void {
  inner.packed = true;
  inner.packedKnown = true;
}

function holds({ fields }: Composite, typeId: number): boolean {
  return fields.some((field) => field.typeId === typeId);
}

/** By name, size and members' places. */
function compareByPlaces({ composite: a }: Met, { composite: b }: Met): number {
  const order = compareBytes(a.shape.name, b.shape.name) || a.size - b.size || a.fields.length - b.fields.length;
  if (order !== 0) return order;
  for (const [i, field] of a.fields.entries()) {
    const other = b.fields[i]!;
    const difference =
      (field.name && other.name ? compareBytes(field.name, other.name) : 0) ||
      field.bitOffset - other.bitOffset ||
      field.bitfieldBits - other.bitfieldBits;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** By name, and members' places and types. */
function compareByTypes(): (a: Met, b: Met) => number {
  const declarators = new Map<Shapes, Declarators>();
  const nameOf = ({ shapes }: Unit, shape: Shape): string => {
    const found = declarators.get(shapes) ?? new Declarators(shapes);
    declarators.set(shapes, found);
    return found.name(shape, 1024);
  };
  return ({ composite: a, unit: unitA }, { composite: b, unit: unitB }) => {
    const order = compareBytes(a.shape.name, b.shape.name);
    if (order !== 0) return order;
    for (const [i, field] of a.fields.entries()) {
      const other = b.fields[i];
      if (!other) return 1;
      const type = unitA.shapes.type(field.typeId);
      const otherType = unitB.shapes.type(other.typeId);
      if (type && !otherType && other.name === "") return 0;
      if (!type || !otherType) return type ? 1 : -1;
      const difference =
        (field.name && other.name ? compareBytes(field.name, other.name) : 0) ||
        field.bitOffset - other.bitOffset ||
        field.bitfieldBits - other.bitfieldBits ||
        compareBytes(nameOf(unitA, type), nameOf(unitB, otherType));
      if (difference !== 0) return difference;
    }
    return 0;
  };
}

/** Pieces put together to chunks. */
function* gathered(pieces: Iterable<string | Uint8Array>): Generator<string | Uint8Array, void> {
  let chunk: string[] = [];
  let length = 0;
  for (const piece of pieces) {
    if (typeof piece !== "string") {
      if (length > 0) yield chunk.join("");
      chunk = [];
      length = 0;
      if (piece.length > 0) yield piece;
      continue;
    }
    chunk.push(piece);
    length += piece.length;
    if (length < CHUNK) continue;
    yield chunk.join("");
    chunk = [];
    length = 0;
  }
  if (length > 0) yield chunk.join("");
}
