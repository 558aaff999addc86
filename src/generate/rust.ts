/**
 * Rust, for any edition and from rustc 1.57 on, with and without std. Pointers
 * are integers: they point into the kernel.
 */

import { Alignments, isNative } from "./alignment.js";
import { type Composite, type Enumeration, type Field, type Form, innermost, type Model } from "./model.js";
import { commented, Names } from "./names.js";
import { type Slot, slotsOf, unionSlots } from "./slots.js";

const KEYWORDS = /* @__PURE__ */ new Set(
  /* @__PURE__ */ (
    "as break const continue crate else enum extern false fn for if impl in let loop match mod move mut pub ref return " +
    "self Self static struct super trait true type unsafe use where while async await dyn abstract become box do final " +
    "macro override priv typeof unsized virtual yield try gen raw union safe " +
    // What the generated code uses.
    "u8 u16 u32 u64 u128 i8 i16 i32 i64 i128 f32 f64 bool usize isize char str core std Copy Clone Default bits set_bits marked are_marks Probe"
  ).split(" "),
);

/** A module with the definitions of a model. */
export function generateRust(model: Model): string {
  return new RustWriter(model).module();
}

class RustWriter {
  readonly #model: Model;
  readonly #names = new Names(KEYWORDS);
  readonly #called = new Map<Composite | Enumeration, string>();
  readonly #alignments = new Alignments();
  #usesBits = false;

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
        return `${original(originalName, alias)}#[allow(non_camel_case_types)]\npub type ${alias} = ${this.#type(form)};\nconst _: () = assert!(core::mem::size_of::<${alias}>() == ${form.byteSize});\n`;
      }),
    ];
    const why = refusals.map(({ name, reason }) => `// ${commented(name)}: ${commented(reason)}\n`).join("");
    return [
      `// Generated from BTF: ${pointerSize * 8}-bit, ${endian} endian. Do not edit.\n` +
        (endian === "big"
          ? "// Values are big endian: a machine of the other byte order has to swap them (`u32::from_be`).\n"
          : ""),
      ...(composites.length > 0 ? [LAYOUT] : []),
      ...(this.#usesBits ? [endian === "little" ? LITTLE_BITS : BIG_BITS] : []),
      ...blocks,
      ...(why ? [why] : []),
    ].join("\n");
  }

  #enumeration(enumeration: Enumeration): string {
    const { byteSize, isSigned, constants, originalName } = enumeration;
    const name = this.#called.get(enumeration)!;
    const scope = new Names(KEYWORDS);
    const type = `${isSigned ? "i" : "u"}${byteSize * 8}`;
    const lines = constants.map(({ name: constant, value }) => {
      const called = scope.take(constant);
      return `    pub const ${called}: Self = Self(${fitting(value, byteSize, isSigned)});\n`;
    });
    return (
      `${original(originalName, name)}#[allow(non_camel_case_types)]\n#[repr(transparent)]\n#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]\n` +
      `pub struct ${name}(pub ${type});\n\n#[allow(non_upper_case_globals)]\nimpl ${name} {\n${lines.join("")}}\n`
    );
  }

  #composite(composite: Composite): string {
    const { kind, originalName, byteSize, omissions } = composite;
    const name = this.#called.get(composite)!;
    const scope = new Names(KEYWORDS);
    const lines: string[] = [];
    const accessors: string[] = [];
    const offsets: string[] = [];
    const isUnion = kind === "union";
    const slots = isUnion ? unionSlots(composite) : slotsOf(composite);
    const packed = this.#isPacked(composite, slots);
    let paddings = 0;
    let groups = 0;
    for (const slot of slots) {
      if (slot.kind === "padding") {
        lines.push(`    pub ${scope.take(`_padding${paddings++}`)}: [u8; ${slot.byteSize}],\n`);
        continue;
      }
      if (slot.kind === "field") {
        const { form, label } = slot.field;
        const field = scope.take(label);
        lines.push(`    pub ${field}: ${this.#type(form)},${note(form, label, field)}\n`);
        if (form.byteSize > 0) offsets.push(`, ${field} @ ${slot.byteOffset}`);
        continue;
      }
      this.#usesBits = true;
      const group = scope.take(`_bitfield${groups++}`);
      lines.push(`    pub ${group}: [u8; ${slot.byteSize}],\n`);
      for (const field of slot.fields) accessors.push(this.#accessors(field, group, slot.byteOffset, scope, isUnion));
    }
    for (const { name: omitted, bitOffset, reason } of omissions) {
      lines.push(`    // ${commented(omitted)} at bit ${bitOffset}: ${commented(reason)}\n`);
    }
    // A union of nothing is no union in Rust.
    const keyword = isUnion && slots.length > 0 ? "union" : "struct";
    return (
      `${original(originalName, name)}#[allow(non_camel_case_types, non_snake_case)]\n#[repr(C${packed ? ", packed" : ""})]\n#[derive(Clone, Copy)]\n` +
      `pub ${keyword} ${name} {\n${lines.join("")}}\nlayout!(${name}, ${byteSize}${offsets.join("")});\n` +
      (accessors.length > 0 ? `\n#[allow(non_snake_case)]\nimpl ${name} {\n${accessors.join("\n")}}\n` : "")
    );
  }

  #accessors(field: Field, group: string, groupOffset: number, scope: Names, isUnion: boolean): string {
    const { form, bitOffset, bitSize, name } = field;
    const getter = scope.take(name);
    const setter = scope.take(`set_${name}`);
    const isSigned = form.kind === "int" ? form.isSigned : form.kind === "enum" && form.enumeration.isSigned;
    const bytes = bitSize > 64 ? 16 : Math.min(8, form.byteSize === 3 ? 4 : 2 ** Math.ceil(Math.log2(form.byteSize)));
    const plain = `${isSigned ? "i" : "u"}${bytes * 8}`;
    const isBool = form.kind === "int" && form.isBool;
    const type = isBool ? "bool" : form.kind === "enum" ? this.#called.get(form.enumeration)! : plain;
    const from = bitOffset - groupOffset * 8;
    const read = `bits(${isUnion ? "unsafe { &" : "&"}self.${group}${isUnion ? " }" : ""}, ${from}, ${bitSize})`;
    const shift = 128 - bitSize;
    const whole = isSigned ? `((${read} as i128) << ${shift} >> ${shift})` : read;
    const value = isBool
      ? `${read} != 0`
      : form.kind === "enum"
        ? `${type}(${whole} as ${plain})`
        : `${whole} as ${plain}`;
    const raw = isBool ? "value as u128" : form.kind === "enum" ? "value.0 as u128" : "value as u128";
    const write = `set_bits(${isUnion ? "unsafe { &mut " : "&mut "}self.${group}${isUnion ? " }" : ""}, ${from}, ${bitSize}, ${raw})`;
    return (
      `    /// Bits ${bitOffset} to ${bitOffset + bitSize - 1}.${getter === name ? "" : ` ${commented(name)}`}\n` +
      `    pub fn ${getter}(&self) -> ${type} {\n        ${value}\n    }\n` +
      `    pub fn ${setter}(&mut self, value: ${type}) {\n        ${write}\n    }\n`
    );
  }

  /** Whether Rust would put a member or the end elsewhere. */
  #isPacked(composite: Composite, slots: readonly Slot[]): boolean {
    let widest = 1;
    let fits = true;
    for (const slot of slots) {
      if (slot.kind !== "field") continue;
      const alignment = this.#alignments.of(slot.field.form);
      widest = Math.max(widest, alignment);
      if (slot.byteOffset % alignment !== 0) fits = false;
    }
    const packed = !fits || composite.byteSize % widest !== 0;
    this.#alignments.set(composite, packed ? 1 : widest);
    return packed;
  }

  #type(form: Form): string {
    switch (form.kind) {
      case "array":
        return `[${this.#type(form.element)}; ${form.length}]`;
      case "int":
      case "float":
        return nativeName(form) ?? `[u8; ${form.byteSize}]`;
      case "pointer":
        return `u${form.byteSize * 8}`;
      case "enum":
        return this.#called.get(form.enumeration)!;
      case "composite":
        return this.#called.get(form.composite)!;
      default:
        return `[u8; ${form.byteSize}]`;
    }
  }
}

