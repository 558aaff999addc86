/** WebAssembly that travels as a string: see scripts/build/inline.mjs. */

/** The low bytes of a string's characters. */
type Decoder = (text: string) => Uint8Array<ArrayBuffer>;

let lowBytes: Decoder = (text) => {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
};

/** Hosts that do so natively save half of the time. @internal */
export function decodeWith(native: Decoder): void {
  lowBytes = native;
}

/** The module in a string, whose characters are its bytes, all moved up by as much. @internal */
export function moduleOf(text: string): WebAssembly.Module {
  const bytes = lowBytes(text);
  // A module starts with a zero.
  const distance = bytes[0]!;
  if (distance > 0) for (let i = 0; i < bytes.length; i++) bytes[i]! -= distance;
  return new WebAssembly.Module(bytes);
}
