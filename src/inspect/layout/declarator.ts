/**
 * Types as pahole writes them in front of, and behind, a member's name.
 *
 * pahole misprints some types. `Declarators` copies that where its shapes are
 * `compatible`, and otherwise writes those types, and only those, as C has them.
 */

import { encode } from "../../btf/strings.js";
import { ERR_BTF_DEPTH, ERR_PIECE } from "../../errors/btf.js";
import { BtfLimitError } from "../../errors/error.js";
import type { Shape, Shapes } from "./shapes.js";

/** Prototypes within prototypes. */
const DEPTH_LIMIT = 64;
/** The longest text of one type, in characters. */
const LENGTH_LIMIT = 1 << 20;
/** The buffers that pahole writes names of types into, in bytes. */
const NAME_BUFFER = 128;
const POINTEE_BUFFER = 1024;
export const TYPEDEF_BUFFER = 512;

/** What stands around the name of a member. */
export interface Declarator {
  readonly before: string;
  /** `before` in UTF-8. */
  readonly beforeBytes: Uint8Array;
  readonly after: string;
  /** As `after`, for the last member of a struct: there an array without elements is `[]`. */
  readonly afterLast: string;
  /** What pahole writes for a member without a name. */
  readonly unnamed: string;
  /** A definition that is written in place; the rest is then of no use. */
  readonly definition: Shape | undefined;
  /** Written before the name and after it where C, not pahole, is followed and a definition stands in place. */
  readonly around: Around | undefined;
}

type Parts = Omit<Declarator, "beforeBytes">;

/** A name's surroundings in C. */
interface Around {
  /** Qualifiers of what the declarator ends in. */
  readonly qualifiers: string;
  readonly base: Shape | undefined;
  /** Stars that belong to the type's column. */
  readonly stars: string;
  readonly before: string;
  readonly after: string;
  readonly afterLast: string;
}

/** Pads on the right; a negative width pads too, as printf has it. */
export function padded(text: string, width: number): string {
  return text.padEnd(Math.abs(width));
}

export class Declarators {
  readonly #shapes: Shapes;
  readonly #exact: boolean;
  /** Declarators by the width of the type's column, then by type. */
  readonly #made = new Map<number, (Declarator | undefined)[]>();
  readonly #parameters = new Map<Shape, string>();
  readonly #declaredParameters = new Map<Shape, string>();
  readonly #misprinted = new Map<Shape, boolean>();
  #depth = 0;

  constructor(shapes: Shapes) {
    this.#shapes = shapes;
    this.#exact = !shapes.compatible;
  }

  /** What stands around the name of a member of a type, in a column of a width. */
  of(shape: Shape, width: number): Declarator {
    const row = this.#made.get(width) ?? [];
    if (row.length === 0) this.#made.set(width, row);
    const made = row[shape.id] ?? this.#make(shape, width);
    row[shape.id] = made;
    return made;
  }

