/**
 * Volatility 3's symbols (ISF, its schema 6.2.0): all types of a kernel as
 * JSON, with the addresses of a System.map.
 */

import type { Endian } from "../btf/header.js";
import { resolve } from "../btf/query/resolve.js";
import type { BtfType } from "../btf/types.js";
import { ERR_ARGUMENT } from "../errors/btf.js";
import { BtfError } from "../errors/error.js";
import type { Composite, Enumeration, Form, Model } from "./model.js";
import { Names } from "./names.js";

/** Facts that BTF does not have. */
export interface IsfOptions {
  /** The text of the kernel's `System.map`, or of /proc/kallsyms as root sees it. */
  readonly systemMap?: string;
  /** What /proc/version says: volatility finds the symbols of an image by it. */
  readonly banner?: string;
  /** Types of the kernel's variables, by name. */
  readonly variables?: ReadonlyMap<string, Form>;
}

interface Reference {
  readonly kind: string;
  readonly name?: string;
  readonly count?: number;
  readonly subtype?: Reference;
  readonly bit_position?: number;
  readonly bit_length?: number;
  readonly type?: Reference;
}

interface Base {
  readonly size: number;
  readonly signed: boolean;
  readonly kind: "void" | "int" | "float" | "char" | "bool";
  readonly endian: Endian;
}

const VOID: Reference = { kind: "base", name: "void" };
/** Pointers to pointers that are followed. */
const DEPTH_LIMIT = 32;

/** The JSON of a model. */
export function generateIsf(model: Model, options: IsfOptions = {}): string {
  return new IsfWriter(model).json(options);
}

class IsfWriter {
  readonly #model: Model;
  readonly #called = new Map<Composite | Enumeration, string>();
  readonly #byName = new Map<string, Composite>();
  readonly #bases = new Map<string, Base>();
  readonly #references = new Map<Form, string>();
  readonly #baseNames = new Names();

  constructor(model: Model) {
    this.#model = model;
  }

