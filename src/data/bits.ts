/**
 * Numbers of any width at any bit. Bits are counted from the low end of the first byte in little-endian data and from
 * its high end in big-endian data, as in BTF's member offsets. Source: the kernel's btf_bitfield_show.
 */

/** Reads an unsigned number of `width` bits (1 to 32), `shift` bits (0 to 7) into the byte at `at`. */
export function readBits(view: DataView, at: number, shift: number, width: number, little: boolean): number {
  const count = (shift + width + 7) >> 3;
  const mask = width === 32 ? 0xffffffff : 2 ** width - 1;
  if (count === 5) {
    // Only where the number does not start with a byte: shift > 0.
    if (little) return (((view.getUint32(at, true) >>> shift) | (view.getUint8(at + 4) << (32 - shift))) & mask) >>> 0;
    const rest = 40 - shift - width;
    return (((view.getUint32(at, false) << (8 - rest)) | (view.getUint8(at + 4) >>> rest)) & mask) >>> 0;
  }
  let bits = 0;
  if (little) for (let i = count - 1; i >= 0; i--) bits = (bits << 8) | view.getUint8(at + i);
  else for (let i = 0; i < count; i++) bits = (bits << 8) | view.getUint8(at + i);
  return ((bits >>> (little ? shift : count * 8 - shift - width)) & mask) >>> 0;
}

/** Reads an unsigned number of up to 128 bits. */
export function readWideBits(view: DataView, at: number, shift: number, width: number, little: boolean): bigint {
  const count = (shift + width + 7) >> 3;
  let bits = 0n;
  for (let i = 0; i < count; i++) bits = (bits << 8n) | BigInt(view.getUint8(at + (little ? count - 1 - i : i)));
  return BigInt.asUintN(width, bits >> BigInt(little ? shift : count * 8 - shift - width));
}

/** Writes the low `width` bits (up to 128) of a number; the other bits of its bytes stay. */
export function writeBits(
  view: DataView,
  at: number,
  { shift, width }: { readonly shift: number; readonly width: number },
  value: bigint,
  little: boolean,
): void {
  const count = (shift + width + 7) >> 3;
  const up = BigInt(little ? shift : count * 8 - shift - width);
  let bits = BigInt.asUintN(width, value) << up;
  let mask = ((1n << BigInt(width)) - 1n) << up;
  for (let i = 0; i < count; i++) {
    const byte = at + (little ? i : count - 1 - i);
    const kept = view.getUint8(byte) & ~Number(mask & 0xffn);
    view.setUint8(byte, kept | Number(bits & 0xffn));
    bits >>= 8n;
    mask >>= 8n;
  }
}