/**
 * Fails to compile where a size or place is another: each offset is marked with a byte, which the member there has to
 * show. As functions over arrays this takes a tenth of the time that an assertion for each member takes.
 */
const LAYOUT = `#[allow(dead_code)]
const fn marked<const SIZE: usize, const COUNT: usize>(offsets: [usize; COUNT]) -> [u8; SIZE] {
    let mut bytes = [0u8; SIZE];
    let mut i = 0;
    while i < COUNT {
        bytes[offsets[i]] = (offsets[i] % 255 + 1) as u8;
        i += 1;
    }
    bytes
}

#[allow(dead_code)]
const fn are_marks<const COUNT: usize>(offsets: [usize; COUNT], firsts: [u8; COUNT]) -> bool {
    let mut i = 0;
    while i < COUNT {
        if firsts[i] != (offsets[i] % 255 + 1) as u8 {
            return false;
        }
        i += 1;
    }
    true
}

macro_rules! layout {
    ($type:ident, $size:expr $(, $field:ident @ $offset:expr)*) => {
        const _: () = {
            assert!(core::mem::size_of::<$type>() == $size);
            #[allow(dead_code)]
            union Probe { bytes: [u8; $size], value: $type }
            let offsets = [$($offset),*];
            #[allow(unused_variables)]
            let probe = Probe { bytes: marked(offsets) };
            #[allow(unused_unsafe)]
            let firsts = unsafe { [$(*(core::ptr::addr_of!(probe.value.$field) as *const u8)),*] };
            assert!(are_marks(offsets, firsts));
        };
    };
}
`;

