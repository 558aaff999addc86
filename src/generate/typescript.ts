/**
 * TypeScript: interfaces, and decoders and encoders that have the offsets in
 * them. A module of it imports nothing and runs wherever JavaScript does.
 */

import { ERR_WORK } from "../errors/btf.js";
import { BtfLimitError } from "../errors/error.js";
import {
  type Alias,
  type ArrayForm,
  type Composite,
  type Enumeration,
  type Form,
  innermost,
  type Model,
} from "./model.js";
import { commented, Names } from "./names.js";
import type { ObjectModel } from "./object.js";

const KEYWORDS = /* @__PURE__ */ new Set(
  /* @__PURE__ */ (
    "break case catch class const continue debugger default delete do else enum export extends false finally for function " +
    "if import in instanceof new null return super switch this throw true try typeof var void while with let static yield " +
    "await async of as implements interface package private protected public any boolean number string symbol bigint never " +
    "object unknown undefined type declare namespace module abstract readonly arguments eval " +
    // What the generated code uses.
    "Array ArrayBuffer ArrayBufferView BigInt BigInt64Array BigUint64Array Boolean DataView Float32Array Float64Array " +
    "Int16Array Int32Array Int8Array Math Number Object RangeError ReadonlyArray Record String TextDecoder TextEncoder " +
    "Uint16Array Uint32Array Uint8Array Input Skeleton NaN Infinity ArrayLike LITTLE_ENDIAN " +
    // `read` with these behind it is a helper.
    "Int Bits Text Float"
  ).split(" "),
);

/** Members that may be written inside others: anonymous types that hold each other would fill any memory. */
const INLINE_LIMIT = 500_000;

/** A member as the interface has it: those of anonymous structs and unions stand beside the others. */
interface Leaf {
  readonly name: string;
  readonly form: Form;
  readonly bitOffset: number;
  readonly bitSize: number;
  /** A flexible array, or a struct that ends in one, that takes the rest of the bytes. */
  readonly isLast: boolean;
  /** The bytes are those of other members too. */
  readonly isShared: boolean;
}

/** A TypeScript module with the definitions of a model, and the skeleton of an object. */
export function generateTypeScript(model: Model, object?: ObjectModel): string {
  return new TypeScriptWriter(model).module(object);
}

/** `task_struct` as `TaskStruct`. */
function pascal(name: string): string {
  const joined = name.replace(/_+([A-Za-z0-9])/g, (_, letter: string) => letter.toUpperCase()).replace(/_+$/, "");
  const first = joined.replace(/^[a-z]/, (letter) => letter.toUpperCase());
  return first || "_";
}

class TypeScriptWriter {
  readonly #model: Model;
  readonly #names = new Names(KEYWORDS);
  readonly #called = new Map<Composite | Enumeration | Alias, string>();
  readonly #leaves = new Map<Composite, readonly Leaf[]>();
  readonly #helpers = new Set<keyof typeof HELPERS>();
  readonly #little: boolean;
  #inlined = 0;

  constructor(model: Model) {
    this.#model = model;
    this.#little = model.endian === "little";
  }