  #make(shape: Shape, width: number): Declarator {
    const made = this.#compose(shape, width);
    return { ...made, beforeBytes: encode(made.before) };
  }

  #compose(shape: Shape, width: number): Parts {
    if (!this.#exact || !this.isMisprinted(shape)) return this.#asPahole(shape, width);
    const around = this.#around(shape);
    const { base, qualifiers, stars, before, after, afterLast } = around;
    const name = base ? this.#baseName(base) : "void";
    return {
      before: `${padded(`${qualifiers}${name}${stars && ` ${stars}`}`, width)} ${before}`,
      after,
      afterLast,
      unnamed: "",
      definition: base?.isDefinition && base.name === "" ? base : undefined,
      around,
    };
  }

  /** A type and what has it, on one line: `char comm[16]`; the type alone where the name is "". */
  declare(shape: Shape, name: string): string {
    const { base, qualifiers, stars, before, after } = this.#around(shape, (proto) => this.#declareParameters(proto));
    const head = `${qualifiers}${base ? this.#baseName(base).trimEnd() : "void"}${stars && ` ${stars}`}`;
    const label = `${name ? before : before.trimEnd()}${name}`;
    if (!label && !after) return head;
    return `${head}${head.endsWith("*") ? "" : " "}${label}${after}`;
  }

  #declareParameters(proto: Shape): string {
    const known = this.#declaredParameters.get(proto);
    if (known !== undefined) return known;
    const text = this.#nested(proto, () =>
      this.#listParameters(proto, (type, name) => (type ? this.declare(type, name) : "void")),
    );
    this.#declaredParameters.set(proto, text);
    return text;
  }

  #asPahole(shape: Shape, width: number): Parts {
    const { kind } = shape;
    switch (kind) {
      case "ptr": {
        const pointee = this.#skipTags(shape);
        if (pointee?.kind === "func_proto") return this.#function(pointee, width, "*");
        if (pointee?.isDefinition && pointee.name === "") return definition(pointee);
        return plain(padded(this.name(shape), width));
      }
      case "func_proto":
        return this.#function(shape, width, "");
      case "const": {
        const target = this.#shapes.target(shape);
        if (!target) return plain(`const ${padded(this.name(shape), width - 6)}`);
        const inner = this.#nested(shape, () => this.#asPahole(target, width - 6));
        return { ...inner, before: `const ${inner.before}` };
      }
      case "type_tag": {
        const target = this.#shapes.target(shape);
        return target ? this.#nested(shape, () => this.#asPahole(target, width)) : plain(padded("<ERROR>", width));
      }
      case "array":
        return this.#array(shape, width);
      case "struct":
      case "union":
      case "enum":
      case "enum64":
      case "fwd": {
        if (shape.name === "") return definition(shape);
        const word = keyword(shape);
        return { ...plain(`${word} ${padded(shape.name, width - word.length - 1)}`), unnamed: "" };
      }
      default:
        return plain(padded(this.name(shape), width));
    }
  }

  #array(shape: Shape, width: number): Parts {
    let element = this.#shapes.target(shape);
    const length = shape.after(2);
    if (length === 0 && element?.kind === "const") element = this.#shapes.target(element);
    if (!element) return plain(padded("<ERROR>", width));
    const inner = this.#nested(shape, () => this.#asPahole(element, width));
    return {
      ...inner,
      after: `${inner.after}[${length}]`,
      afterLast: `${inner.afterLast}[${length || ""}]`,
    };
  }

  #function(proto: Shape, width: number, star: string): Parts {
    const after = `)${this.parameters(proto)}`;
    const before = `${padded(this.name(this.#shapes.type(proto.word), NAME_BUFFER), width)} (${star}`;
    return { before, after, afterLast: after, unnamed: "", definition: undefined, around: undefined };
  }

  /** What a pointer points to, type tags left out. */
  #skipTags(shape: Shape): Shape | undefined {
    let at = this.#shapes.target(shape);
    for (let depth = 0; at?.kind === "type_tag" && depth < DEPTH_LIMIT; depth++) at = this.#shapes.target(at);
    return at;
  }

  /** `(int, char *, ...)` */
  parameters(proto: Shape): string {
    const known = this.#parameters.get(proto);
    if (known !== undefined) return known;
    const text = this.#nested(proto, () =>
      this.#listParameters(proto, (type, name, typeId) => this.#parameter(type, typeId, name)),
    );
    this.#parameters.set(proto, text);
    return text;
  }

  #listParameters(proto: Shape, write: (type: Shape | undefined, name: string, typeId: number) => string): string {
    const { vlen, image, record } = proto;
    const parts: string[] = [];
    let isVariadic = false;
    let length = 0;
    for (let i = 0; i < vlen; i++) {
      const { view } = image;
      const typeId = view.getUint32(record + 12 + i * 8 + 4, true);
      if (typeId === 0) {
        isVariadic = true;
        continue;
      }
      const name = this.#shapes.name(image, view.getUint32(record + 12 + i * 8, true));
      const part = write(this.#shapes.type(typeId), name, typeId);
      length += part.length;
      if (length > LENGTH_LIMIT) throw new BtfLimitError(ERR_PIECE, { typeId: proto.id, limit: LENGTH_LIMIT });
      parts.push(part);
    }
    if (parts.length === 0) return this.#exact && isVariadic ? "(...)" : "(void)";
    return `(${parts.join(", ")}${isVariadic ? ", ...)" : ")"}`;
  }

  #parameter(type: Shape | undefined, typeId: number, name: string): string {
    const label = name && ` ${name}`;
    if (!type) return `<ERROR: type ${typeId} not found>${label}`;
    if (this.#exact && this.isMisprinted(type)) {
      const { qualifiers, base, stars, before, after } = this.#around(type);
      const around = before || after || name ? ` ${before}${name}${after}` : "";
      return `${qualifiers}${base ? this.#baseName(base) : "void"}${stars && ` ${stars}`}${around}`;
    }
    if (type.kind === "ptr") {
      const pointee = this.#shapes.target(type);
      if (pointee?.kind === "func_proto") return this.#prototype(pointee, `(*${name})`);
    } else if (type.kind === "func_proto") {
      return `inline ${this.#prototype(type, name)}`;
    }
    return `${this.name(type, NAME_BUFFER)}${label}`;
  }

  #prototype(proto: Shape, name: string): string {
    return `${this.name(this.#shapes.type(proto.word), NAME_BUFFER)} ${name}${this.parameters(proto)}`;
  }

  /** A type's name as pahole writes it into a buffer of so many bytes. */
  name(shape: Shape | undefined, buffer = NAME_BUFFER): string {
    if (!shape) return "void";
    const room = this.#exact ? LENGTH_LIMIT : buffer - 1;
    switch (shape.kind) {
      case "int":
        return shape.name || "nameless base type!";
      case "float":
        return this.#exact ? shape.name : `single ${shape.name}`.slice(0, 63);
      case "ptr":
        return this.#nested(shape, () => this.#pointerName(shape)).slice(0, room);
      case "const":
      case "volatile":
      case "restrict":
        return this.#nested(shape, () => this.#qualifiedName(shape)).slice(0, room);
      case "array":
      case "type_tag":
        return this.#nested(shape, () => this.name(this.#shapes.target(shape), buffer));
      case "func_proto":
        return this.#nested(shape, () => this.#prototype(shape, "()")).slice(0, room);
      case "typedef":
        return shape.name;
      default:
        return `${keyword(shape)} ${shape.name}`;
    }
  }

  #pointerName(shape: Shape): string {
    if (shape.word === 0) return "void *";
    let pointee = this.#shapes.target(shape);
    let constPointer = "";
    if (pointee?.kind === "const") {
      const next = this.#shapes.target(pointee);
      if (next?.kind === "ptr") {
        constPointer = "const ";
        pointee = next;
      }
    }
    return `${pointee ? this.name(pointee, POINTEE_BUFFER) : "<ERROR>"} ${constPointer}*`;
  }

  #qualifiedName(shape: Shape): string {
    const name = this.name(this.#shapes.target(shape), NAME_BUFFER);
    return shape.kind === "restrict" ? `${name} restrict ` : `${shape.kind} ${name} `;
  }

  #baseName(base: Shape): string {
    return base.isDefinition ? `${keyword(base)} ${base.name}` : base.name;
  }

  /** Whether pahole 1.31 writes what C would read as another type. */
  isMisprinted(shape: Shape): boolean {
    const known = this.#misprinted.get(shape);
    if (known !== undefined) return known;
    // A type that leads back to itself is refused elsewhere.
    this.#misprinted.set(shape, false);
    const found = this.#nested(shape, () => this.#judge(shape));
    this.#misprinted.set(shape, found);
    return found;
  }

  #judge(shape: Shape): boolean {
    const target = shape.kind === "func_proto" ? this.#shapes.type(shape.word) : this.#shapes.target(shape);
    switch (shape.kind) {
      case "float":
        return true;
      case "array": {
        const element = this.#unqualified(target);
        if (!element) return false;
        // Dimensions in reverse; pointers to functions that look like functions returning arrays.
        if (element.kind === "array") return true;
        if (element.kind === "ptr" && this.#pointsTo(element, "func_proto")) return true;
        return this.isMisprinted(target!);
      }
      case "const":
      case "volatile":
        // The qualifier of a pointer lands on what it points to; that of a definition takes its name away.
        if (!target) return false;
        if (this.#unqualified(target)?.kind === "ptr") return true;
        return (target.isDefinition && target.name === "") || this.isMisprinted(target);
      case "restrict":
      case "type_tag":
        return target !== undefined && this.isMisprinted(target);
      case "ptr":
        return target !== undefined && this.#isPointeeMisprinted(target);
      case "func_proto":
        return this.#isPrototypeMisprinted(shape, target);
      default:
        return false;
    }
  }

  #isPointeeMisprinted(pointee: Shape): boolean {
    switch (pointee.kind) {
      case "array":
        return true;
      case "const": {
        // `T * const *` is right.
        const next = this.#shapes.target(pointee);
        if (next?.kind === "ptr") return this.isMisprinted(next) || this.#pointsTo(next, "func_proto");
        return this.isMisprinted(pointee);
      }
      case "ptr":
        return this.#pointsTo(pointee, "func_proto") || this.isMisprinted(pointee);
      case "struct":
      case "union":
      case "enum":
      case "enum64":
        return false;
      default:
        return this.isMisprinted(pointee);
    }
  }

  /** Whether a pointer leads to a kind through qualifiers alone. */
  #pointsTo(pointer: Shape, kind: Shape["kind"]): boolean {
    return this.#unqualified(this.#shapes.target(pointer))?.kind === kind;
  }

  #unqualified(shape: Shape | undefined): Shape | undefined {
    let at = shape;
    for (let depth = 0; at && depth < DEPTH_LIMIT; depth++) {
      if (at.kind !== "const" && at.kind !== "volatile" && at.kind !== "restrict" && at.kind !== "type_tag") return at;
      at = this.#shapes.target(at);
    }
    return at;
  }

  #isPrototypeMisprinted(proto: Shape, returned: Shape | undefined): boolean {
    if (returned && (this.isMisprinted(returned) || this.#leadsToFunction(returned))) return true;
    let named = 0;
    let isVariadic = false;
    for (let i = 0; i < proto.vlen; i++) {
      const typeId = proto.after(i * 2 + 1);
      if (typeId === 0) isVariadic = true;
      else {
        named++;
        const type = this.#shapes.type(typeId);
        if (type && this.isMisprinted(type)) return true;
      }
    }
    return isVariadic && named === 0;
  }

  #leadsToFunction(shape: Shape): boolean {
    const at = this.#unqualified(shape);
    return at?.kind === "ptr" && this.#pointsTo(at, "func_proto");
  }

  /** A type as C declares it: inside out, from the name. */
  #around(shape: Shape, parametersOf = (proto: Shape): string => this.parameters(proto)): Around {
    let before = "";
    let after = "";
    let afterLast = "";
    let qualifiers = "";
    // Where a name is enclosed in parentheses, stars before them belong to the type's column.
    let enclosed = 0;
    let at: Shape | undefined = shape;
    const enclose = (): void => {
      if (before.length === enclosed) return;
      before = `(${before}`;
      enclosed = before.length;
      after += ")";
      afterLast += ")";
    };
    let stars = "";
    for (let depth = 0; at; depth++) {
      if (depth === DEPTH_LIMIT * 8)
        throw new BtfLimitError(ERR_BTF_DEPTH, { typeId: shape.id, limit: DEPTH_LIMIT * 8 });
      const { kind }: Shape = at;
      if (kind === "const" || kind === "volatile" || kind === "restrict") {
        if (!qualifiers.includes(kind)) qualifiers += `${kind} `;
      } else if (kind === "ptr") {
        before = `*${qualifiers}${before}`;
        qualifiers = "";
      } else if (kind === "array") {
        enclose();
        const length = at.after(2);
        after += `[${length}]`;
        afterLast += `[${length || ""}]`;
      } else if (kind === "func_proto") {
        enclose();
        const parameters = parametersOf(at);
        after += parameters;
        afterLast += parameters;
        qualifiers = "";
        at = this.#shapes.type(at.word);
        continue;
      } else if (kind !== "type_tag") break;
      at = this.#shapes.target(at);
    }
    // Only stars that nothing encloses can move to the column.
    const split = before.length - enclosed;
    stars = before.slice(0, split).trimEnd();
    return { qualifiers, base: at, stars, before: before.slice(split), after, afterLast };
  }

  #nested<T>(shape: Shape, step: () => T): T {
    if (this.#depth === DEPTH_LIMIT) throw new BtfLimitError(ERR_BTF_DEPTH, { typeId: shape.id, limit: DEPTH_LIMIT });
    this.#depth++;
    try {
      return step();
    } finally {
      this.#depth--;
    }
  }
}

export function keyword(shape: Shape): "struct" | "union" | "enum" {
  return shape.isStruct ? "struct" : shape.isUnion ? "union" : "enum";
}

function plain(before: string): Parts {
  return {
    before: `${before} `,
    after: "",
    afterLast: "",
    unnamed: "(null)",
    definition: undefined,
    around: undefined,
  };
}

function definition(shape: Shape): Parts {
  return { before: "", after: "", afterLast: "", unnamed: "", definition: shape, around: undefined };
}
