/** Values by their types, as bpftool prints them: also where it gives up, at a type that it has no words for. */

import { sizeOf } from "../../btf/query/resolve.js";
import type { ArrayType, BtfType, DatasecType, StructType, UnionType } from "../../btf/types.js";
import { jsonFormatterOf } from "../../data/text/json.js";
import type { JsonWriter } from "./json-writer.js";

/** Writes a value; false if bpftool stops there. */
type Write = (json: JsonWriter, bytes: Uint8Array, at: number) => boolean;

/** Writes values of types. What is made for a type is kept. */
export class ValueWriter {
  readonly #isPlain: boolean;
  readonly #known = new Map<BtfType, Write>();
  readonly #supported = new Map<BtfType, boolean>();

  /** @param isPlain without --json: pointers and bitfields are no JSON then */
  constructor(isPlain: boolean) {
    this.#isPlain = isPlain;
  }

  /** Writes the value of a type that starts at a byte. */
  write(json: JsonWriter, type: BtfType, bytes: Uint8Array, at = 0): boolean {
    let write = this.#known.get(type);
    if (!write) {
      write = this.#isSupported(type) ? this.#whole(type) : this.#partial(type);
      this.#known.set(type, write);
    }
    return write(json, bytes, at);
  }

  /** A type that bpftool can print is formatted in one go, at each depth that it occurs at. */
  #whole(type: BtfType): Write {
    const byDepth = new Map<number, ReturnType<typeof jsonFormatterOf>>();
    return (json, bytes, at) => {
      let format = byDepth.get(json.depth);
      if (!format) {
        format = jsonFormatterOf(type, {
          plain: this.#isPlain,
          pretty: json.isPretty,
          indentLevel: json.depth,
          compat: "bpftool-7.1",
        });
        byDepth.set(json.depth, format);
      }
      json.raw(format(bytes, at));
      return true;
    };
  }

  #partial(type: BtfType): Write {
    switch (type.kind) {
      case "struct":
      case "union":
        return this.#struct(type);
      case "array":
        return this.#array(type);
      case "datasec":
        return this.#section(type);
      case "var":
        return (json, bytes, at) => {
          json.startObject().name(type.name);
          const isWhole = this.write(json, type.type, bytes, at);
          json.endObject();
          return isWhole;
        };
      case "typedef":
      case "const":
      case "volatile":
      case "restrict": {
        const target = resolved(type);
        return (json, bytes, at) => this.write(json, target, bytes, at);
      }
      case "void":
        return (json) => {
          json.raw("(unknown)");
          return true;
        };
      case "fwd":
        return (json) => {
          json.raw("(fwd-kind-invalid)");
          return false;
        };
      default:
        return (json) => {
          json.raw("(unsupported-kind");
          return false;
        };
    }
  }

  #struct({ members }: StructType | UnionType): Write {
    return (json, bytes, at) => {
      json.startObject();
      let isWhole = true;
      for (const { name, type, bitOffset } of members) {
        json.name(name);
        isWhole = this.write(json, type, bytes, at + (bitOffset >> 3));
        if (!isWhole) break;
      }
      json.endObject();
      return isWhole;
    };
  }

  #array({ element, length }: ArrayType): Write {
    const step = Number(sizeOf(element) ?? 0);
    return (json, bytes, at) => {
      json.startArray();
      let isWhole = true;
      for (let i = 0; i < length && isWhole; i++) isWhole = this.write(json, element, bytes, at + i * step);
      json.endArray();
      return isWhole;
    };
  }

  #section({ name, variables }: DatasecType): Write {
    return (json, bytes, at) => {
      json.startObject().name(name).startArray();
      let isWhole = true;
      for (const { type, byteOffset } of variables) {
        isWhole = this.write(json, type, bytes, at + byteOffset);
        if (!isWhole) break;
      }
      json.endArray().endObject();
      return isWhole;
    };
  }

  #isSupported(type: BtfType): boolean {
    let supported = this.#supported.get(type);
    if (supported === undefined) {
      supported = this.#check(type);
      this.#supported.set(type, supported);
    }
    return supported;
  }

  #check(type: BtfType): boolean {
    switch (type.kind) {
      case "int":
      case "enum":
      case "enum64":
      case "ptr":
        return true;
      case "struct":
      case "union":
        return type.members.every((member) => this.#isSupported(member.type));
      case "array":
        return this.#isSupported(type.element);
      case "var":
        return this.#isSupported(type.type);
      case "datasec":
        return type.variables.every((variable) => this.#isSupported(variable.type));
      case "typedef":
      case "const":
      case "volatile":
      case "restrict":
        return this.#isSupported(resolved(type));
      default:
        return false;
    }
  }
}

/** What a modifier stands for, as libbpf resolves it. */
function resolved(type: BtfType): BtfType {
  let found = type;
  for (;;) {
    switch (found.kind) {
      case "typedef":
      case "const":
      case "volatile":
      case "restrict":
      case "type_tag":
        found = found.target;
        break;
      case "var":
        found = found.type;
        break;
      default:
        return found;
    }
  }
}
