/**
 * Go, from 1.18 on. Structs hold their padding. A member that Go cannot place
 * is bytes, with an accessor where it is an integer; a union is its bytes, with
 * a view of each member.
 */

import { Alignments, isNative } from "./alignment.js";
import { type Composite, type Enumeration, type Field, type Form, innermost, type Model } from "./model.js";
import { commented, Names } from "./names.js";
import { slotsOf } from "./slots.js";

const KEYWORDS = /* @__PURE__ */ new Set(
  /* @__PURE__ */ (
    "break case chan const continue default defer else fallthrough for func go goto if import interface map package range " +
    "return select struct switch type var bool byte error int int8 int16 int32 int64 rune string uint uint8 uint16 uint32 " +
    "uint64 uintptr float32 float64 true false nil iota len unsafe bitsOf setBitsOf Bytes"
  ).split(" "),
);

/** A package with the definitions of a model. */
export function generateGo(model: Model): string {
  return new GoWriter(model).package();
}

/** `task_struct` as `TaskStruct`: other packages see what has a capital. */
function exported(name: string): string {
  const joined = name.replace(/_+([A-Za-z0-9])/g, (_, letter: string) => letter.toUpperCase()).replace(/_+$/, "");
  const first = joined.replace(/^[a-z]/, (letter) => letter.toUpperCase());
  return /^[A-Z]/.test(first) ? first : `X${first}`;
}

class GoWriter {
  readonly #model: Model;
  readonly #names = new Names(KEYWORDS);
  readonly #called = new Map<Composite | Enumeration, string>();
  /** Alignment on the machines that align most. */
  readonly #alignments = new Alignments();
  #usesBits = false;
  #usesUnsafe = false;

  constructor(model: Model) {
    this.#model = model;
  }

