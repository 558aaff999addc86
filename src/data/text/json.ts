/** Values as JSON, as bpftool prints the keys and values of a map. */
import { resolve } from "../../btf/query/resolve.js";
import type {
  ArrayType,
  BtfType,
  DatasecType,
  Enum64Type,
  EnumType,
  IntType,
  StructType,
  UnionType,
} from "../../btf/types.js";
import { readWideBits } from "../bits.js";
import { shortData } from "../decode.js";
import { isLittle, planAsElement, type ScalarPlan } from "../plan.js";
import { floatReader, rawReader } from "../scalar.js";
import { viewOf } from "../source-view.js";
import { JsonWriter } from "./json-writer.js";

/** How values are written as JSON. */
export interface FormatJsonOptions {
  /**
   * As `bpftool map dump` without `-j`: bitfields and 128-bit integers as bare hexadecimal numbers, which is no valid
   * JSON, pointers as quoted addresses (default false).
   */
  readonly plain?: boolean;
  /** Members on lines of their own, as `bpftool -p` (default: as `plain`). */
  readonly pretty?: boolean;
  /** Steps of 4 spaces before each line but the first, to put the text into a larger one (default 0). */
  readonly indentLevel?: number;
  /**
   * Copies what this version gets wrong: a `char` that needs an escape is written without. 7.1 also writes pointers of
   * `plain` without quotes, and `\\n` for a backslash in a text.
   */
  readonly compat?: "bpftool-7.8" | "bpftool-7.1";
}

/** Writes the value at a byte of a view. */
type Print = (view: DataView, at: number, out: JsonWriter) => void;

interface PrinterContext {
  readonly little: boolean;
  readonly options: FormatJsonOptions;
  readonly known: Map<BtfType, Print>;
}

/**
 * Makes a function that writes values of a type as JSON; see {@link formatJson}. Made once, it is fast for many values.
 *
 * @throws as formatJson
 * @example
 * const format = jsonFormatterOf(btf.require("list_head", "struct"));
 * console.log(format(new Uint8Array(16)), format(new Uint8Array(32), 16)); // {"next":0,"prev":0} {"next":0,"prev":0}
 */
export function jsonFormatterOf(
  type: BtfType,
  options: FormatJsonOptions = {},
): (bytes: ArrayBuffer | ArrayBufferView, byteOffset?: number) => string {
  // Refuses what has no value, and types that lead to too many.
  const plan = planAsElement(type);
  const print = printerOf(type, { little: isLittle(type), options, known: new Map() });
  const { plain = false, pretty = plain, indentLevel = 0 } = options;
  const writer = new JsonWriter(pretty, indentLevel);
  return (bytes, byteOffset = 0) => {
    const view = viewOf(bytes);
    if (!(byteOffset >= 0 && byteOffset + plan.extent <= view.byteLength)) {
      throw shortData(type, plan, byteOffset, view.byteLength);
    }
    print(view, byteOffset, writer);
    return writer.take();
  };
}

/**
 * One value as JSON, byte for byte as `bpftool map dump` writes the keys and values of a map: enums by name, arrays of
 * `char` as text where they hold a NUL and only printable ASCII before it, bitfields in hexadecimal, members of
 * anonymous structs below the name "". Floating-point numbers, which bpftool refuses, are written as numbers.
 *
 * @throws BtfDataError ERR_DATA_SHORT; BtfLookupError ERR_DATA_TYPE for a type without values
 * @example
 * console.log(formatJson(btf.require("list_head", "struct"), new Uint8Array(16))); // {"next":0,"prev":0}
 */
export function formatJson(
  type: BtfType,
  bytes: ArrayBuffer | ArrayBufferView,
  options: FormatJsonOptions = {},
): string {
  return jsonFormatterOf(type, options)(bytes);
}

function printerOf(type: BtfType, context: PrinterContext): Print {
  const known = context.known.get(type);
  if (known) return known;
  const print = made(type, context);
  context.known.set(type, print);
  return print;
}

function made(type: BtfType, context: PrinterContext): Print {
  switch (type.kind) {
    case "int":
      return intPrinter(type, 0, context);
    case "enum":
    case "enum64":
      return enumPrinter(type, context);
    case "ptr":
      return pointerPrinter(type, context);
    case "float":
      return floatPrinter(type, context);
    case "array":
      return arrayPrinter(type, context);
    case "struct":
    case "union":
      return compositePrinter(type, context);
    case "var": {
      const print = printerOf(type.type, context);
      const name = quoted(type.name);
      return (view, at, out) => {
        out.open("{");
        out.name(name);
        print(view, at, out);
        out.close("}");
      };
    }
    case "datasec":
      return sectionPrinter(type, context);
    case "decl_tag":
      return printerOf(type.target, context);
    default:
      return printerOf(resolve(type), context);
  }
}

/** A string of JSON; control characters that JSON has no short form for are written by number. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

function scalarOf(type: BtfType): ScalarPlan {
  return planAsElement(type) as ScalarPlan;
}

/** @param shift bits between the start of a byte and the integer */
function intPrinter(type: IntType, shift: number, context: PrinterContext): Print {
  const { bitOffset, bitSize, encoding } = type;
  if (shift || bitOffset || bitSize % 8 || bitSize > 64 || !(bitSize in { 8: 0, 16: 0, 32: 0, 64: 0 })) {
    return hexPrinter(shift + bitOffset, bitSize, context);
  }
  const raw = rawReader(scalarOf(type), context.little);
  if (type.isBool) return (view, at, out) => out.value(view.getUint8(at) ? "true" : "false");
  if (encoding & 2) return (view, at, out) => out.value(charText(view.getUint8(at), context.options));
  return (view, at, out) => out.value(String(raw(view, at)));
}

