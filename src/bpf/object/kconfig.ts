/** Values of a kernel's configuration for `.kconfig` externs: what fits which type. */

import { sizeOf } from "../../btf/query/resolve.js";
import { skipModifiers } from "../../btf/traverse.js";
import type { BtfType } from "../../btf/types.js";

/** What a `.kconfig` extern may hold, by its type. Source: libbpf's find_kcfg_type. */
export type KconfigKind = "bool" | "tristate" | "char" | "int" | "char_array";

/** The type of a `.kconfig` extern. */
export interface KconfigType {
  readonly kind: KconfigKind;
  readonly isSigned: boolean;
  /** In bytes. */
  readonly byteSize: number;
}

/** Why a value does not fit: libbpf's errno and words. */
export interface KconfigMisfit {
  readonly errno: "EINVAL" | "ERANGE";
  readonly reason: string;
}

/** Returns what a `.kconfig` extern of this type may hold; `undefined` for a type that loaders refuse. */
export function kconfigTypeOf(declared: BtfType): KconfigType | undefined {
  const type = skipModifiers(declared, MODIFIERS_MAX);
  switch (type?.kind) {
    case "int": {
      const { byteSize, isSigned } = type;
      if (type.isBool) return byteSize === 1 ? { kind: "bool", isSigned: false, byteSize } : undefined;
      if (byteSize === 1) return { kind: "char", isSigned, byteSize };
      return [2, 4, 8].includes(byteSize) ? { kind: "int", isSigned, byteSize } : undefined;
    }
    case "enum":
      return type.byteSize === 4 && type.name === "libbpf_tristate"
        ? { kind: "tristate", isSigned: false, byteSize: 4 }
        : undefined;
    case "enum64":
      return type.name === "libbpf_tristate"
        ? { kind: "tristate", isSigned: false, byteSize: type.byteSize }
        : undefined;
    case "array":
      if (type.length === 0 || kconfigTypeOf(type.element)?.kind !== "char") return undefined;
      return { kind: "char_array", isSigned: false, byteSize: sizeOf(type) ?? 0 };
    default:
      return undefined;
  }
}

/** A longer chain is a loop. */
const MODIFIERS_MAX = 256;

const TRISTATE: Readonly<Record<string, bigint>> = { n: 0n, y: 1n, m: 2n };

/**
 * Returns the bytes of a value as a configuration file writes it (`y`, `"text"`,
 * `0x10`) in an extern of this type, or why it does not fit.
 * Source: libbpf's bpf_object__process_kconfig_line.
 */
export function kconfigBytes(text: string, type: KconfigType, little: boolean): Uint8Array | KconfigMisfit {
  const refuse = (reason: string, errno: KconfigMisfit["errno"] = "EINVAL"): KconfigMisfit => ({ errno, reason });
  const first = text[0] ?? "";
  if (first in TRISTATE) {
    switch (type.kind) {
      case "bool":
        return first === "m" ? refuse(`"m" does not fit a bool`) : bytesOf(first === "y" ? 1n : 0n, type, little);
      case "tristate":
        return bytesOf(TRISTATE[first]!, { ...type, byteSize: 4 }, little);
      case "char":
        return Uint8Array.of(first.charCodeAt(0));
      default:
        return refuse(`"${first}" fits a bool, a tristate or a char, not this type`);
    }
  }
  if (first === '"') {
    if (type.kind !== "char_array") return refuse(`a text fits an array of char, not this type`);
    if (text.length < 2 || !text.endsWith('"')) return refuse("a text without a closing quotation mark");
    const bytes = new Uint8Array(type.byteSize);
    bytes.set(new TextEncoder().encode(text.slice(1, -1)).subarray(0, type.byteSize - 1));
    return bytes;
  }
  const number = parseNumber(text);
  if (number === undefined) return refuse(`"${text}" is not a number`);
  if (type.kind !== "int" && type.kind !== "char") return refuse(`a number fits an integer or a char, not this type`);
  return kconfigNumber(number, type, little);
}

/** Returns the bytes of a number that the loader itself provides, such as LINUX_KERNEL_VERSION. Source: set_kcfg_value_num. */
export function kconfigNumber(value: bigint, type: KconfigType, little: boolean): Uint8Array | KconfigMisfit {
  if (type.kind === "tristate" || type.kind === "char_array")
    return { errno: "EINVAL", reason: "a number fits an integer, a char or a bool, not this type" };
  if (type.kind === "bool" && value > 1n) return { errno: "EINVAL", reason: `${value} is not a bool` };
  const bits = BigInt(type.byteSize * 8);
  const fits =
    type.byteSize === 8 ||
    (type.isSigned
      ? BigInt.asUintN(64, value + (1n << (bits - 1n))) < 1n << bits
      : BigInt.asUintN(64, value) >> bits === 0n);
  if (!fits) return { errno: "ERANGE", reason: `${value} does not fit in ${type.byteSize} bytes` };
  return bytesOf(value, type, little);
}

/** As C's strtoull with base 0 reads the whole text. */
function parseNumber(text: string): bigint | undefined {
  const [, sign, digits] = /^\s*([-+]?)(0x[\da-f]+|\d+)$/i.exec(text) ?? [];
  if (!digits) return undefined;
  if (/^0[0-7]+$/.test(digits)) return signed(BigInt(`0o${digits.slice(1)}`), sign);
  if (/^0\d/.test(digits)) return undefined;
  return signed(BigInt(digits), sign);
}

function signed(magnitude: bigint, sign: string | undefined): bigint | undefined {
  if (magnitude >= 1n << 64n) return undefined;
  return BigInt.asUintN(64, sign === "-" ? -magnitude : magnitude);
}

function bytesOf(value: bigint, { byteSize }: KconfigType, little: boolean): Uint8Array {
  const bytes = new Uint8Array(byteSize);
  for (let i = 0; i < byteSize; i++) {
    bytes[little ? i : byteSize - 1 - i] = Number((value >> BigInt(i * 8)) & 0xffn);
  }
  return bytes;
}
