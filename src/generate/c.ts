/**
 * C, for any compiler with GNU's attributes and any machine with the kernel's
 * size of pointers. The header includes nothing.
 */

import { resolve } from "../btf/query/resolve.js";
import type { BtfType, FuncProtoType } from "../btf/types.js";
import { ERR_WORK } from "../errors/btf.js";
import { BtfError, BtfLimitError } from "../errors/error.js";
import {
  type Composite,
  type Constant,
  type Enumeration,
  endOf,
  type Field,
  type Form,
  innermost,
  type Model,
} from "./model.js";
import { commented, Names } from "./names.js";

const KEYWORDS = /* @__PURE__ */ new Set(
  /* @__PURE__ */ (
    "auto break case char const continue default do double else enum extern float for goto if inline int long register " +
    "restrict return short signed sizeof static struct switch typedef union unsigned void volatile while asm typeof " +
    "bool true false nullptr constexpr alignas alignof static_assert thread_local typeof_unqual " +
    "_Bool _Complex _Imaginary _Alignas _Alignof _Atomic _Generic _Noreturn _Static_assert _Thread_local " +
    // C++ reads headers too.
    "and and_eq bitand bitor catch class compl concept const_cast consteval constinit co_await co_return co_yield " +
    "decltype delete dynamic_cast explicit export friend mutable namespace new noexcept not not_eq operator or or_eq " +
    "private protected public reinterpret_cast requires static_cast template this throw try typeid typename using " +
    "virtual wchar_t char8_t char16_t char32_t xor xor_eq linux unix i386"
  ).split(" "),
);

/** Alignments in bytes that ABIs disagree on: of 8 and of 16 bytes. */
interface Abi {
  readonly eight: number;
  readonly sixteen: number;
}

/** 32 bits: i386 and arm. 64 bits: s390x and all others. */
const ABIS: Record<4 | 8, readonly Abi[]> = {
  4: [
    { eight: 4, sixteen: 4 },
    { eight: 8, sixteen: 8 },
  ],
  8: [
    { eight: 8, sixteen: 8 },
    { eight: 8, sixteen: 16 },
  ],
};

/** What stands in a struct: a member, or bits that nothing uses. */
type Slot = { readonly field: Field } | { readonly bits: number } | { readonly bytes: number };

/** How C has to write a struct so that each ABI lays it out alike. */
interface Plan {
  readonly slots: readonly Slot[];
  /** Alignment by ABI. */
  readonly alignments: readonly number[];
  readonly packed: boolean;
}

/** Members that may be written inside others: anonymous types that hold each other would fill any memory. */
const INLINE_LIMIT = 500_000;
/** Types behind pointers that are followed for a declaration. */
const DECLARATOR_DEPTH = 6;

/** A header with the definitions of a model. */
export function generateC(model: Model): string {
  return new CWriter(model).header();
}

class CWriter {
  readonly #model: Model;
  readonly #abis: readonly Abi[];
  readonly #plans = new Map<Composite, Plan>();
  readonly #ordinary = new Names(KEYWORDS);
  readonly #tags = new Names(KEYWORDS);
  /** Names by definition, or by kind and name for what is declared alone. */
  readonly #called = new Map<Composite | Enumeration | string, string>();
  readonly #declared = new Set<string>();
  #inlined = 0;

  constructor(model: Model) {
    this.#model = model;
    this.#abis = ABIS[model.pointerSize];
  }

