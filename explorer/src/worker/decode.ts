/** The decode box: bytes as values of a type, each with its place. */
import { BtfError, type BtfType, resolve, sizeOf } from "btfkit";
import { decode, type Value } from "btfkit/data";
import type { Layout } from "btfkit/inspect";
import type { Decoded, DecodedRow, TypeRef } from "../protocol.js";
import { parseHex } from "./hex.js";
import { typeOf } from "./kernels.js";
import { pathOf, wholeLayout } from "./shape.js";

/** Rows at most, and characters of a value. */
const ROWS = 5000;
const CHARACTERS = 200;

export function decodeHex({ ref, hex }: { ref: TypeRef; hex: string }): Decoded {
  const { type } = typeOf(ref);
  const bytes = parseHex(hex);
  const byteSize = sizeOf(type);
  if (byteSize === undefined) throw new Error(`${type.kind} ${type.name} has no size, so bytes cannot be its value`);
  const note =
    bytes.length < byteSize
      ? `${bytes.length} of ${byteSize} bytes: what lies behind them is left out`
      : bytes.length > byteSize
        ? `${bytes.length - byteSize} bytes behind the value are not decoded`
        : undefined;
  return { byteSize, bytes, rows: rowsOf(type, bytes), note };
}

function rowsOf(type: BtfType, bytes: Uint8Array): DecodedRow[] {
  const options = { partial: true, enums: "flags", arrays: "plain" } as const;
  const value = decode(type, bytes, options);
  const target = resolve(type);
  if (target.kind !== "struct" && target.kind !== "union") {
    const bitSize = (sizeOf(type) ?? 0) * 8;
    return [{ depth: 0, path: "", name: "value", type: type.name, value: textOf(value), bitOffset: 0, bitSize }];
  }
  const rows: DecodedRow[] = [];
  collect(wholeLayout(target), value, bytes.length * 8, "", 0, rows);
  return rows;
}

function collect(
  layout: Layout,
  value: Value | undefined,
  end: number,
  parent: string,
  depth: number,
  rows: DecodedRow[],
): void {
  for (const member of layout.members) {
    const { name, typeText, bitOffset, bitSize, nested, bitfieldBits } = member;
    if (rows.length >= ROWS || bitOffset >= end) return;
    // Members of an anonymous struct stand beside it.
    const own = name ? memberOf(value, name) : value;
    const path = pathOf(member, parent);
    if (nested && !name) {
      collect(nested, own, end, path, depth, rows);
      continue;
    }
    if (own === undefined) continue;
    const type = bitfieldBits ? `${typeText} : ${bitfieldBits}` : typeText.split("\n", 1)[0]!;
    rows.push({ depth, path, name, type, value: nested ? "" : textOf(own), bitOffset, bitSize });
    if (nested) collect(nested, own, end, path, depth + 1, rows);
  }
}

function memberOf(value: Value | undefined, name: string): Value | undefined {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  try {
    return (value as Readonly<Record<string, Value>>)[name];
  } catch (error) {
    // A view of a union that passes the end of the data.
    if (error instanceof BtfError) return undefined;
    throw error;
  }
}

function textOf(value: Value): string {
  const text =
    typeof value === "bigint" && value >= 0x1000n
      ? `${value} (0x${value.toString(16)})`
      : typeof value === "object" || typeof value === "string"
        ? JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? String(inner) : inner))
        : String(value);
  return text.length > CHARACTERS ? `${text.slice(0, CHARACTERS)}…` : text;
}