  package(): string {
    const { composites, enumerations, aliases, refusals, pointerSize, endian } = this.#model;
    for (const one of [...enumerations, ...composites]) this.#called.set(one, this.#names.take(exported(one.name)));
    const blocks = [
      ...enumerations.map((one) => this.#enumeration(one)),
      ...composites.map((one) => this.#composite(one)),
      ...aliases.map(({ name, originalName, form }) => {
        this.#usesUnsafe = true;
        const alias = this.#names.take(exported(name));
        return `// ${alias} is ${commented(originalName)}.\ntype ${alias} = ${this.#type(form)}\n\n${sizeAssertion(alias, form.byteSize)}`;
      }),
    ];
    const why = refusals.map(({ name, reason }) => `// ${commented(name)}: ${commented(reason)}\n`).join("");
    return [
      `// Code generated from BTF: ${pointerSize * 8}-bit, ${endian} endian. DO NOT EDIT.\n` +
        (endian === "big"
          ? "//\n// Values are big endian: a machine of the other byte order has to swap them.\n"
          : "") +
        "\npackage btf\n",
      ...(this.#usesUnsafe ? ['import "unsafe"\n'] : []),
      ...(this.#usesBits ? [endian === "little" ? LITTLE_BITS : BIG_BITS] : []),
      ...blocks,
      ...(why ? [why] : []),
    ].join("\n");
  }

  #enumeration(enumeration: Enumeration): string {
    const { byteSize, isSigned, constants, originalName } = enumeration;
    const name = this.#called.get(enumeration)!;
    const lines = constants.map(({ name: constant, value }) => {
      const fits = isSigned ? BigInt.asIntN(byteSize * 8, value) : BigInt.asUintN(byteSize * 8, value);
      return `\t${this.#names.take(`${name}${exported(constant)}`)} ${name} = ${fits}\n`;
    });
    const about = `// ${name} is enum ${commented(originalName)}.\n`;
    return `${about}type ${name} ${isSigned ? "" : "u"}int${byteSize * 8}\n\nconst (\n${lines.join("")})\n`;
  }

  #composite(composite: Composite): string {
    this.#usesUnsafe = true;
    return composite.kind === "union" ? this.#union(composite) : this.#struct(composite);
  }

  #struct(composite: Composite): string {
    const { byteSize, originalName, omissions } = composite;
    const name = this.#called.get(composite)!;
    const scope = new Names(KEYWORDS);
    const lines: string[] = [];
    const methods: string[] = [];
    const offsets: string[] = [];
    let widest = 1;
    let groups = 0;
    for (const slot of slotsOf(composite)) {
      if (slot.kind === "padding") {
        lines.push(`\t_ [${slot.byteSize}]byte\n`);
      } else if (slot.kind === "bits") {
        const group = scope.take(`bitfield${groups++}`);
        lines.push(`\t${group} [${slot.byteSize}]byte\n`);
        for (const field of slot.fields) methods.push(this.#accessors(name, field, group, slot.byteOffset, scope));
      } else if (slot.byteSize === 0) {
        // Go would add a byte behind it.
        const { label, form } = slot.field;
        lines.push(`\t// ${commented(label)} at byte ${slot.byteOffset}: ${describe(form)}, which has no size\n`);
      } else {
        const { label, form } = slot.field;
        const field = scope.take(exported(label));
        const alignment = this.#alignments.of(form);
        if (slot.byteOffset % alignment === 0 && byteSize % alignment === 0) {
          widest = Math.max(widest, alignment);
          lines.push(`\t${field} ${this.#type(form)}${note(form)}\n`);
          offsets.push(offsetAssertion(name, field, slot.byteOffset));
          continue;
        }
        // Go aligns it, and the struct with it: bytes are never aligned.
        const group = scope.take(`unaligned${field}`);
        lines.push(`\t${group} [${slot.byteSize}]byte // ${commented(label)} ${describe(form)}: Go would align it\n`);
        offsets.push(offsetAssertion(name, group, slot.byteOffset));
        if (form.kind === "int" || form.kind === "pointer" || form.kind === "enum") {
          const bits = { ...slot.field, bitSize: form.byteSize * 8 };
          if (bits.bitSize <= 64) methods.push(this.#accessors(name, bits, group, slot.byteOffset, scope, field));
        }
      }
    }
    for (const { name: omitted, bitOffset, reason } of omissions) {
      lines.push(`\t// ${commented(omitted)} at bit ${bitOffset}: ${commented(reason)}\n`);
    }
    this.#alignments.set(composite, widest);
    return (
      `// ${name} is struct ${commented(originalName)}.\ntype ${name} struct {\n${lines.join("")}}\n\n` +
      `${sizeAssertion(name, byteSize)}${offsets.join("")}${methods.join("")}`
    );
  }

  #union(composite: Composite): string {
    const { byteSize, originalName, fields, omissions } = composite;
    const name = this.#called.get(composite)!;
    const scope = new Names(KEYWORDS);
    const methods: string[] = [];
    const widest = Math.max(1, ...fields.map(({ form }) => this.#alignments.of(form)));
    let alignment = widest;
    while (byteSize % alignment !== 0) alignment /= 2;
    this.#alignments.set(composite, alignment);
    for (const field of fields) {
      if (field.bitSize > 0) {
        methods.push(this.#accessors(name, field, "data", 0, scope));
      } else if (this.#alignments.of(field.form) > alignment) {
        methods.push(`\n// ${commented(field.label)}: ${describe(field.form)}, which Go would align\n`);
      } else {
        const called = scope.take(exported(field.label));
        methods.push(
          `\n// ${called} is the union as ${commented(field.label)}.\nfunc (u *${name}) ${called}() *${this.#type(field.form)} {\n\treturn (*${this.#type(field.form)})(unsafe.Pointer(u))\n}\n`,
        );
      }
    }
    for (const { name: omitted, reason } of omissions)
      methods.push(`\n// ${commented(omitted)}: ${commented(reason)}\n`);
    const align = alignment > 1 ? `\t_ [0]uint${alignment * 8}\n` : "";
    return (
      `// ${name} is union ${commented(originalName)}.\ntype ${name} struct {\n${align}\tdata [${byteSize}]byte\n}\n\n` +
      `${sizeAssertion(name, byteSize)}${methods.join("")}`
    );
  }

  #accessors(owner: string, field: Field, group: string, groupOffset: number, scope: Names, known?: string): string {
    const { form, bitOffset, bitSize, label } = field;
    if (bitSize > 64) return `\n// ${commented(label)}: ${bitSize} bits, which no integer of Go has\n`;
    this.#usesBits = true;
    const called = known ?? scope.take(exported(label));
    const setter = scope.take(`Set${called}`);
    const isSigned = form.kind === "int" ? form.isSigned : form.kind === "enum" && form.enumeration.isSigned;
    const isBool = form.kind === "int" && form.isBool;
    const bits = [8, 16, 32, 64].find((width) => width >= form.byteSize * 8) ?? 64;
    const plain = `${isSigned ? "" : "u"}int${bits}`;
    const type = isBool ? "bool" : form.kind === "enum" ? this.#called.get(form.enumeration)! : plain;
    const from = bitOffset - groupOffset * 8;
    const read = `bitsOf(s.${group}[:], ${from}, ${bitSize})`;
    const whole = isSigned && bitSize < 64 ? `int64(${read}<<${64 - bitSize})>>${64 - bitSize}` : read;
    const value = isBool ? `${read} != 0` : `${type}(${whole})`;
    const write = isBool
      ? `\tvar bit uint64\n\tif value {\n\t\tbit = 1\n\t}\n\tsetBitsOf(s.${group}[:], ${from}, ${bitSize}, bit)\n`
      : `\tsetBitsOf(s.${group}[:], ${from}, ${bitSize}, uint64(value))\n`;
    return (
      `\n// ${called} is ${commented(label)}: bits ${bitOffset} to ${bitOffset + bitSize - 1}.\nfunc (s *${owner}) ${called}() ${type} { return ${value} }\n` +
      `\n// ${setter} sets ${commented(label)}.\nfunc (s *${owner}) ${setter}(value ${type}) {\n${write}}\n`
    );
  }

  #type(form: Form): string {
    switch (form.kind) {
      case "array":
        return `[${form.length}]${this.#type(form.element)}`;
      case "int":
      case "float":
        return nativeName(form) ?? `[${form.byteSize}]byte`;
      case "pointer":
        return `uint${form.byteSize * 8}`;
      case "enum":
        return this.#called.get(form.enumeration)!;
      case "composite":
        return this.#called.get(form.composite)!;
      default:
        return `[${form.byteSize}]byte`;
    }
  }
}

/** Go's integers and floats; no bool, of which other bytes than 0 and 1 would be invalid. */
function nativeName(form: Extract<Form, { kind: "int" | "float" }>): string | undefined {
  if (!isNative(form)) return undefined;
  const bits = form.byteSize * 8;
  return form.kind === "float"
    ? `float${bits}`
    : `${form.isSigned && !form.isBool && !form.isChar ? "" : "u"}int${bits}`;
}

/** Two arrays whose lengths are negative where a number is too large or too small. */
function assertion(actual: string, expected: number): string {
  return `var _ [${actual} - ${expected}]struct{}\nvar _ [${expected} - ${actual}]struct{}\n`;
}

function sizeAssertion(name: string, byteSize: number): string {
  return assertion(`unsafe.Sizeof(*(*${name})(nil))`, byteSize);
}

function offsetAssertion(name: string, field: string, byteOffset: number): string {
  return assertion(`unsafe.Offsetof((*${name})(nil).${field})`, byteOffset);
}

function describe(form: Form): string {
  const inner = innermost(form);
  switch (inner.kind) {
    case "int":
    case "float":
      return commented(inner.name);
    case "pointer":
      return `*${commented(inner.target.kind === "func_proto" ? "function" : inner.target.name || inner.target.kind)}`;
    case "enum":
      return `enum ${commented(inner.enumeration.originalName)}`;
    case "composite":
      return `${inner.composite.kind} ${commented(inner.composite.originalName)}`;
    default:
      return "bytes";
  }
}

function note(form: Form): string {
  const inner = innermost(form);
  const isPlain =
    inner.kind === "composite" || inner.kind === "enum" || (inner.kind === "int" && nativeName(inner) && !inner.isBool);
  return isPlain ? "" : ` // ${describe(form)}`;
}

const BITS = `func bitsOf(bytes []byte, from, count int) (value uint64) {
	for i := 0; i < count; i++ {
		bit := from + i
		GET
	}
	return value
}

func setBitsOf(bytes []byte, from, count int, value uint64) {
	for i := 0; i < count; i++ {
		bit := from + i
		SET
			bytes[bit/8] |= mask
		} else {
			bytes[bit/8] &^= mask
		}
	}
}
`;

const LITTLE_BITS = BITS.replace("GET", "value |= uint64(bytes[bit/8]>>(bit%8)&1) << i").replace(
  "SET",
  "mask := byte(1) << (bit % 8)\n\t\tif value>>i&1 != 0 {",
);
const BIG_BITS = BITS.replace("GET", "value = value<<1 | uint64(bytes[bit/8]>>(7-bit%8)&1)").replace(
  "SET",
  "mask := byte(128) >> (bit % 8)\n\t\tif value>>(count-1-i)&1 != 0 {",
);