  module(object: ObjectModel | undefined): string {
    const { composites, enumerations, aliases, refusals, pointerSize, endian } = this.#model;
    for (const one of [...enumerations, ...composites, ...aliases])
      this.#called.set(one, this.#names.take(pascal(one.name)));
    // Anonymous members are part of what holds them: they need no definition of their own.
    const used = this.#usedComposites();
    const blocks = [
      ...enumerations.map((one) => this.#enumeration(one)),
      ...composites.filter((one) => used.has(one)).map((one) => this.#composite(one)),
      ...aliases.map((one) => this.#alias(one)),
    ];
    if (object) blocks.push(this.#skeleton(object));
    if (refusals.length > 0) {
      blocks.push(refusals.map(({ name, reason }) => `// ${commented(name)}: ${commented(reason)}\n`).join(""));
    }
    const head = `// Generated from BTF: ${pointerSize * 8}-bit, ${endian} endian. Do not edit.\n`;
    return [head, ...blocks, ...this.#helperTexts()].join("\n");
  }

  #helperTexts(): string[] {
    const wanted = new Set<keyof typeof HELPERS>();
    const add = (name: keyof typeof HELPERS): void => {
      if (wanted.has(name)) return;
      wanted.add(name);
      const { needs }: Helper = HELPERS[name];
      for (const needed of needs ?? []) add(needed as keyof typeof HELPERS);
    };
    for (const name of this.#helpers) add(name);
    return (Object.keys(HELPERS) as (keyof typeof HELPERS)[])
      .filter((name) => wanted.has(name))
      .map((name) => HELPERS[name].text.replace("LITTLE_VALUE", String(this.#little)));
  }

  #help(name: keyof typeof HELPERS): string {
    this.#helpers.add(name);
    return name;
  }

  #usedComposites(): Set<Composite> {
    const used = new Set<Composite>();
    const { composites, aliases } = this.#model;
    const held = new Set<Composite>();
    for (const { fields } of composites) {
      for (const { name, form } of fields) {
        const inner = innermost(form);
        if (inner.kind !== "composite") continue;
        held.add(inner.composite);
        if (name !== "") used.add(inner.composite);
      }
    }
    for (const { form } of aliases) {
      const inner = innermost(form);
      if (inner.kind === "composite") used.add(inner.composite);
    }
    for (const composite of composites) if (composite.originalName || !held.has(composite)) used.add(composite);
    return used;
  }

  #enumeration(enumeration: Enumeration): string {
    const { constants, byteSize, originalName } = enumeration;
    const name = this.#called.get(enumeration)!;
    const suffix = byteSize === 8 ? "n" : "";
    const number = byteSize === 8 ? "bigint" : "number";
    const values = new Map<string, bigint>();
    for (const { name: constant, value } of constants) if (!values.has(constant)) values.set(constant, value);
    const byValue = new Map<bigint, string>();
    for (const [constant, value] of values) if (!byValue.has(value)) byValue.set(value, constant);
    const union = [...values.keys()].map((constant) => `  | ${JSON.stringify(constant)}\n`).join("");
    const map = [...values].map(([constant, value]) => `  ${key(constant, true)}: ${value}${suffix},\n`).join("");
    const cases = [...byValue]
      .map(([value, constant]) => `    case ${value}${suffix}:\n      return ${JSON.stringify(constant)};\n`)
      .join("");
    return (
      `/** enum ${commented(originalName) || "without a name"}, ${byteSize} bytes. A number: none of its enumerators. */\n` +
      `export type ${name} =\n${union}  | ${number};\n` +
      `export const ${name} = {\n${map}} as const;\n\n` +
      `function nameOf${name}(value: ${number}): ${name} {\n  switch (value) {\n${cases}    default:\n      return value;\n  }\n}\n\n` +
      `function valueOf${name}(name: ${name}): ${number} {\n` +
      `  if (typeof name !== "string") return name;\n` +
      `  if (!Object.hasOwn(${name}, name)) throw new RangeError(\`${name}: no enumerator "\${name}"\`);\n` +
      `  return ${name}[name];\n}\n` +
      this.#codec(
        name,
        byteSize,
        `${byteSize}`,
        this.#read(whole({ kind: "enum", byteSize, enumeration }), { at: "0", end: "0" }),
        this.#write(whole({ kind: "enum", byteSize, enumeration }), "0", "value"),
      )
    );
  }

  /** The members of a struct with those of anonymous ones inside it. */
  #leavesOf(composite: Composite): readonly Leaf[] {
    const known = this.#leaves.get(composite);
    if (known) return known;
    const names = new Map<string, number>();
    const leaves: Leaf[] = [];
    const collect = (from: Composite, bitOffset: number, isLast: boolean, isShared: boolean): void => {
      const shares = isShared || from.kind === "union";
      for (const [i, field] of from.fields.entries()) {
        if (++this.#inlined > INLINE_LIMIT) throw new BtfLimitError(ERR_WORK, { typeId: composite.typeId });
        const ends = isLast && (from.kind === "union" || i === from.fields.length - 1);
        const { form, bitSize } = field;
        const at = bitOffset + field.bitOffset;
        if (field.name === "" && form.kind === "composite") {
          collect(form.composite, at, ends, shares);
          continue;
        }
        const count = (names.get(field.name) ?? 0) + 1;
        names.set(field.name, count);
        const name = count > 1 ? `${field.name}___${count}` : field.name;
        leaves.push({ name, form, bitOffset: at, bitSize, isLast: ends, isShared: shares });
      }
    };
    collect(composite, 0, true, false);
    this.#leaves.set(composite, leaves);
    return leaves;
  }

  #composite(composite: Composite): string {
    const { kind, originalName, byteSize, omissions } = composite;
    const name = this.#called.get(composite)!;
    const leaves = this.#leavesOf(composite);
    const members = leaves.map((leaf) => {
      const { bitOffset, bitSize, form } = leaf;
      const place = bitSize > 0 ? `bits ${bitOffset} to ${bitOffset + bitSize - 1}` : `byte ${bitOffset / 8}`;
      return `  /** ${place}: ${describe(form)}${leaf.isShared ? ", shares its bytes" : ""} */\n  ${key(leaf.name)}: ${this.#type(form, bitSize)};\n`;
    });
    const missing = omissions.map(
      (one) => `  // ${commented(one.name)} at bit ${one.bitOffset}: ${commented(one.reason)}\n`,
    );
    const reads = leaves.map((leaf) => `    ${key(leaf.name, true)}: ${this.#readLeaf(leaf, composite)},\n`);
    const writes = leaves.map((leaf) => this.#writeLeaf(leaf, composite));
    const flexible = this.#isFlexible(composite);
    // What is not used starts with an underscore, for compilers that ask.
    const unused = leaves.length > 0 ? "" : "_";
    return (
      `/** ${kind} ${commented(originalName) || "without a name"}, ${byteSize} bytes${flexible ? " and a flexible array" : ""} */\n` +
      `export interface ${name} {\n${members.join("")}${missing.join("")}}\n` +
      this.#codec(
        name,
        byteSize,
        flexible ? `lengthOf${name}(value)` : `${byteSize}`,
        `read${name}(view, 0${flexible ? ", view.byteLength" : ""})`,
        `write${name}(view, 0, value)`,
      ) +
      `\nfunction read${name}(${unused}view: DataView, ${unused}at: number${flexible ? ", end: number" : ""}): ${name} {\n  return {\n${reads.join("")}  };\n}\n` +
      `\nfunction write${name}(${unused}view: DataView, ${unused}at: number, ${unused}value: Input<${name}>): void {\n${writes.join("")}}\n` +
      (flexible ? this.#lengthFunction(composite) : "")
    );
  }

  /** Size constant, decoder and encoder of a name; `read` and `write` are the code inside them. */
  #codec(name: string, byteSize: number, length: string, read: string, write: string): string {
    this.#help("Input");
    return (
      `\n/** Size in bytes. */\nexport const sizeOf${name} = ${byteSize};\n` +
      `\n/** The value that the bytes hold. @throws RangeError if they are fewer than ${byteSize} */\n` +
      `export function decode${name}(bytes: ArrayBuffer | ArrayBufferView): ${name} {\n` +
      `  const view = ${this.#help("viewOf")}(bytes, ${byteSize}, ${JSON.stringify(name)});\n  return ${read};\n}\n` +
      `\n/** The value as bytes; what is left out is zero. @throws RangeError for a number, text or array that does not fit */\n` +
      `export function encode${name}(value: Input<${name}>): Uint8Array {\n` +
      `  const bytes = new Uint8Array(${length});\n  const view = new DataView(bytes.buffer);\n` +
      `  ${write};\n  return bytes;\n}\n`
    );
  }

  #isFlexible(composite: Composite): boolean {
    return this.#leavesOf(composite).some((leaf) => this.#isFlexibleLeaf(leaf));
  }

  #isFlexibleLeaf({ form, isLast }: Leaf): boolean {
    if (!isLast) return false;
    if (form.kind === "array") return form.length === 0 && form.element.byteSize > 0;
    return form.kind === "composite" && this.#isFlexible(form.composite);
  }

  /** How many bytes a value with a flexible array takes. */
  #lengthFunction(composite: Composite): string {
    const name = this.#called.get(composite)!;
    const parts = this.#leavesOf(composite)
      .filter((leaf) => this.#isFlexibleLeaf(leaf))
      .map(({ name: member, form, bitOffset }) => {
        const offset = bitOffset / 8;
        const value = `value${access(member)}`;
        if (form.kind === "composite") {
          return `${value} === undefined ? 0 : ${offset} + lengthOf${this.#called.get(form.composite)}(${value})`;
        }
        const { element } = form as ArrayForm;
        const count = this.#isText(form as ArrayForm) ? `${this.#help("utf8")}(${value}).length` : `${value}.length`;
        return `${value} === undefined ? 0 : ${offset} + ${count}${element.byteSize === 1 ? "" : ` * ${element.byteSize}`}`;
      });
    return `\nfunction lengthOf${name}(value: Input<${name}>): number {\n  return Math.max(${[composite.byteSize, ...parts].join(", ")});\n}\n`;
  }

  #alias(alias: Alias): string {
    const name = this.#called.get(alias)!;
    const { form, originalName } = alias;
    const read = this.#read(whole(form), { at: "0", end: "view.byteLength" });
    const write = this.#write(whole(form), "0", "value");
    this.#help("Input");
    return (
      `/** ${commented(originalName)}: ${describe(form)} */\nexport type ${name} = ${this.#type(form, 0)};\n` +
      this.#codec(name, form.byteSize, `${form.byteSize}`, read, write)
    );
  }

