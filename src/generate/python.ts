/**
 * Python: ctypes structures. All are packed and hold their padding, so that
 * they have the kernel's layout on every machine.
 */

import type { Endian } from "../btf/header.js";
import { type Composite, type Enumeration, type Field, type Form, innermost, type Model } from "./model.js";
import { commented, identifier, Names } from "./names.js";
import { slotsOf, unionSlots } from "./slots.js";

const KEYWORDS =
  "False None True and as assert async await break class continue def del elif else except finally for from global if " +
  "import in is lambda nonlocal not or pass raise return try while with yield ";

/** Names of the module: besides keywords those that the generated code uses. */
const MODULE_NAMES = /* @__PURE__ */ new Set(
  /* @__PURE__ */ `${KEYWORDS}ctypes enum property int bool getattr bytes OverflowError bitfield U8 I8 U16 I16 U32 I32 U64 I64 F32 F64`.split(
    " ",
  ),
);

/** Names of members: besides keywords those that ctypes, enum and Python read. */
const MEMBER_WORDS =
  `${KEYWORDS}_fields_ _pack_ _anonymous_ _layout_ _align_ _swappedbytes_ _b_base_ _b_needsfree_ _objects mro ` +
  "from_buffer from_buffer_copy from_address from_param in_dll __class__ __dict__ __init__ __new__ __slots__ " +
  "__getattr__ __setattr__ __delattr__ __getattribute__ __del__ __doc__ __module__ __name__ __qualname__ __weakref__ " +
  "__init_subclass__ __set_name__ __mro_entries__ __ctypes_from_outparam__ __ctype_be__ __ctype_le__";
const MEMBER_NAMES = /* @__PURE__ */ new Set(/* @__PURE__ */ MEMBER_WORDS.split(" "));
/** An enum has attributes too. */
const ENUMERATOR_NAMES = /* @__PURE__ */ new Set(/* @__PURE__ */ `${MEMBER_WORDS} name value names`.split(" "));

/** A module with the definitions of a model. */
export function generatePython(model: Model): string {
  return new PythonWriter(model).module();
}

class PythonWriter {
  readonly #model: Model;
  readonly #names = new Names(MODULE_NAMES);
  readonly #called = new Map<Composite | Enumeration, string>();

  constructor(model: Model) {
    this.#model = model;
  }

  module(): string {
    const { composites, enumerations, aliases, refusals, pointerSize, endian } = this.#model;
    for (const one of [...enumerations, ...composites]) this.#called.set(one, this.#names.take(one.name));
    const blocks = [
      ...enumerations.map((one) => this.#enumeration(one)),
      ...composites.map((one) => this.#composite(one)),
      ...aliases.map(({ name, originalName, form }) => {
        const alias = this.#names.take(name);
        const note = originalName === alias ? "" : `  # ${commented(originalName)}`;
        return `${alias} = ${this.#type(form)}${note}\nassert ctypes.sizeof(${alias}) == ${form.byteSize}\n`;
      }),
    ];
    const why = refusals.map(({ name, reason }) => `# ${commented(name)}: ${commented(reason)}\n`).join("");
    const usesBits = composites.some(({ fields }) => fields.some(({ bitSize }) => bitSize > 0));
    return [
      `# Generated from BTF: ${pointerSize * 8}-bit, ${endian} endian. Do not edit.\nimport ctypes\nimport enum\n\n` +
        scalars(endian),
      ...(usesBits ? [endian === "little" ? LITTLE_BITS : BIG_BITS] : []),
      ...blocks,
      ...(why ? [why] : []),
    ].join("\n\n");
  }

  #enumeration(enumeration: Enumeration): string {
    const { byteSize, isSigned, constants, originalName } = enumeration;
    const name = this.#called.get(enumeration)!;
    const scope = new Names(ENUMERATOR_NAMES);
    const lines = constants.map(({ name: constant, value }) => {
      // Names of two underscores at both ends are Python's, and one at both ends the enum's.
      const plain = /^_.*_$/.test(identifier(constant)) ? `${identifier(constant)}x` : constant;
      const fits = isSigned ? BigInt.asIntN(byteSize * 8, value) : BigInt.asUintN(byteSize * 8, value);
      return `    "${scope.take(plain)}": ${fits},\n`;
    });
    // As a class its names would be private ones where they start with two underscores.
    return `# enum ${commented(originalName)}, ${byteSize} bytes\n${name} = enum.IntEnum("${name}", {\n${lines.join("")}})\n`;
  }

  #composite(composite: Composite): string {
    const { kind, originalName, byteSize, omissions } = composite;
    const name = this.#called.get(composite)!;
    const scope = new Names(MEMBER_NAMES);
    const lines: string[] = [];
    const accessors: string[] = [];
    const asserts = [`assert ctypes.sizeof(${name}) == ${byteSize}\n`];
    let paddings = 0;
    let groups = 0;
    for (const slot of kind === "union" ? unionSlots(composite) : slotsOf(composite)) {
      if (slot.kind === "padding") {
        lines.push(`    ("${scope.take(`_padding${paddings++}`)}", U8 * ${slot.byteSize}),\n`);
      } else if (slot.kind === "field") {
        const { label, form } = slot.field;
        const field = scope.take(label);
        lines.push(`    ("${field}", ${this.#type(form)}),${note(form, label, field)}\n`);
        asserts.push(`assert ${name}.${field}.offset == ${slot.byteOffset}\n`);
      } else {
        const group = scope.take(`_bitfield${groups++}`);
        lines.push(`    ("${group}", U8 * ${slot.byteSize}),\n`);
        asserts.push(`assert ${name}.${group}.offset == ${slot.byteOffset}\n`);
        for (const field of slot.fields) accessors.push(this.#accessor(name, field, group, slot.byteOffset, scope));
      }
    }
    for (const { name: omitted, bitOffset, reason } of omissions) {
      lines.push(`    # ${commented(omitted)} at bit ${bitOffset}: ${commented(reason)}\n`);
    }
    return (
      `class ${name}(ctypes.${kind === "union" ? "Union" : "Structure"}):\n    """${kind} ${doc(originalName)}, ${byteSize} bytes"""\n\n` +
      // Inside the class, names would be private ones where they start with two underscores.
      `    _pack_ = 1\n\n\n${name}._fields_ = [\n${lines.join("")}]\n${accessors.join("")}${asserts.join("")}`
    );
  }

  #accessor(owner: string, field: Field, group: string, groupOffset: number, scope: Names): string {
    const { form, bitOffset, bitSize, name } = field;
    const isSigned = form.kind === "int" ? form.isSigned : form.kind === "enum" && form.enumeration.isSigned;
    const type = form.kind === "int" && form.isBool ? "bool" : "int";
    const place = `"${group}", ${bitOffset - groupOffset * 8}, ${bitSize}, ${isSigned ? "True" : "False"}, ${type}`;
    return `${owner}.${scope.take(name)} = bitfield(${place})\n`;
  }

