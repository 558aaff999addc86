/** Numbers as the page writes them. */
import { isHex } from "./state.js";

export function grouped(value: number): string {
  return value.toLocaleString("en");
}

/** An offset in bytes, decimal or hexadecimal as the switch says. */
export function offsetText(bytes: number): string {
  return isHex.value ? `0x${bytes.toString(16)}` : grouped(bytes);
}

/** A place in bits: bytes, and the bit behind a colon where it does not start at a byte. */
export function placeText(bits: number, isBitfield = false): string {
  const bit = bits % 8;
  return `${offsetText(Math.floor(bits / 8))}${bit || isBitfield ? `:${bit}` : ""}`;
}

/** A size in bits, in whole bytes where it is. */
export function sizeText(bits: number): string {
  return bits % 8 === 0 ? `${grouped(bits / 8)} B` : `${grouped(bits)} bit`;
}

export function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

export function milliseconds(value: number): string {
  return value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`;
}