  header(): string {
    const { composites, enumerations, aliases, refusals, pointerSize, endian } = this.#model;
    // Anonymous structs are written where they are used, unless a typedef names them.
    const defined = composites.filter((one) => one.originalName || !this.#isHeld(one));
    for (const one of defined) this.#called.set(one, (one.isAnonymous ? this.#ordinary : this.#tags).take(one.name));
    for (const one of enumerations) this.#called.set(one, this.#tags.take(one.name));
    const blocks = enumerations.map((one) => this.#enumeration(one));
    const definitions = defined.map((composite) => this.#definition(composite));
    const named = aliases.map(({ name, originalName, form }) => {
      const alias = this.#ordinary.take(name);
      return `${this.#comment(originalName, alias)}typedef ${this.#declaration(form, alias)};\n_Static_assert(sizeof(${alias}) == ${form.byteSize}, "size of ${alias}");\n`;
    });
    const declarations = [...this.#declared].map((declared) => `${declared};\n`).join("");
    const why = refusals.map(({ name, reason }) => `/* ${commented(name)}: ${commented(reason)} */\n`);
    return [
      `/* Generated from BTF: ${pointerSize * 8}-bit, ${endian} endian. Do not edit. */\n#pragma once\n` +
        (endian === "big" ? "/* Values are big endian: a machine of the other byte order has to swap them. */\n" : "") +
        (this.#usesBitfields() ? `/* Bitfields are allocated as ${endian}-endian machines do. */\n` : ""),
      ...blocks,
      ...(declarations ? [declarations] : []),
      ...definitions,
      ...named,
      ...(why.length > 0 ? [why.join("")] : []),
    ].join("\n");
  }

  #usesBitfields(): boolean {
    return this.#model.composites.some(({ fields }) => fields.some(({ bitSize }) => bitSize > 0));
  }

  #held: Set<Composite> | undefined;

  /** Whether another definition holds it. */
  #isHeld(composite: Composite): boolean {
    if (!this.#held) {
      this.#held = new Set();
      for (const { fields } of this.#model.composites) {
        for (const { form } of fields) {
          const inner = innermost(form);
          if (inner.kind === "composite") this.#held.add(inner.composite);
        }
      }
      for (const { form } of this.#model.aliases) {
        const inner = innermost(form);
        if (inner.kind === "composite") this.#held.add(inner.composite);
      }
    }
    return this.#held.has(composite);
  }

  /** The name in BTF, where it is another. */
  #comment(originalName: string, name: string): string {
    return originalName && originalName !== name ? `/* ${commented(originalName)} */\n` : "";
  }

  #enumeration(enumeration: Enumeration): string {
    const { byteSize, isSigned, constants, originalName } = enumeration;
    const name = this.#called.get(enumeration)!;
    const suffix = byteSize < 8 ? "" : isSigned ? "LL" : "ULL";
    const lines = constants.map(
      (constant) => `\t${this.#ordinary.take(constant.name)} = ${constantText(constant, suffix)},\n`,
    );
    return (
      `${this.#comment(originalName, name)}enum ${name} {\n${lines.join("")}}${this.#mode(enumeration)};\n` +
      `_Static_assert(sizeof(enum ${name}) == ${byteSize}, "size of enum ${name}");\n`
    );
  }

  /** The attribute that gives an enum its size, where C would choose another. */
  #mode({ byteSize, isSigned, constants }: Enumeration): string {
    const wide = constants.some(({ value }) => (isSigned ? value !== BigInt.asIntN(32, value) : value > 0xffffffffn));
    const natural = wide ? 8 : 4;
    const modes: Record<number, string> = { 1: "QI", 2: "HI", 4: "SI", 8: "DI" };
    return natural === byteSize ? "" : ` __attribute__((mode(${modes[byteSize]})))`;
  }

