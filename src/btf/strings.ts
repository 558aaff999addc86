/** Names as bytes and as strings. */

const decoder = /* @__PURE__ */ new TextDecoder();
const encoder = /* @__PURE__ */ new TextEncoder();

/** Up to this many ASCII bytes a loop does without a decoder call, which costs more than short names do. */
const SHORT = 32;

/** The NUL-terminated UTF-8 string at `at`; malformed sequences become U+FFFD. */
export function decode(bytes: Uint8Array, at: number): string {
  let text = "";
  for (let i = at; i < at + SHORT; i++) {
    const byte = bytes[i]!;
    if (byte === 0) return text;
    if (byte > 0x7f) break;
    text += String.fromCharCode(byte);
  }
  return decoder.decode(bytes.subarray(at, bytes.indexOf(0, at)));
}

/** UTF-8 bytes of a name. */
export function encode(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** Writes a name's UTF-8 bytes to where they go. */
export function encodeInto(text: string, target: Uint8Array): { written: number } {
  return encoder.encodeInto(text, target);
}

/** Order of two names as strcmp has it: by their UTF-8 bytes. */
export function compareBytes(a: string, b: string): number {
  // UTF-16 sorts surrogates below U+E000 to U+FFFF, UTF-8 does not: rare, and worth an encoding only then.
  if (!/[\ud800-\uffff]/.test(a + b)) return a < b ? -1 : a > b ? 1 : 0;
  const [left, right] = [encode(a), encode(b)];
  const at = left.findIndex((byte, i) => byte !== right[i]);
  return at < 0 ? left.length - right.length : left[at]! - (right[at] ?? 0);
}

/** The UTF-8 string at `at` up to a NUL, the end of the bytes, or `limit` bytes; "" beyond the end. */
export function decodeSlice(bytes: Uint8Array, at: number, limit: number): string {
  const end = bytes.indexOf(0, at);
  return decoder.decode(bytes.subarray(at, Math.min(end < 0 ? bytes.length : end, at + limit)));
}
