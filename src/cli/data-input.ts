/** The TYPE and the bytes of `decode` and `encode`. */
import { readFileSync } from "node:fs";
import type { Btf } from "../btf/btf.js";
import { resolve } from "../btf/query/resolve.js";
import type { BtfType } from "../btf/types.js";
import { InputError, UsageError } from "./exit.js";
import { openInput } from "./input.js";
import { openObjectInput } from "./object-input.js";
import { selectTypes } from "./select.js";

/** Where TYPE is looked up. */
export interface TypeOptions {
  readonly base?: string;
  readonly member?: string;
  readonly maxSize?: number;
  readonly kernelOf?: string;
}

/** Kinds with values, those that a plain name means before others. */
const PREFERRED = ["struct", "union", "typedef", "enum", "enum64", "datasec", "var", "int", "float"];

/** The type that TYPE names: in a BPF object, or in FILE. */
export async function typeInput(wanted: string, file: string | undefined, options: TypeOptions): Promise<BtfType> {
  if (options.kernelOf !== undefined && file !== undefined) {
    throw new UsageError("--kernel-of names the object that has the types: it takes no FILE");
  }
  const btf = options.kernelOf === undefined ? await openInput(file, options) : openObjectInput(options.kernelOf).btf;
  return typeOf(btf, wanted);
}

function typeOf(btf: Btf, wanted: string): BtfType {
  const types = selectTypes(btf, [wanted]).map((id) => btf.get(id)!);
  const rank = ({ kind }: BtfType): number => (PREFERRED.includes(kind) ? PREFERRED.indexOf(kind) : PREFERRED.length);
  types.sort((a, b) => rank(a) - rank(b));
  const [type] = types;
  // A typedef of a declaration has no size; another type of that name may have.
  return types.find((one) => one.kind !== "typedef" || resolve(one).kind !== "fwd") ?? type!;
}

/** The bytes that --hex writes out, with or without spaces, colons and 0x. */
export function hexBytes(text: string): Uint8Array {
  const digits = text.replace(/^0x|[\s:]/gi, "");
  const wrong = /[^\da-f]/i.exec(digits);
  if (wrong) throw new UsageError(`--hex: "${wrong[0]}" at digit ${wrong.index + 1} is no hexadecimal digit`);
  if (digits.length % 2)
    throw new UsageError(`--hex: an odd number of digits (${digits.length}) is no whole number of bytes`);
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(i * 2, i * 2 + 2), 16));
}

/** The bytes of a file, or of standard input (`-`). */
export function dataBytes(path: string): Uint8Array {
  try {
    return readFileSync(path === "-" ? 0 : path);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new InputError(`${path}: ${code === "ENOENT" ? "no such file" : message}`, { cause });
  }
}
