/** Arrays of `char` as strings. */

const decoder = /* @__PURE__ */ new TextDecoder("utf-8", { ignoreBOM: true });

/** Longer texts are faster with a TextDecoder. */
const SHORT = 24;

/** The text of `length` bytes at `at`, in UTF-8. */
export function textAt(view: DataView, at: number, length: number): string {
  if (length <= SHORT) {
    let text = "";
    for (let i = 0; i < length; i++) {
      const byte = view.getUint8(at + i);
      if (byte > 0x7f) return decoded(view, at, length);
      text += String.fromCharCode(byte);
    }
    return text;
  }
  return decoded(view, at, length);
}

function decoded(view: DataView, at: number, length: number): string {
  return decoder.decode(new Uint8Array(view.buffer, view.byteOffset + at, length));
}

/** Bytes before the first NUL, at most `length`. */
export function textLength(view: DataView, at: number, length: number): number {
  if (length > 64) {
    const end = new Uint8Array(view.buffer, view.byteOffset + at, length).indexOf(0);
    return end < 0 ? length : end;
  }
  for (let i = 0; i < length; i++) if (view.getUint8(at + i) === 0) return i;
  return length;
}
