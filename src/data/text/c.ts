/** Values as C initialisers with casts, as libbpf's btf_dump__dump_type_data prints them. */
import { alignOf, resolve, sizeOf } from "../../btf/query/resolve.js";
import type {
  ArrayType,
  BtfType,
  DatasecType,
  Enum64Type,
  EnumType,
  FloatType,
  IntType,
  StructType,
  UnionType,
  VarType,
} from "../../btf/types.js";
import { ERR_DATA_SHORT } from "../../errors/data.js";
import { shortData } from "../decode.js";
import { BtfDataError } from "../error.js";
import { fixedText } from "../float.js";
import { isLittle, planAsElement } from "../plan.js";
import { viewOf } from "../source-view.js";
import { castText } from "./cast.js";

/** How values are written; the names are libbpf's. */
export interface FormatDataOptions {
  /** One step of indentation, at most 31 characters count (default: a tab). */
  readonly indent?: string;
  /** Steps before each line (default 0). */
  readonly indentLevel?: number;
  /** All on one line (default false). */
  readonly compact?: boolean;
  /** Leaves names of members and types out (default false). */
  readonly skipNames?: boolean;
  /** Writes members that are zero too (default false). */
  readonly emitZeroes?: boolean;
  /** Writes arrays of bytes that hold a NUL as text (default false). */
  readonly emitStrings?: boolean;
  /** Copies what this version gets wrong; see docs/compatibility.md. */
  readonly compat?: "libbpf-1.8";
}

/** What `formatData` returns. */
export interface FormattedData {
  readonly text: string;
  /** Bytes of the value: the size of its type. */
  readonly byteLength: number;
}

/**
 * One value as text in the form of a C initialiser: `(struct list_head){ .next = (struct list_head *)0x7, }`. Members
 * that are zero are left out unless `emitZeroes` is given. Source: libbpf's btf_dump__dump_type_data; with `compat`
 * equal to it, byte for byte, else right where it is wrong.
 *
 * @throws BtfDataError ERR_DATA_SHORT for short data; its `text` is what was printed before. BtfLookupError
 *   ERR_DATA_TYPE for a type without values
 * @example
 * const value = new Uint8Array(16);
 * value[0] = 7;
 * console.log(formatData(btf.require("list_head", "struct"), value, { compact: true }).text);
 * // (struct list_head){.next = (struct list_head *)0x7,}
 */
export function formatData(
  type: BtfType,
  bytes: ArrayBuffer | ArrayBufferView,
  options: FormatDataOptions = {},
): FormattedData {
  const plan = planAsElement(type);
  const view = viewOf(bytes);
  const printer = new Printer(type, view, options);
  if (!printer.value("", type, 0, 0, 0)) {
    const { details, path } = shortData(type, plan, 0, view.byteLength);
    throw new BtfDataError(ERR_DATA_SHORT, details, path, printer.text);
  }
  return { text: printer.text, byteLength: plan.byteSize };
}

/** libbpf keeps a step of indentation in 32 bytes. */
const INDENT_LENGTH = 31;

/** Result of a look for zeros: the data ends before the answer is found. */
const SHORT = Symbol("short");

class Printer {
  text = "";
  readonly #view: DataView;
  readonly #little: boolean;
  readonly #pointerSize: number;
  readonly #options: FormatDataOptions;
  readonly #indent: string;
  readonly #exact: boolean;
  readonly #casts = new Map<BtfType, string>();
  #depth = 0;
  #isElement = false;
  #isTerminated = false;
  /** Bytes are characters. With `compat` it stays so behind the first array of bytes. */
  #isText = false;

  constructor(type: BtfType, view: DataView, options: FormatDataOptions) {
    this.#view = view;
    this.#little = isLittle(type);
    this.#pointerSize = type.btf.pointerSize;
    this.#options = options;
    this.#indent = (options.indent ?? "\t").slice(0, INDENT_LENGTH);
    this.#exact = options.compat !== undefined;
  }