  #type(form: Form): string {
    switch (form.kind) {
      case "array":
        return `${this.#type(form.element)} * ${form.length}`;
      case "int":
      case "float":
        return nativeName(form) ?? `U8 * ${form.byteSize}`;
      case "pointer":
        return `U${form.byteSize * 8}`;
      case "enum":
        return `${form.enumeration.isSigned ? "I" : "U"}${form.byteSize * 8}`;
      case "composite":
        return this.#called.get(form.composite)!;
      default:
        return `U8 * ${form.byteSize}`;
    }
  }
}

/** Names for ctypes' scalars in the byte order of the data, whatever the machine's is. */
function scalars(endian: Endian): string {
  const order = `.__ctype_${endian === "little" ? "le" : "be"}__`;
  const integers = [8, 16, 32, 64].flatMap((bits) =>
    ["U", "I"].map(
      (sign) => `${sign}${bits} = ctypes.c_${sign === "U" ? "u" : ""}int${bits}${bits === 8 ? "" : order}\n`,
    ),
  );
  return `${integers.join("")}F32 = ctypes.c_float${order}\nF64 = ctypes.c_double${order}\n`;
}

function doc(name: string): string {
  return commented(name).replace(/["\\]/g, "?") || "without a name";
}

function nativeName(form: Extract<Form, { kind: "int" | "float" }>): string | undefined {
  const { byteSize } = form;
  if (form.kind === "float") return byteSize === 4 || byteSize === 8 ? `F${byteSize * 8}` : undefined;
  if (form.isBool && byteSize === 1) return "ctypes.c_bool";
  if (form.isChar) return "ctypes.c_char";
  if (byteSize !== 1 && byteSize !== 2 && byteSize !== 4 && byteSize !== 8) return undefined;
  return `${form.isSigned ? "I" : "U"}${byteSize * 8}`;
}

/** What the type does not say: a pointer's target, an enum, a name that was none. */
function note(form: Form, label: string, field: string): string {
  const notes = label === field ? [] : [commented(label)];
  const inner = innermost(form);
  if (inner.kind === "pointer") {
    const { target } = inner;
    notes.push(`*${commented(target.kind === "func_proto" ? "function" : target.name || target.kind)}`);
  } else if (inner.kind === "enum") notes.push(`enum ${commented(inner.enumeration.originalName)}`);
  else if ((inner.kind === "int" || inner.kind === "float") && !nativeName(inner)) notes.push(commented(inner.name));
  return notes.length > 0 ? `  # ${notes.join(", ")}` : "";
}

const BITS = `def bitfield(group, start, count, signed, kind):
    def read(self):
        data = getattr(self, group)
        value = (int.from_bytes(bytes(data), "ORDER") >> SHIFT) & ((1 << count) - 1)
        return kind(value - (1 << count) if signed and value >> (count - 1) else value)

    def write(self, value):
        data = getattr(self, group)
        if not (-(1 << (count - 1)) if signed else 0) <= value < 1 << (count - signed):
            raise OverflowError(f"{value} does not fit into {count} bits")
        mask = ((1 << count) - 1) << SHIFT
        whole = int.from_bytes(bytes(data), "ORDER") & ~mask | (int(value) << SHIFT) & mask
        data[:] = whole.to_bytes(len(data), "ORDER")

    return property(read, write, doc=f"{count} bits, from bit {start} of {group}")
`;

const LITTLE_BITS = BITS.replaceAll("ORDER", "little").replaceAll("SHIFT", "start");
const BIG_BITS = BITS.replaceAll("ORDER", "big").replaceAll("SHIFT", "(len(data) * 8 - start - count)");