/** What Rust calls an integer or float, with the same alignment as in C; no bool, of which other bytes would be invalid. */
function nativeName(form: Extract<Form, { kind: "int" | "float" }>): string | undefined {
  if (!isNative(form)) return undefined;
  return `${form.kind === "float" ? "f" : form.isSigned && !form.isBool ? "i" : "u"}${form.byteSize * 8}`;
}

/** An enumerator that its enum can hold: BTF stores 32 bits whatever the enum's size. */
function fitting(value: bigint, byteSize: number, isSigned: boolean): bigint {
  return isSigned ? BigInt.asIntN(byteSize * 8, value) : BigInt.asUintN(byteSize * 8, value);
}

function original(originalName: string, name: string): string {
  return originalName && originalName !== name ? `/// \`${commented(originalName).replaceAll("`", "'")}\`\n` : "";
}

/** What the type does not say: a pointer's target, a name that was none. */
function note(form: Form, name: string, field: string): string {
  const notes: string[] = [];
  if (name !== field) notes.push(commented(name));
  const inner = innermost(form);
  if (inner.kind === "pointer") {
    const { target } = inner;
    notes.push(`*${commented(target.kind === "func_proto" ? "function" : target.name || target.kind)}`);
  } else if (inner.kind === "int" || inner.kind === "float") {
    if (!nativeName(inner) || (inner.kind === "int" && inner.isBool)) notes.push(commented(inner.name));
  }
  return notes.length > 0 ? ` // ${notes.join(", ")}` : "";
}

const SIGNATURES = `
#[allow(dead_code)]
fn bits(bytes: &[u8], from: usize, count: usize) -> u128 {
    let mut value = 0u128;
    for i in 0..count {
        let bit = from + i;
        GET
    }
    value
}

#[allow(dead_code)]
fn set_bits(bytes: &mut [u8], from: usize, count: usize, value: u128) {
    for i in 0..count {
        let bit = from + i;
        SET
        if isset { bytes[bit / 8] |= mask } else { bytes[bit / 8] &= !mask }
    }
}
`.trimStart();

const LITTLE_BITS = SIGNATURES.replace("GET", "value |= ((bytes[bit / 8] >> (bit % 8)) as u128 & 1) << i;").replace(
  "SET",
  "let (mask, isset) = (1u8 << (bit % 8), value >> i & 1 != 0);",
);
const BIG_BITS = SIGNATURES.replace(
  "GET",
  "value = value << 1 | ((bytes[bit / 8] >> (7 - bit % 8)) as u128 & 1);",
).replace("SET", "let (mask, isset) = (128u8 >> (bit % 8), value >> (count - 1 - i) & 1 != 0);");