  #definition(composite: Composite): string {
    const { kind, originalName, isAnonymous, byteSize } = composite;
    const name = this.#called.get(composite)!;
    const scope = new Names(KEYWORDS);
    const asserts: string[] = [];
    const reference = isAnonymous ? name : `${kind} ${name}`;
    const assert = (path: string, byteOffset: number): void => {
      asserts.push(
        `_Static_assert(__builtin_offsetof(${reference}, ${path}) == ${byteOffset}, "offset of ${name}.${path}");\n`,
      );
    };
    const body = this.#body(composite, { scope, level: 1, assert, byteOffset: 0 });
    const text = isAnonymous ? `typedef ${kind} ${body} ${name};\n` : `${kind} ${name} ${body};\n`;
    const size = `_Static_assert(sizeof(${reference}) == ${byteSize}, "size of ${name}");\n`;
    return this.#comment(originalName, name) + text + size + asserts.join("");
  }

  /** `{ … }` with its attributes. */
  #body(
    composite: Composite,
    at: { scope: Names; level: number; assert?: (path: string, byteOffset: number) => void; byteOffset: number },
  ): string {
    const { scope, level, assert, byteOffset } = at;
    const { slots, packed, alignments } = this.#plan(composite);
    const indent = "\t".repeat(Math.min(level, 16));
    const lines: string[] = [];
    let padding = 0;
    this.#inlined += slots.length;
    if (this.#inlined > INLINE_LIMIT) throw new BtfLimitError(ERR_WORK, { typeId: composite.typeId });
    for (const slot of slots) {
      if ("bytes" in slot) {
        lines.push(`${indent}unsigned char ${scope.take(`__padding${padding++}`)}[${slot.bytes}];\n`);
      } else if ("bits" in slot) {
        lines.push(`${indent}unsigned char ${scope.take(`__padding${padding++}`)} : ${slot.bits};\n`);
      } else {
        const { name, label, form, bitOffset, bitSize } = slot.field;
        const start = byteOffset + bitOffset / 8;
        if (name === "" && form.kind === "composite" && !this.#called.has(form.composite)) {
          const inner = { scope, level: level + 1, byteOffset: start, ...(assert && { assert }) };
          lines.push(`${indent}${form.composite.kind} ${this.#body(form.composite, inner)};\n`);
          continue;
        }
        const field = scope.take(label);
        const renamed = label !== field ? ` /* ${commented(name)} */` : "";
        const width = bitSize > 0 ? ` : ${bitSize}` : "";
        lines.push(`${indent}${this.#declaration(form, field, level)}${width};${renamed}\n`);
        if (bitSize === 0) assert?.(field, start);
      }
    }
    for (const { name, bitOffset, reason } of composite.omissions) {
      lines.push(`${indent}/* ${commented(name) || "a member"} at bit ${bitOffset}: ${commented(reason)} */\n`);
    }
    const attribute = packed
      ? ` __attribute__((packed${alignments[0]! > 1 ? `, aligned(${alignments[0]})` : ""}))`
      : "";
    return `{\n${lines.join("")}${indent.slice(1)}}${attribute}`;
  }

  /** Chooses a plain struct with padding where every ABI makes the same of it, else a packed one. */
  #plan(composite: Composite): Plan {
    const known = this.#plans.get(composite);
    if (known) return known;
    const plan = this.#naturalPlan(composite) ?? this.#packedPlan(composite);
    this.#plans.set(composite, plan);
    return plan;
  }

  #naturalPlan(composite: Composite): Plan | undefined {
    const slots: Slot[] = [];
    const alignments = this.#abis.map(() => 1);
    const isUnion = composite.kind === "union";
    let end = 0;
    for (const field of composite.fields) {
      const wanted = this.#alignments(field.form);
      wanted.forEach((alignment, i) => (alignments[i] = Math.max(alignments[i]!, alignment)));
      if (isUnion) {
        slots.push({ field });
        end = Math.max(end, endOf(field));
        continue;
      }
      const isAt = (from: number): boolean =>
        wanted.every((bytes) => placed(field, from, bytes * 8) === field.bitOffset);
      if (!isAt(end)) {
        if (!isAt(field.bitOffset)) return undefined;
        pad(slots, end, field.bitOffset);
      }
      slots.push({ field });
      end = endOf(field);
    }
    const size = composite.byteSize * 8;
    if (alignments.some((alignment) => roundUp(end, alignment * 8) !== size)) {
      if (alignments.some((alignment) => composite.byteSize % alignment !== 0)) return undefined;
      if (isUnion) slots.push({ bytes: composite.byteSize });
      else pad(slots, end, size);
    }
    return { slots, alignments, packed: false };
  }

  #packedPlan(composite: Composite): Plan {
    const slots: Slot[] = [];
    const { byteSize } = composite;
    let end = 0;
    let widest = 1;
    for (const field of composite.fields) {
      if (composite.kind === "struct") pad(slots, end, field.bitOffset);
      slots.push({ field });
      end = Math.max(end, endOf(field));
      widest = Math.max(widest, Math.min(...this.#alignments(field.form)));
    }
    if (end < byteSize * 8) {
      if (composite.kind === "union") slots.push({ bytes: byteSize });
      else pad(slots, end, byteSize * 8);
    }
    while (byteSize % widest !== 0) widest /= 2;
    return { slots, alignments: this.#abis.map(() => widest), packed: true };
  }

  /** Alignment of a form as it is written, by ABI. */
  #alignments(form: Form): readonly number[] {
    const inner = innermost(form);
    switch (inner.kind) {
      case "composite":
        return this.#plan(inner.composite).alignments;
      case "int":
      case "float":
        if (!isNative(inner, this.#model.pointerSize)) return this.#abis.map(() => 1);
        break;
      case "opaque":
        return this.#abis.map(() => 1);
    }
    const { byteSize } = inner;
    return this.#abis.map(({ eight, sixteen }) => (byteSize === 8 ? eight : byteSize === 16 ? sixteen : byteSize));
  }

  /** A declaration of `name`, of a form that has a place. */
  #declaration(form: Form, name: string, level = 0): string {
    let declarator = name;
    let at = form;
    for (; at.kind === "array"; at = at.element) declarator += `[${at.length}]`;
    switch (at.kind) {
      case "int":
      case "float":
        return isNative(at, this.#model.pointerSize)
          ? `${scalarName(at)} ${declarator}`
          : `unsigned char ${declarator}[${at.byteSize}] /* ${commented(at.name)} */`;
      case "enum":
        return `enum ${this.#called.get(at.enumeration)} ${declarator}`;
      case "composite": {
        const { composite } = at;
        const called = this.#called.get(composite);
        if (called) return `${composite.isAnonymous ? "" : `${composite.kind} `}${called} ${declarator}`;
        const body = this.#body(composite, { scope: new Names(KEYWORDS), level: level + 1, byteOffset: 0 });
        return `${composite.kind} ${body} ${declarator}`;
      }
      case "pointer":
        return this.#pointer(at.target, declarator, DECLARATOR_DEPTH);
      default:
        return `unsigned char ${declarator}[${at.byteSize}]`;
    }
  }

  /** `declarator` as a pointer to a type; to nothing in particular where C could not name it. */
  #pointer(type: BtfType, declarator: string, depth: number): string {
    let target: BtfType;
    try {
      target = resolve(type);
    } catch (error) {
      if (error instanceof BtfError) return `void *${declarator}`;
      throw error;
    }
    if (depth === 0) return `void *${declarator}`;
    switch (target.kind) {
      case "int":
      case "float":
      case "enum":
      case "enum64":
      case "struct":
      case "union":
      case "fwd":
        return `${this.#incompleteName(target) ?? "void"} *${declarator}`;
      case "ptr":
        return this.#pointer(target.target, `*${declarator}`, depth - 1);
      case "func_proto":
        return this.#function(target, `(*${declarator})`, depth - 1);
      default:
        return `void *${declarator}`;
    }
  }

  #function(proto: FuncProtoType, declarator: string, depth: number): string {
    const parts: string[] = [];
    for (const { typeId, type, name } of proto.params) {
      if (typeId === 0 && name === "") parts.push(parts.length > 0 ? "..." : "");
      else parts.push(this.#parameter(type, "", depth));
    }
    const list = parts.length > 0 ? parts.join(", ") : "void";
    let returned: BtfType;
    try {
      returned = proto.returnType;
    } catch (error) {
      if (error instanceof BtfError) return `void ${declarator}(${list})`;
      throw error;
    }
    return this.#parameter(returned, `${declarator}(${list})`, depth, "void");
  }

  /** What is handed to a function or back, as far as an incomplete type says it. */
  #parameter(type: BtfType, declarator: string, depth: number, nothing = "void *"): string {
    let at: BtfType;
    try {
      at = resolve(type);
    } catch (error) {
      if (error instanceof BtfError) return `void *${declarator}`;
      throw error;
    }
    if (at.kind === "ptr") return this.#pointer(at.target, declarator, depth);
    if (at.kind === "array") return this.#pointer(at.element, declarator, depth);
    const name = this.#incompleteName(at) ?? nothing;
    return declarator ? `${name} ${declarator}` : name;
  }

  /** The name of a type that need not be complete; `undefined` where there is none. */
  #incompleteName(type: BtfType): string | undefined {
    switch (type.kind) {
      case "int": {
        const { name, byteSize, isSigned, isBool } = type;
        const form = { kind: "int", name, byteSize, isSigned, isBool, isChar: name === "char" } as const;
        return isNative(form, this.#model.pointerSize) ? scalarName(form) : undefined;
      }
      case "float": {
        const form = { kind: "float", name: type.name, byteSize: type.byteSize } as const;
        return isNative(form, this.#model.pointerSize) ? scalarName(form) : undefined;
      }
      case "enum":
      case "enum64": {
        const { byteSize, isSigned } = type;
        const form = { kind: "int", name: "enum", byteSize, isSigned, isBool: false, isChar: false } as const;
        return isNative(form, this.#model.pointerSize) ? scalarName(form) : undefined;
      }
      case "struct":
      case "union":
        return this.#tag(type.kind, type.name, type.id);
      case "fwd":
        return this.#tag(type.forwardKind, type.name, -1);
      default:
        return undefined;
    }
  }

  /** `struct NAME`, declared ahead of all definitions. */
  #tag(kind: "struct" | "union", name: string, id: number): string | undefined {
    const definition = this.#model.definitions.get(id);
    if (definition && "fields" in definition) {
      const called = this.#called.get(definition);
      if (!called || definition.isAnonymous) return undefined;
      this.#declared.add(`${kind} ${called}`);
      return `${kind} ${called}`;
    }
    if (!name) return undefined;
    const key = `${kind} ${name}`;
    let tag = this.#called.get(key) ?? this.#definedAs(kind, name);
    if (!tag) {
      tag = this.#tags.take(name);
      this.#called.set(key, tag);
    }
    this.#declared.add(`${kind} ${tag}`);
    return `${kind} ${tag}`;
  }

  #byName: Map<string, string> | undefined;

  /** The tag of the definition with a name, for what is declared forward. */
  #definedAs(kind: "struct" | "union", name: string): string | undefined {
    if (!this.#byName) {
      this.#byName = new Map();
      for (const composite of this.#model.composites) {
        const key = `${composite.kind} ${composite.originalName}`;
        const called = this.#called.get(composite);
        if (called && !composite.isAnonymous && !this.#byName.has(key)) this.#byName.set(key, called);
      }
    }
    return this.#byName.get(`${kind} ${name}`);
  }
}

/** Whether C has a type of that size on every machine with such pointers. */
function isNative(form: { kind: "int" | "float"; byteSize: number; isBool?: boolean }, pointerSize: 4 | 8): boolean {
  const { byteSize } = form;
  if (form.kind === "float") return byteSize === 4 || byteSize === 8 || (byteSize === 16 && pointerSize === 8);
  return [1, 2, 4, 8].includes(byteSize) || (byteSize === 16 && pointerSize === 8);
}

type Scalar = Extract<Form, { kind: "int" | "float" }>;

const INTEGERS: Record<number, string> = { 1: "char", 2: "short", 4: "int", 8: "long long", 16: "__int128" };

function scalarName(form: Scalar): string {
  const { byteSize } = form;
  if (form.kind === "float") return byteSize === 4 ? "float" : byteSize === 8 ? "double" : "long double";
  if (form.isBool && byteSize === 1) return "_Bool";
  if (form.isChar && byteSize === 1) return "char";
  if (byteSize === 1) return form.isSigned ? "signed char" : "unsigned char";
  return `${form.isSigned ? "" : "unsigned "}${INTEGERS[byteSize]}`;
}

function constantText({ value }: Constant, suffix: string): string {
  if (value === -(2n ** 63n)) return "(-9223372036854775807LL - 1)";
  return `${value}${suffix || (value > 0x7fffffffn ? "U" : "")}`;
}

function roundUp(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}

/** Where C puts a field, in bits, after what ends at `from`. Source: the System V ABI. */
function placed({ form, bitSize }: Field, from: number, alignment: number): number {
  if (bitSize === 0) return roundUp(from, alignment);
  // A bitfield may not pass from one storage unit of its type into the next.
  const units = Math.ceil(((from % alignment) + bitSize) / alignment);
  return units > (form.byteSize * 8) / alignment ? roundUp(from, alignment) : from;
}

/** Fills bits that nothing uses: to the next byte, then bytes, then bits. */
function pad(slots: Slot[], from: number, to: number): void {
  let at = from;
  if (at >= to) return;
  const odd = Math.min(roundUp(at, 8), to) - at;
  if (odd > 0) slots.push({ bits: odd });
  at += odd;
  const bytes = Math.floor((to - at) / 8);
  if (bytes > 0) slots.push({ bytes });
  at += bytes * 8;
  if (at < to) slots.push({ bits: to - at });
}