function charText(byte: number, { plain, compat }: FormatJsonOptions): string {
  if (byte >= 0x20 && byte < 0x7f) {
    const char = String.fromCharCode(byte);
    return compat ? `"${char}"` : quoted(char);
  }
  return plain ? `0x${byte.toString(16)}` : `"\\u00${byte.toString(16).padStart(2, "0")}"`;
}

function hexPrinter(firstBit: number, width: number, { little, options }: PrinterContext): Print {
  const [skip, shift] = [firstBit >> 3, firstBit & 7];
  const quote = options.plain ? "" : '"';
  return (view, at, out) =>
    out.value(`${quote}0x${readWideBits(view, at + skip, shift, width, little).toString(16)}${quote}`);
}

/** The name of the first enumerator, else the value as a signed number: as bpftool, whatever the enum says. */
function enumPrinter(type: EnumType | Enum64Type, { little }: PrinterContext): Print {
  const raw = rawReader({ ...scalarOf(type), isSigned: true }, little);
  const names = new Map<bigint, string>();
  for (const { name, value } of type.values) {
    const signed = BigInt.asIntN(type.kind === "enum" ? 32 : 64, BigInt(value));
    if (!names.has(signed)) names.set(signed, quoted(name));
  }
  return (view, at, out) => {
    const value = BigInt(raw(view, at));
    out.value(names.get(value) ?? String(value));
  };
}

function pointerPrinter(type: BtfType, { little, options }: PrinterContext): Print {
  const raw = rawReader(scalarOf(type), little);
  if (!options.plain) return (view, at, out) => out.value(String(raw(view, at)));
  const quote = options.compat === "bpftool-7.1" ? "" : '"';
  return (view, at, out) => {
    const value = raw(view, at);
    out.value(quote + (value ? `0x${value.toString(16)}` : "(nil)") + quote);
  };
}

function floatPrinter(type: BtfType, { little }: PrinterContext): Print {
  const plan = planAsElement(type);
  if (plan.kind !== "float") throw new TypeError("a float has a plan of a float");
  const read = floatReader(plan, little, {});
  return (view, at, out) => {
    const value = read(view, at);
    out.value(Number.isFinite(value) ? String(value) : `"${value}"`);
  };
}

function arrayPrinter(type: ArrayType, context: PrinterContext): Print {
  const print = printerOf(type.element, context);
  const { length } = type;
  const stride = planAsElement(type.element).byteSize;
  const elements: Print = (view, at, out) => {
    out.open("[");
    for (let i = 0; i < length; i++) print(view, at + i * stride, out);
    out.close("]");
  };
  if (!isTextElement(type.element)) return elements;
  // 7.1 has the escape of a newline there.
  const isOld = context.options.compat === "bpftool-7.1";
  const textOf = (text: string): string => (isOld ? quoted(text).replaceAll("\\\\", "\\n") : quoted(text));
  return (view, at, out) => {
    let text = "";
    for (let i = 0; i < length; i++) {
      const byte = view.getUint8(at + i);
      if (byte === 0) return out.value(textOf(text));
      if (byte < 0x20 || byte > 0x7e) break;
      text += String.fromCharCode(byte);
    }
    elements(view, at, out);
  };
}

/** A `char` through modifiers, but not through typedefs. */
function isTextElement(type: BtfType): boolean {
  let element = type;
  while (
    element.kind === "const" ||
    element.kind === "volatile" ||
    element.kind === "restrict" ||
    element.kind === "type_tag"
  ) {
    element = element.target;
  }
  return element.kind === "int" && element.byteSize === 1 && (element.encoding === 2 || element.name === "char");
}

function compositePrinter(type: StructType | UnionType, context: PrinterContext): Print {
  const members = type.members.map(({ name, type: of, bitOffset, bitfieldSize }) => ({
    name: quoted(name),
    byteOffset: (bitOffset - (bitOffset & 7)) / 8,
    print: memberPrinter(of, bitOffset & 7, bitfieldSize, context),
  }));
  return (view, at, out) => {
    out.open("{");
    for (const { name, byteOffset, print } of members) {
      out.name(name);
      print(view, at + byteOffset, out);
    }
    out.close("}");
  };
}

function memberPrinter(type: BtfType, shift: number, bitfieldSize: number, context: PrinterContext): Print {
  if (bitfieldSize) return hexPrinter(shift, bitfieldSize, context);
  if (shift === 0) return printerOf(type, context);
  const inner = resolve(type);
  return inner.kind === "int" ? intPrinter(inner, shift, context) : printerOf(type, context);
}

function sectionPrinter({ name, variables }: DatasecType, context: PrinterContext): Print {
  const printed = variables
    .filter(({ type }) => type.kind === "var")
    .map(({ type, byteOffset }) => ({ byteOffset, print: printerOf(type, context) }));
  const title = quoted(name);
  return (view, at, out) => {
    out.open("{");
    out.name(title);
    out.open("[");
    for (const { byteOffset, print } of printed) print(view, at + byteOffset, out);
    out.close("]");
    out.close("}");
  };
}