  #prefix(): void {
    const { compact, indentLevel = 0 } = this.#options;
    if (!compact) this.text += this.#indent.repeat(indentLevel + this.#depth);
  }

  #newline(): string {
    return this.#options.compact || this.#depth === 0 ? "" : "\n";
  }

  /** A value with what stands behind it. */
  #put(text: string): void {
    this.text += text + (this.#depth === 0 ? "" : ",") + this.#newline();
  }

  #cast(type: BtfType): string {
    let text = this.#casts.get(type);
    if (text === undefined) {
      text = castText(type, this.#exact);
      this.#casts.set(type, text);
    }
    return text;
  }

  /** A number of up to 16 bytes; bytes behind the data are zero. */
  #number(at: number, byteSize: number): bigint {
    let value = 0n;
    for (let i = 0; i < byteSize; i++) {
      const byte = at + (this.#little ? byteSize - 1 - i : i);
      value = (value << 8n) | BigInt(byte < this.#view.byteLength ? this.#view.getUint8(byte) : 0);
    }
    return value;
  }

  #ends(at: number): boolean {
    return at > this.#view.byteLength;
  }

  /** Whether the data was long enough. */
  value(name: string, type: BtfType, at: number, shift: number, bits: number): boolean {
    const inner = resolve(type);
    if (bits ? this.#ends(at + ((shift + bits + 7) >> 3)) : isBase(inner) && this.#ends(at + sizeOf(inner)!)) {
      return false;
    }
    const zero = this.#isZero(inner, type, at, shift, bits);
    if (zero === SHORT) return false;
    if (zero) return true;
    this.#prefix();
    if (!this.#options.skipNames) {
      if (name) this.text += `.${name} = `;
      if (!this.#isElement && type.kind !== "var" && type.kind !== "datasec") this.text += `(${this.#cast(type)})`;
    }
    return this.#body(inner, type, at, shift, bits);
  }

  #body(inner: BtfType, type: BtfType, at: number, shift: number, bits: number): boolean {
    switch (inner.kind) {
      case "int":
        if (bits) return this.#bitfield(inner, at, shift, bits);
        this.#int(inner, at);
        return true;
      case "float":
        this.#put(this.#float(inner, at));
        return true;
      case "ptr":
        this.#pointer(type, at);
        return true;
      case "enum":
      case "enum64":
        return this.#enum(inner, type, at, shift, bits);
      case "array":
        return this.#array(inner, at);
      case "struct":
      case "union":
        return this.#composite(inner, at);
      case "var":
        return this.#variable(inner, at);
      case "datasec":
        return this.#section(inner, at);
      case "decl_tag":
        return this.#body(resolve(inner.target), inner.target, at, shift, bits);
      default:
        return true;
    }
  }

  /** Whether a value is left out because it is zero. */
  #isZero(inner: BtfType, type: BtfType, at: number, shift: number, bits: number): boolean | typeof SHORT {
    if (this.#options.emitZeroes || this.#depth === 0 || (this.#isElement && !this.#isText)) return false;
    return this.#holdsZero(inner, type, at, shift, bits);
  }

  #holdsZero(inner: BtfType, type: BtfType, at: number, shift: number, bits: number): boolean | typeof SHORT {
    switch (inner.kind) {
      case "int":
        if (!bits) return this.#number(at, inner.byteSize) === 0n;
        if (this.#ends(at + ((shift + bits + 7) >> 3))) return SHORT;
        return this.#bits(inner.byteSize, at, shift, bits) === 0n;
      case "float":
        return this.#number(at, inner.byteSize) === 0n;
      case "ptr":
        return this.#number(at, this.#pointerSize) === 0n;
      case "enum":
      case "enum64":
        // libbpf looks at the whole enum, also for a bitfield.
        if (this.#exact || !bits) return this.#enumValue(inner, type, at) === 0n;
        return this.#bits(inner.byteSize, at, shift, bits) === 0n;
      case "array":
        return this.#arrayHoldsZero(inner, at);
      case "struct":
      case "union":
        return this.#compositeHoldsZero(inner, at);
      default:
        return false;
    }
  }

  /** In libbpf an element within an array is looked at as the array is: then it counts as not zero. */
  #memberHoldsZero(type: BtfType, at: number, shift: number, bits: number): boolean | typeof SHORT {
    if (this.#exact && this.#isElement && !this.#isText) return false;
    return this.#holdsZero(resolve(type), type, at, shift, bits);
  }

  #arrayHoldsZero({ element, length }: ArrayType, at: number): boolean | typeof SHORT {
    const stride = sizeOf(element)!;
    const isBytes = resolve(element).kind === "int" && stride === 1;
    if (isBytes && length > 0 && this.#number(at, 1) === 0n) return true;
    for (let i = 0; i < length; i++) {
      const zero = this.#memberHoldsZero(element, at + i * stride, 0, 0);
      if (zero !== true) return zero;
      // Nothing but zeros is behind the data.
      if (stride === 0 || this.#ends(at + i * stride)) break;
    }
    return true;
  }

  #compositeHoldsZero({ members }: StructType | UnionType, at: number): boolean | typeof SHORT {
    for (const { type, bitOffset, bitfieldSize } of members) {
      const zero = this.#memberHoldsZero(type, at + Math.floor(bitOffset / 8), bitOffset % 8, bitfieldSize);
      // libbpf looks at the first member alone.
      if (zero !== true || this.#exact) return zero;
    }
    return true;
  }

  /** @param byteSize of the declared type: libbpf reads as many bytes, also where a bitfield needs one more */
  #bits(byteSize: number, at: number, shift: number, bits: number): bigint {
    const needed = (shift + bits + 7) >> 3;
    const count = this.#exact ? byteSize : needed;
    const value = this.#number(at, count);
    return BigInt.asUintN(bits, value >> BigInt(this.#little ? shift : Math.max(0, count * 8 - shift - bits)));
  }

  #bitfield({ byteSize }: IntType, at: number, shift: number, bits: number): boolean {
    this.#put(`0x${this.#bits(byteSize, at, shift, bits).toString(16)}`);
    return true;
  }

  #int({ byteSize, isSigned }: IntType, at: number): void {
    const value = this.#number(at, byteSize);
    if (byteSize === 1 && this.#isText) {
      if (this.#isTerminated) return;
      if (value === 0n) {
        this.#put("'\\0'");
        this.#isTerminated = true;
        return;
      }
      if (isPrintable(Number(value))) {
        this.#put(`'${String.fromCharCode(Number(value))}'`);
        return;
      }
    }
    if (byteSize === 16) this.#put(`0x${value.toString(16)}`);
    else this.#put(String(isSigned ? BigInt.asIntN(byteSize * 8, value) : value));
  }

  #float({ byteSize }: FloatType, at: number): string {
    return fixedText(this.#number(at, byteSize), byteSize, this.#little);
  }

  #pointer(type: BtfType, at: number): void {
    const value = this.#number(at, this.#pointerSize);
    // libbpf prints a pointer of its host where it is aligned.
    const isNative = this.#pointerSize === 8 && at % (alignOf(type) ?? 1) === 0;
    this.#put(value === 0n && isNative ? "(nil)" : `0x${value.toString(16)}`);
  }

  #enumValue(type: EnumType | Enum64Type, declared: BtfType, at: number): bigint {
    // libbpf reads no bits of an enum that is not aligned.
    if (this.#exact && at % (alignOf(declared) ?? 1) !== 0) return 0n;
    const value = this.#number(at, type.byteSize);
    return type.isSigned ? BigInt.asIntN(type.byteSize * 8, value) : value;
  }

  #enum(type: EnumType | Enum64Type, declared: BtfType, at: number, shift: number, bits: number): boolean {
    const { byteSize, isSigned } = type;
    let value = this.#enumValue(type, declared, at);
    if (bits) {
      value = this.#bits(byteSize, at, shift, bits);
      if (isSigned) value = BigInt.asIntN(this.#exact ? byteSize * 8 : bits, value);
    }
    const width = type.kind === "enum" ? 32 : 64;
    for (const { name, value: each } of type.values) {
      // libbpf compares with a signed number of 32 bits.
      const held = this.#exact ? BigInt.asIntN(width, BigInt(each)) : BigInt(each);
      const wanted = this.#exact && width === 64 ? BigInt.asIntN(64, value) : value;
      if (held !== wanted) continue;
      this.#put(name);
      return true;
    }
    const text =
      type.kind === "enum"
        ? String(isSigned ? BigInt.asIntN(32, value) : BigInt.asUintN(32, value))
        : isSigned
          ? `${BigInt.asIntN(64, value)}LL`
          : `${BigInt.asUintN(64, value)}ULL`;
    if (this.#exact && isSigned) this.text += text;
    else this.#put(text);
    return true;
  }

  /** The text up to the first NUL, if there is one within the array and the data. */
  #string(length: number, at: number): string | undefined {
    let text = "";
    for (let i = 0; i < length && !this.#ends(at + i + 1); i++) {
      const byte = this.#view.getUint8(at + i);
      if (byte === 0) return `"${text}"`;
      text += isPrintable(byte) ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
    }
    return undefined;
  }

  #array({ element, length }: ArrayType, at: number): boolean {
    const inner = resolve(element);
    const stride = sizeOf(element)!;
    const wasText = this.#isText;
    const isBytes = inner.kind === "int" && stride === 1;
    if (isBytes) {
      const text = this.#options.emitStrings ? this.#string(length, at) : undefined;
      if (text !== undefined) {
        if (!this.#exact) this.#put(text);
        else {
          this.#prefix();
          this.text += text;
        }
        return true;
      }
      this.#isText = true;
    } else if (!this.#exact) this.#isText = false;
    this.#depth++;
    this.text += `[${this.#newline()}`;
    const { wasElement, wasTerminated } = { wasElement: this.#isElement, wasTerminated: this.#isTerminated };
    this.#isElement = true;
    this.#isTerminated = false;
    let fits = true;
    for (let i = 0; i < length && !this.#isTerminated; i++) {
      fits = this.value("", element, at + i * stride, 0, 0);
      // libbpf goes on; elements behind the data write nothing.
      if (!fits && (!this.#exact || this.#ends(at + (i + 1) * stride + stride))) {
        if (!this.#exact) return false;
        if (isBase(inner)) break;
      }
    }
    this.#isElement = wasElement;
    this.#isTerminated = wasTerminated;
    if (!this.#exact) this.#isText = wasText;
    this.#depth--;
    this.#prefix();
    this.#put("]");
    return true;
  }

  #composite({ members }: StructType | UnionType, at: number): boolean {
    const wasText = this.#isText;
    if (!this.#exact) this.#isText = false;
    this.#depth++;
    this.text += `{${this.#newline()}`;
    for (const { name, type, bitOffset, bitfieldSize } of members) {
      if (!this.value(name, type, at + Math.floor(bitOffset / 8), bitOffset % 8, bitfieldSize)) return false;
    }
    this.#depth--;
    if (!this.#exact) this.#isText = wasText;
    this.#prefix();
    this.#put("}");
    return true;
  }

  #variable({ name, type, linkage }: VarType, at: number): boolean {
    if (linkage === "static" || linkage === "extern") this.text += `${linkage} `;
    this.text += `${this.#cast(type)} ${name} = `;
    return this.value("", type, at, 0, 0);
  }

  #section({ name, variables }: DatasecType, at: number): boolean {
    this.#put(`SEC("${name}") `);
    for (const { type, byteOffset } of variables) {
      if (!this.value("", type, at + byteOffset, 0, 0)) return false;
      this.text += ";";
    }
    return true;
  }
}

function isPrintable(byte: number): boolean {
  return byte >= 0x20 && byte < 0x7f;
}

/** Kinds for which libbpf checks that the data is long enough. */
function isBase({ kind }: BtfType): boolean {
  return kind === "int" || kind === "float" || kind === "ptr" || kind === "enum" || kind === "enum64";
}