  #isText(form: ArrayForm): boolean {
    return form.element.kind === "int" && form.element.isChar;
  }

  /** The type of a value. */
  #type(form: Form, bitSize: number): string {
    switch (form.kind) {
      case "int":
        if (form.isBool) return "boolean";
        return (bitSize || form.byteSize * 8) > 32 ? "bigint" : "number";
      case "float":
        return "number";
      case "pointer":
        return form.byteSize === 8 ? "bigint" : "number";
      case "enum":
        return this.#called.get(form.enumeration)!;
      case "composite":
        return this.#called.get(form.composite)!;
      case "array": {
        if (this.#isText(form)) return "string";
        const typed = typedArray(form.element);
        if (typed) return typed;
        const element = this.#type(form.element, 0);
        return /^\w+(\[\])*$/.test(element) ? `${element}[]` : `(${element})[]`;
      }
      default:
        return "Uint8Array";
    }
  }

  #readLeaf(leaf: Leaf, composite: Composite): string {
    const { bitOffset, bitSize } = leaf;
    const place = (byteOffset: number): string => (byteOffset === 0 ? "at" : `at + ${byteOffset}`);
    if (bitSize > 0) return this.#readBits(leaf, composite, place);
    const byteOffset = bitOffset / 8;
    return this.#read(leaf, { at: place(byteOffset), end: "end" });
  }

  /** The expression that reads a form at a place. */
  #read(leaf: Leaf, { at, end }: { at: string; end: string }): string {
    const { form } = leaf;
    switch (form.kind) {
      case "int": {
        const getter = `view.get${accessor(form.byteSize, form.isSigned) ?? ""}(${at}${form.byteSize === 1 ? "" : `, ${this.#little}`})`;
        if (form.isBool)
          return accessor(form.byteSize, false)
            ? `${getter} !== ${form.byteSize === 8 ? "0n" : "0"}`
            : `${this.#help("readInt")}(view, ${at}, ${form.byteSize}) !== 0n`;
        if (accessor(form.byteSize, form.isSigned)) return getter;
        const wide = `${this.#help("readInt")}(view, ${at}, ${form.byteSize})`;
        const value = form.isSigned ? `BigInt.asIntN(${form.byteSize * 8}, ${wide})` : wide;
        return form.byteSize * 8 > 32 ? value : `Number(${value})`;
      }
      case "float":
        if (form.byteSize === 4 || form.byteSize === 8)
          return `view.getFloat${form.byteSize * 8}(${at}, ${this.#little})`;
        return `${this.#help("readFloat")}(view, ${at}, ${form.byteSize})`;
      case "pointer":
        return form.byteSize === 8
          ? `view.getBigUint64(${at}, ${this.#little})`
          : `view.getUint32(${at}, ${this.#little})`;
      case "enum": {
        const { byteSize, isSigned } = form.enumeration;
        const number = `view.get${accessor(byteSize, isSigned)}(${at}${byteSize === 1 ? "" : `, ${this.#little}`})`;
        return `nameOf${this.#called.get(form.enumeration)}(${number})`;
      }
      case "composite": {
        const name = this.#called.get(form.composite)!;
        if (!this.#isFlexible(form.composite)) return `read${name}(view, ${at})`;
        return `read${name}(view, ${at}, ${leaf.isLast ? end : `${at} + ${form.byteSize}`})`;
      }
      case "array": {
        const { element } = form;
        const rest = this.#isFlexibleLeaf(leaf) ? `(${end} - (${at}))` : undefined;
        const length =
          rest === undefined
            ? String(form.length)
            : element.byteSize === 1
              ? `Math.max(0, ${rest})`
              : `Math.max(0, Math.floor(${rest} / ${element.byteSize}))`;
        if (this.#isText(form)) return `${this.#help("readText")}(view, ${at}, ${length})`;
        const typed = typedArray(element);
        if (typed) return `${this.#help(`read${typed}`)}(view, ${at}, ${length})`;
        const inner = this.#read({ ...leaf, form: element, isLast: false }, { at: "at", end: "0" });
        return `${this.#help("readArray")}(${at}, ${length}, ${element.byteSize}, (at) => ${inner})`;
      }
      default:
        return `new Uint8Array(${form.byteSize})`;
    }
  }

  #readBits(leaf: Leaf, composite: Composite, place: (byteOffset: number) => string): string {
    const { form, bitSize } = leaf;
    if (form.kind !== "int" && form.kind !== "enum") return "0";
    const isSigned = form.kind === "int" ? form.isSigned : form.enumeration.isSigned;
    const isBool = form.kind === "int" && form.isBool;
    const unit = this.#unitOf(leaf, composite);
    const isWide = bitSize > 32 || (form.kind === "enum" && form.byteSize === 8);
    let value: string;
    if (unit) {
      const word = `view.getUint${unit.byteSize * 8}(${place(unit.byteOffset)}${unit.byteSize === 1 ? "" : `, ${this.#little}`})`;
      const left = 32 - unit.shift - bitSize;
      if (isBool) value = `(${word} & ${hex(mask(bitSize) << BigInt(unit.shift))}) !== 0`;
      else if (isSigned) value = `(${left > 0 ? `(${word} << ${left})` : word} >> ${32 - bitSize})`;
      else if (bitSize === 32) value = word;
      else value = `((${word} >>> ${unit.shift}) & ${hex(mask(bitSize))})`;
      if (!isBool && !isSigned && unit.shift + bitSize === unit.byteSize * 8 && unit.byteSize < 4)
        value = `(${word} >>> ${unit.shift})`;
      if (!isBool && isWide) value = `BigInt(${value})`;
    } else {
      const raw = `${this.#help("readBits")}(view, ${place(0)}, ${leaf.bitOffset}, ${bitSize})`;
      const whole = isSigned ? `BigInt.asIntN(${bitSize}, ${raw})` : raw;
      value = isBool ? `${raw} !== 0n` : isWide ? whole : `Number(${whole})`;
    }
    return form.kind === "enum" ? `nameOf${this.#called.get(form.enumeration)}(${value})` : value;
  }

  /** The word of 1, 2 or 4 bytes inside the struct that holds all bits of a bitfield. */
  #unitOf(leaf: Leaf, composite: Composite): { byteOffset: number; byteSize: 1 | 2 | 4; shift: number } | undefined {
    const { bitOffset, bitSize } = leaf;
    for (const byteSize of [1, 2, 4] as const) {
      const byteOffset = Math.min(Math.floor(bitOffset / 8), composite.byteSize - byteSize);
      const from = bitOffset - byteOffset * 8;
      if (byteOffset < 0 || from + bitSize > byteSize * 8) continue;
      return { byteOffset, byteSize, shift: this.#little ? from : byteSize * 8 - from - bitSize };
    }
    return undefined;
  }

  #writeLeaf(leaf: Leaf, _composite: Composite): string {
    const { bitOffset, bitSize, form } = leaf;
    const value = `value${access(leaf.name)}`;
    const at = bitOffset < 8 || bitSize > 0 ? "at" : `at + ${bitOffset / 8}`;
    let statement: string;
    if (bitSize > 0) {
      const number = form.kind === "enum" ? `valueOf${this.#called.get(form.enumeration)}(${value})` : value;
      const isSigned = form.kind === "enum" ? form.enumeration.isSigned : form.kind === "int" && form.isSigned;
      statement = `${this.#help("writeBits")}(view, at, ${bitOffset}, ${bitSize}, ${isSigned}, ${number}, ${JSON.stringify(leaf.name)})`;
    } else statement = this.#write(leaf, at, value);
    return `  if (${value} !== undefined) ${statement};\n`;
  }

  /** The statement that writes a form at a place. */
  #write(leaf: Leaf, at: string, value: string): string {
    const { form } = leaf;
    const name = JSON.stringify(leaf.name);
    switch (form.kind) {
      case "int":
      case "pointer": {
        const isSigned = form.kind === "int" && form.isSigned;
        return `${this.#help("writeInt")}(view, ${at}, ${form.byteSize}, ${isSigned}, ${value}, ${name})`;
      }
      case "enum": {
        const { byteSize, isSigned } = form.enumeration;
        return `${this.#help("writeInt")}(view, ${at}, ${byteSize}, ${isSigned}, valueOf${this.#called.get(form.enumeration)}(${value}), ${name})`;
      }
      case "float":
        if (form.byteSize === 4 || form.byteSize === 8)
          return `view.setFloat${form.byteSize * 8}(${at}, ${value}, ${this.#little})`;
        return `${this.#help("writeFloat")}(view, ${at}, ${form.byteSize}, ${value})`;
      case "composite":
        return `write${this.#called.get(form.composite)}(view, ${at}, ${value})`;
      case "array": {
        const { element } = form;
        const length = this.#isFlexibleLeaf(leaf) ? "Infinity" : String(form.length);
        if (this.#isText(form)) return `${this.#help("writeText")}(view, ${at}, ${length}, ${value}, ${name})`;
        const inner = this.#write({ ...leaf, form: element, isLast: false }, "at", "value");
        const typed = typedArray(element);
        const type = typed ? (typed.startsWith("Big") ? "bigint" : "number") : `Input<${this.#type(element, 0)}>`;
        return `${this.#help("writeArray")}(${at}, ${length}, ${element.byteSize}, ${value}, ${name}, (at, value: ${type}) => ${inner})`;
      }
      default:
        return `view.setUint8(${at}, 0)`;
    }
  }

  /** Types and codecs of what the object gives access to. */
  #skeleton(object: ObjectModel): string {
    const byId = new Map<number, Composite | Enumeration>(this.#model.definitions);
    const aliasNames = new Map(this.#model.aliases.map((alias) => [alias.originalName, alias]));
    const nameOf = (id: number | undefined, alias: string, byteSize: number): string | undefined => {
      if (id === undefined) return byteSize > 0 ? "Uint8Array" : undefined;
      const known = aliasNames.get(alias);
      if (known) return this.#called.get(known);
      const form = this.#formOf(id);
      return form && byId.has(form) ? this.#called.get(byId.get(form)!) : "Uint8Array";
    };
    const lines: string[] = [];
    const codecs: string[] = [];
    const codec = (name: string | undefined): string =>
      name === undefined || name === "Uint8Array"
        ? "undefined"
        : `{ byteSize: sizeOf${name}, decode: decode${name}, encode: encode${name} }`;
    for (const map of object.maps) {
      const keyName = map.isStream ? undefined : nameOf(map.keyId, `${map.name}_key`, map.keySize);
      const events = map.eventIds.map(
        (id, i) => nameOf(id, map.eventIds.length === 1 ? `${map.name}_event` : `${map.name}_event${i}`, 1)!,
      );
      const valueName = map.isStream
        ? events.join(" | ") || "Uint8Array"
        : nameOf(map.valueId, `${map.name}_value`, map.valueSize);
      lines.push(`    ${key(map.name)}: { key: ${keyName ?? "never"}; value: ${valueName ?? "never"} };\n`);
      const value = map.isStream ? (events.length === 1 ? events[0] : undefined) : valueName;
      codecs.push(`  ${key(map.name, true)}: { key: ${codec(keyName)}, value: ${codec(value)} },\n`);
    }
    const globals = unique(object.globals).map((variable) => {
      const name = nameOf(variable.typeId, variable.name, 0) ?? "Uint8Array";
      return { ...variable, type: name };
    });
    const externs = unique(object.externs).map((variable) => ({
      ...variable,
      type: variable.section === ".kconfig" ? (nameOf(variable.typeId, variable.name, 0) ?? "Uint8Array") : "bigint",
    }));
    const typed = (variables: readonly { name: string; type: string; section: string }[]): string =>
      variables
        .map(({ name, type, section }) => `    /** ${commented(section)} */\n    ${key(name)}: ${type};\n`)
        .join("");
    const programs = unique(object.programs).map(
      ({ name, section, type }) =>
        `    ${key(name)}: { section: ${JSON.stringify(section)}; type: ${JSON.stringify(type)} };\n`,
    );
    const places = globals.map(
      ({ name, section, byteOffset, type }) =>
        `  ${key(name, true)}: { section: ${JSON.stringify(section)}, byteOffset: ${byteOffset}, value: ${codec(type)} },\n`,
    );
    return (
      `/** What the object has, for \`kernel.load<Skeleton>\` of btfkit/live. Kernel variables are addresses. */\n` +
      `export interface Skeleton {\n  maps: {\n${lines.join("")}  };\n  programs: {\n${programs.join("")}  };\n` +
      `  globals: {\n${typed(globals)}  };\n  externs: {\n${typed(externs)}  };\n}\n\n` +
      `/** Codecs of the keys and values of maps. */\nexport const maps = {\n${codecs.join("")}} as const;\n\n` +
      `/** Where global variables lie, and their codecs. */\nexport const globals = {\n${places.join("")}} as const;\n`
    );
  }

  /** The id of the definition behind a type's modifiers, if there is one. */
  #formOf(id: number): number | undefined {
    return this.#model.definitions.has(id) ? id : this.#model.resolved.get(id);
  }
}

/** A form that is no member. */
function whole(form: Form): Leaf {
  return { name: "", form, bitOffset: 0, bitSize: 0, isLast: false, isShared: false };
}

/** The first of each name. */
function unique<T extends { readonly name: string }>(all: readonly T[]): T[] {
  const names = new Set<string>();
  return all.filter(({ name }) => !names.has(name) && names.add(name));
}

/** A property's name. In an object literal `__proto__` would be no property. */
function key(name: string, isLiteral = false): string {
  if (name === "__proto__" && isLiteral) return '["__proto__"]';
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

function access(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

function mask(bits: number): bigint {
  return (1n << BigInt(bits)) - 1n;
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** What DataView calls an integer. */
function accessor(byteSize: number, isSigned: boolean): string | undefined {
  if (byteSize === 8) return isSigned ? "BigInt64" : "BigUint64";
  return byteSize === 1 || byteSize === 2 || byteSize === 4 ? `${isSigned ? "Int" : "Uint"}${byteSize * 8}` : undefined;
}

type TypedArray =
  | "Int8Array"
  | "Uint8Array"
  | "Int16Array"
  | "Uint16Array"
  | "Int32Array"
  | "Uint32Array"
  | "BigInt64Array"
  | "BigUint64Array"
  | "Float32Array"
  | "Float64Array";

/** The typed array of such elements. */
function typedArray(element: Form): TypedArray | undefined {
  if (element.kind === "pointer") return element.byteSize === 8 ? "BigUint64Array" : "Uint32Array";
  if (element.kind === "float")
    return element.byteSize === 4 ? "Float32Array" : element.byteSize === 8 ? "Float64Array" : undefined;
  if (element.kind !== "int" || element.isBool) return undefined;
  const name = accessor(element.byteSize, element.isSigned);
  return name === undefined ? undefined : (`${name}Array` as TypedArray);
}

/** A form in words, as C would have it. */
function describe(form: Form): string {
  let dimensions = "";
  let at = form;
  for (; at.kind === "array"; at = at.element) dimensions += `[${at.length || ""}]`;
  switch (at.kind) {
    case "int":
    case "float":
      return `${commented(at.name)}${dimensions}`;
    case "pointer":
      return `${commented(at.target.kind === "func_proto" ? "function" : at.target.name || at.target.kind)} *${dimensions}`;
    case "enum":
      return `enum ${commented(at.enumeration.originalName)}${dimensions}`;
    case "composite":
      return `${at.composite.kind} ${commented(at.composite.originalName)}${dimensions}`;
    default:
      return `bytes${dimensions}`;
  }
}

interface Helper {
  readonly needs?: readonly string[];
  readonly text: string;
}

/** Reads a typed array element by element: the place need not be aligned, and the host's byte order may be another. */
function arrayReader(name: TypedArray): Helper {
  const element = name.replace("Array", "");
  const isBytes = name === "Uint8Array" || name === "Int8Array";
  const body = isBytes
    ? `  return new ${name}(view.buffer, view.byteOffset + at, length).slice();\n`
    : `  const values = new ${name}(length);\n  for (let i = 0; i < length; i++) values[i] = view.get${element}(at + i * ${name}.BYTES_PER_ELEMENT, LITTLE_ENDIAN);\n  return values;\n`;
  return {
    ...(!isBytes && { needs: ["LITTLE_ENDIAN"] }),
    text: `function read${name}(view: DataView, at: number, length: number): ${name} {\n${body}}\n`,
  };
}

/** Functions of the generated module; those that are used are written. */
const HELPERS = {
  LITTLE_ENDIAN: { text: "const LITTLE_ENDIAN: boolean = LITTLE_VALUE;\n" },
  Input: {
    text: `/** What an encoder takes: members may be left out, and arrays be any list. */
export type Input<T> = T extends string | number | bigint | boolean
  ? T
  : T extends { readonly BYTES_PER_ELEMENT: number; readonly [index: number]: infer E }
    ? ArrayLike<E>
    : T extends readonly (infer E)[]
      ? ArrayLike<Input<E>>
      : { readonly [K in keyof T]?: Input<T[K]> | undefined };
`,
  },
  viewOf: {
    text: `function viewOf(bytes: ArrayBuffer | ArrayBufferView, byteSize: number, name: string): DataView {
  const view = ArrayBuffer.isView(bytes)
    ? new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new DataView(bytes);
  if (view.byteLength < byteSize) throw new RangeError(\`\${name} has \${byteSize} bytes, there are \${view.byteLength}\`);
  return view;
}
`,
  },
  readInt: {
    needs: ["LITTLE_ENDIAN"],
    text: `function readInt(view: DataView, at: number, byteSize: number): bigint {
  let value = 0n;
  for (let i = 0; i < byteSize; i++) value = (value << 8n) | BigInt(view.getUint8(at + (LITTLE_ENDIAN ? byteSize - 1 - i : i)));
  return value;
}
`,
  },
  readBits: {
    needs: ["LITTLE_ENDIAN"],
    text: `function readBits(view: DataView, at: number, bitOffset: number, bitSize: number): bigint {
  let value = 0n;
  for (let i = 0; i < bitSize; i++) {
    const bit = bitOffset + i;
    const byte = view.getUint8(at + (bit >> 3));
    if (LITTLE_ENDIAN) value |= BigInt((byte >> (bit & 7)) & 1) << BigInt(i);
    else value = (value << 1n) | BigInt((byte >> (7 - (bit & 7))) & 1);
  }
  return value;
}
`,
  },
  readFloat: {
    needs: ["readInt", "LITTLE_ENDIAN"],
    text: `function readFloat(view: DataView, at: number, byteSize: number): number {
  const bits = readInt(view, at, byteSize);
  if (byteSize === 2) {
    const [sign, exponent, fraction] = [bits & 0x8000n ? -1 : 1, Number((bits >> 10n) & 0x1fn), Number(bits & 0x3ffn)];
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return exponent ? sign * 2 ** (exponent - 25) * (1024 + fraction) : sign * 2 ** -24 * fraction;
  }
  // The 80-bit format of x87; the other machines' long double has 128 bits, all of them used.
  const isExtended = LITTLE_ENDIAN && bits >> 80n === 0n;
  const width = isExtended ? 80n : BigInt(byteSize * 8);
  const fractionBits = isExtended ? 64n : 112n;
  const sign = (bits >> (width - 1n)) & 1n ? -1 : 1;
  const exponent = Number((bits >> fractionBits) & 0x7fffn);
  const fraction = bits & ((1n << fractionBits) - 1n);
  const mantissa = isExtended || exponent === 0 ? fraction : fraction | (1n << fractionBits);
  if (exponent === 0x7fff) return fraction & ((1n << (isExtended ? 63n : 112n)) - 1n) ? NaN : sign * Infinity;
  const scale = Math.max(exponent, 1) - 16383 - Number(isExtended ? 63n : fractionBits);
  return sign * Number(mantissa) * 2 ** Math.ceil(scale / 2) * 2 ** Math.floor(scale / 2);
}
`,
  },
  readText: {
    text: `const utf8Decoder = /* @__PURE__ */ new TextDecoder();

function readText(view: DataView, at: number, length: number): string {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + at, length);
  const end = bytes.indexOf(0);
  return utf8Decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
}
`,
  },
  readArray: {
    text: `function readArray<T>(at: number, length: number, byteSize: number, read: (at: number) => T): T[] {
  const values: T[] = [];
  for (let i = 0; i < length; i++) values.push(read(at + i * byteSize));
  return values;
}
`,
  },
  readInt8Array: /* @__PURE__ */ arrayReader("Int8Array"),
  readUint8Array: /* @__PURE__ */ arrayReader("Uint8Array"),
  readInt16Array: /* @__PURE__ */ arrayReader("Int16Array"),
  readUint16Array: /* @__PURE__ */ arrayReader("Uint16Array"),
  readInt32Array: /* @__PURE__ */ arrayReader("Int32Array"),
  readUint32Array: /* @__PURE__ */ arrayReader("Uint32Array"),
  readBigInt64Array: /* @__PURE__ */ arrayReader("BigInt64Array"),
  readBigUint64Array: /* @__PURE__ */ arrayReader("BigUint64Array"),
  readFloat32Array: /* @__PURE__ */ arrayReader("Float32Array"),
  readFloat64Array: /* @__PURE__ */ arrayReader("Float64Array"),
  checked: {
    text: `function checked(bits: number, isSigned: boolean, value: number | bigint | boolean, name: string): bigint {
  if (typeof value === "number" && !Number.isInteger(value)) throw new RangeError(\`\${name}: \${value} is no integer\`);
  const integer = BigInt(value);
  const fits = isSigned ? BigInt.asIntN(bits, integer) : BigInt.asUintN(bits, integer);
  if (fits !== integer) throw new RangeError(\`\${name}: \${value} does not fit into \${bits} bits\`);
  return integer;
}
`,
  },
  writeInt: {
    needs: ["checked", "LITTLE_ENDIAN"],
    text: `function writeInt(
  view: DataView,
  at: number,
  byteSize: number,
  isSigned: boolean,
  value: number | bigint | boolean,
  name: string,
): void {
  const bits = byteSize * 8;
  if (typeof value === "number" && bits <= 32 && Number.isInteger(value)) {
    const low = isSigned ? -(2 ** (bits - 1)) : 0;
    if (value >= low && value < low + 2 ** bits) {
      for (let i = 0; i < byteSize; i++) view.setUint8(at + (LITTLE_ENDIAN ? i : byteSize - 1 - i), (value >> (i * 8)) & 0xff);
      return;
    }
  }
  let rest = BigInt.asUintN(bits, checked(bits, isSigned, value, name));
  for (let i = 0; i < byteSize; i++) {
    view.setUint8(at + (LITTLE_ENDIAN ? i : byteSize - 1 - i), Number(rest & 0xffn));
    rest >>= 8n;
  }
}
`,
  },
  writeBits: {
    needs: ["checked", "LITTLE_ENDIAN"],
    text: `function writeBits(
  view: DataView,
  at: number,
  bitOffset: number,
  bitSize: number,
  isSigned: boolean,
  value: number | bigint | boolean,
  name: string,
): void {
  const bits = BigInt.asUintN(bitSize, checked(bitSize, isSigned, value, name));
  for (let i = 0; i < bitSize; i++) {
    const bit = bitOffset + i;
    const byte = at + (bit >> 3);
    const mask = LITTLE_ENDIAN ? 1 << (bit & 7) : 0x80 >> (bit & 7);
    const isSet = (bits >> BigInt(LITTLE_ENDIAN ? i : bitSize - 1 - i)) & 1n;
    view.setUint8(byte, isSet ? view.getUint8(byte) | mask : view.getUint8(byte) & ~mask);
  }
}
`,
  },
  writeFloat: {
    text: `function writeFloat(view: DataView, at: number, byteSize: number, value: number): void {
  throw new RangeError(\`floating-point numbers of \${byteSize} bytes cannot be encoded: \${value}, byte \${at} of \${view.byteLength}\`);
}
`,
  },
  utf8: {
    text: `const utf8Encoder = /* @__PURE__ */ new TextEncoder();

function utf8(text: string): Uint8Array {
  return utf8Encoder.encode(text);
}
`,
  },
  writeText: {
    needs: ["utf8"],
    text: `function writeText(view: DataView, at: number, length: number, text: string, name: string): void {
  const bytes = utf8(text);
  if (bytes.length > length) throw new RangeError(\`\${name}: \${bytes.length} bytes do not fit into \${length}\`);
  new Uint8Array(view.buffer, view.byteOffset + at, Math.min(length, view.byteLength - at)).fill(0).set(bytes);
}
`,
  },
  writeArray: {
    text: `function writeArray<T>(at: number, length: number, byteSize: number, values: ArrayLike<T>, name: string, write: (at: number, value: T) => void): void {
  if (values.length > length) throw new RangeError(\`\${name}: \${values.length} elements do not fit into \${length}\`);
  for (let i = 0; i < values.length; i++) write(at + i * byteSize, values[i]!);
}
`,
  },
} satisfies Record<string, Helper>;