  json({ systemMap, banner, variables }: IsfOptions): string {
    const { composites, enumerations, endian, pointerSize } = this.#model;
    this.#bases.set("void", { size: 0, signed: false, kind: "void", endian });
    this.#bases.set("pointer", { size: pointerSize, signed: false, kind: "int", endian });
    for (const name of ["void", "pointer"]) this.#baseNames.take(name);
    const types = new Names();
    for (const composite of composites) {
      const called = composite.originalName ? types.take(composite.name) : types.take(`unnamed_${composite.typeId}`);
      this.#called.set(composite, called);
      const key = `${composite.kind} ${composite.originalName}`;
      if (composite.originalName && !this.#byName.has(key)) this.#byName.set(key, composite);
    }
    const enums = new Names();
    for (const one of enumerations) {
      this.#called.set(one, one.originalName ? enums.take(one.name) : enums.take(`unnamed_${one.typeId}`));
    }
    const userTypes = composites.map((one) => `${JSON.stringify(this.#called.get(one))}:${this.#userType(one)}`);
    const enumTypes = enumerations.map((one) => `${JSON.stringify(this.#called.get(one))}:${this.#enumType(one)}`);
    const symbols = this.#symbols(systemMap, banner, variables);
    const metadata = {
      format: "6.2.0",
      producer: { name: "btfkit", version: "1" },
      linux: { symbols: systemMap === undefined ? [] : [{ kind: "system-map", name: "System.map" }], types: [] },
    };
    // Base types are known when all else is written.
    const parts = {
      metadata: JSON.stringify(metadata),
      base_types: JSON.stringify(Object.fromEntries(this.#bases)),
      user_types: `{${userTypes.join(",")}}`,
      enums: `{${enumTypes.join(",")}}`,
      symbols,
    };
    return `{${Object.entries(parts)
      .map(([name, text]) => `"${name}":${text}`)
      .join(",")}}\n`;
  }

  #base(name: string, size: number, signed: boolean, kind: "int" | "float" | "char" | "bool"): string {
    const { endian } = this.#model;
    // Two languages may have an `int`: the second gets its size behind the name.
    for (const candidate of [name, `${name}_${size}${signed ? "s" : "u"}_${kind}`]) {
      const known = this.#bases.get(candidate);
      if (known && (known.size !== size || known.signed !== signed || known.kind !== kind)) continue;
      if (!known) this.#bases.set(candidate, { size, signed, kind, endian });
      return candidate;
    }
    return "void";
  }

  /** A struct or union as JSON. */
  #userType(composite: Composite): string {
    const scope = new Names();
    const fields: string[] = [];
    for (const { name, label, form, bitOffset, bitSize } of composite.fields) {
      const isAnonymous = name === "" && form.kind === "composite";
      const place = bitSize > 0 ? this.#bitfield(form, bitOffset, bitSize) : undefined;
      if (bitSize > 0 && !place) continue;
      // Volatility looks at members of anonymous members beside the others.
      const called = scope.take(isAnonymous ? `unnamed_field_${label}` : label);
      const anonymous = isAnonymous ? ',"anonymous":true' : "";
      const field = place
        ? JSON.stringify(place)
        : `{"type":${this.#referenceText(form)},"offset":${bitOffset / 8}${anonymous}}`;
      fields.push(`${JSON.stringify(called)}:${field}`);
    }
    return `{"kind":"${composite.kind}","size":${composite.byteSize},"fields":{${fields.join(",")}}}`;
  }

  /** A reference as JSON. Members share forms, so that few are written anew. */
  #referenceText(form: Form): string {
    let text = this.#references.get(form);
    if (text === undefined) {
      text = JSON.stringify(this.#reference(form));
      this.#references.set(form, text);
    }
    return text;
  }

  /** A bitfield in the smallest integer that holds it: positions count from the low bit of that. */
  #bitfield(form: Form, bitOffset: number, bitSize: number): object | undefined {
    if (form.kind !== "int" && form.kind !== "enum") return undefined;
    const signed = form.kind === "int" ? form.isSigned : form.enumeration.isSigned;
    for (const size of [form.byteSize, 1, 2, 4, 8]) {
      if (![1, 2, 4, 8].includes(size)) continue;
      const exact = size === form.byteSize;
      const offset = Math.floor(bitOffset / (size * 8)) * size;
      const from = bitOffset - offset * 8;
      if (from + bitSize > size * 8) continue;
      const position = this.#model.endian === "little" ? from : size * 8 - from - bitSize;
      const type =
        exact && form.kind === "int"
          ? this.#reference(form)
          : { kind: "base", name: this.#base(integerName(size, signed), size, signed, "int") };
      return { offset, type: { kind: "bitfield", bit_position: position, bit_length: bitSize, type } };
    }
    // It begins in a word and ends in the next, of a packed struct.
    const offset = Math.floor(bitOffset / 8);
    const from = bitOffset - offset * 8;
    if (from + bitSize > 64) return undefined;
    const position = this.#model.endian === "little" ? from : 64 - from - bitSize;
    const type = { kind: "base", name: this.#base(integerName(8, signed), 8, signed, "int") };
    return { offset, type: { kind: "bitfield", bit_position: position, bit_length: bitSize, type } };
  }

  /** An enum as JSON. Its values may pass 2^53, which JSON.stringify cannot write. */
  #enumType({ byteSize, isSigned, constants }: Enumeration): string {
    const base = this.#base(integerName(byteSize, isSigned), byteSize, isSigned, "int");
    const values = new Map<string, bigint>();
    for (const { name, value } of constants) if (!values.has(name)) values.set(name, value);
    const list = [...values].map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(",");
    return `{"size":${byteSize},"base":${JSON.stringify(base)},"constants":{${list}}}`;
  }

  #reference(form: Form): Reference {
    switch (form.kind) {
      case "int": {
        const { name, byteSize, isSigned, isBool, isChar } = form;
        const kind = isBool ? "bool" : isChar ? "char" : "int";
        return { kind: "base", name: this.#base(name || integerName(byteSize, isSigned), byteSize, isSigned, kind) };
      }
      case "float":
        return {
          kind: "base",
          name: this.#base(form.name || `float${form.byteSize * 8}`, form.byteSize, true, "float"),
        };
      case "pointer":
        return { kind: "pointer", subtype: this.#pointed(form.target, DEPTH_LIMIT) };
      case "enum":
        return { kind: "enum", name: this.#called.get(form.enumeration)! };
      case "composite":
        return { kind: form.composite.kind, name: this.#called.get(form.composite)! };
      case "array":
        return { kind: "array", count: form.length, subtype: this.#reference(form.element) };
      default:
        return VOID;
    }
  }

  /** What a pointer leads to: only definitions that are there, for a missing one makes the file useless. */
  #pointed(type: BtfType, depth: number): Reference {
    let target: BtfType;
    try {
      target = resolve(type);
    } catch (error) {
      if (error instanceof BtfError) return VOID;
      throw error;
    }
    if (depth === 0) return VOID;
    switch (target.kind) {
      case "struct":
      case "union":
      case "fwd": {
        const kind = target.kind === "fwd" ? target.forwardKind : target.kind;
        const found = this.#model.definitions.get(target.id) ?? this.#byName.get(`${kind} ${target.name}`);
        const called = found && this.#called.get(found);
        return called && "fields" in found ? { kind: found.kind, name: called } : VOID;
      }
      case "enum":
      case "enum64": {
        const found = this.#model.definitions.get(target.id);
        const called = found && this.#called.get(found);
        return called ? { kind: "enum", name: called } : VOID;
      }
      case "ptr":
        return { kind: "pointer", subtype: this.#pointed(target.target, depth - 1) };
      case "array":
        return { kind: "array", count: target.length, subtype: this.#pointed(target.element, depth - 1) };
      case "func_proto":
        return { kind: "function" };
      case "int": {
        const { name, byteSize, isSigned, isBool } = target;
        if (byteSize === 0) return VOID;
        return this.#reference({
          kind: "int",
          name,
          byteSize,
          isSigned,
          isBool,
          isChar: byteSize === 1 && name === "char",
        });
      }
      case "float":
        return this.#reference({ kind: "float", name: target.name, byteSize: target.byteSize });
      default:
        return VOID;
    }
  }

  /** Symbols as JSON. Addresses pass 2^53, which JSON.stringify cannot write. */
  #symbols(
    systemMap: string | undefined,
    banner: string | undefined,
    variables: ReadonlyMap<string, Form> | undefined,
  ): string {
    const found = new Map<string, string>();
    if (systemMap !== undefined) {
      for (const [i, line] of systemMap.split("\n").entries()) {
        if (line.trim() === "") continue;
        const [, address, name] = /^([0-9a-fA-F]{1,16})\s+\S\s+(\S+)(?:\s.*)?$/.exec(line.trimEnd()) ?? [];
        if (address === undefined || name === undefined) {
          throw new BtfError(ERR_ARGUMENT, { note: `System.map, line ${i + 1}: not an address, a type and a name` });
        }
        if (found.has(name)) continue;
        const form = variables?.get(name);
        const type = !form || form.kind === "opaque" ? "" : `,"type":${this.#referenceText(form)}`;
        const data =
          name === "linux_banner" && banner !== undefined ? `,"constant_data":${JSON.stringify(base64(banner))}` : "";
        found.set(name, `{"address":${BigInt(`0x${address}`)}${type}${data}}`);
      }
    }
    if (banner !== undefined && !found.has("linux_banner")) {
      found.set("linux_banner", `{"address":0,"constant_data":${JSON.stringify(base64(banner))}}`);
    }
    return `{${[...found].map(([name, symbol]) => `${JSON.stringify(name)}:${symbol}`).join(",")}}`;
  }
}

function integerName(byteSize: number, isSigned: boolean): string {
  const names: Record<number, string> = { 1: "char", 2: "short int", 4: "int", 8: "long long int" };
  return isSigned && byteSize === 1
    ? "signed char"
    : `${isSigned ? "" : "unsigned "}${names[byteSize] ?? `int${byteSize * 8}`}`;
}

function base64(text: string): string {
  let binary = "";
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}
