// Makes small ELF files with the given sections.

export interface ElfOptions {
  readonly is64?: boolean;
  readonly endian?: "little" | "big";
  /** Section type of `.BTF*`, SHT_PROGBITS by default. */
  readonly type?: number;
  /** ch_type of a compression header in front of `.BTF`. */
  readonly compression?: number;
  /** ch_size of that header. */
  readonly unpacked?: number;
  /** Keeps the section count and the name table's index in section 0. */
  readonly extended?: boolean;
}

export function elf(sections: Readonly<Record<string, Uint8Array>>, options: ElfOptions = {}): Uint8Array<ArrayBuffer> {
  const { is64 = true, endian = "little", type = 1, compression, unpacked = 0, extended = false } = options;
  const little = endian === "little";
  const wordSize = is64 ? 8 : 4;
  const headerSize = is64 ? 64 : 52;
  const entrySize = is64 ? 64 : 40;
  const names = ["", ...Object.keys(sections), ".shstrtab"];
  const text = new TextEncoder().encode(`${names.join("\0")}\0`);
  const bodies = Object.entries(sections).map(([name, bytes]) => {
    if (compression === undefined || name !== ".BTF") return { bytes, flags: 0 };
    const header = new DataView(new ArrayBuffer(is64 ? 24 : 12));
    header.setUint32(0, compression, little);
    if (is64) header.setBigUint64(8, BigInt(unpacked), little);
    else header.setUint32(4, unpacked, little);
    return { bytes: new Uint8Array([...new Uint8Array(header.buffer), ...bytes]), flags: 0x800 };
  });
  bodies.push({ bytes: text, flags: 0 });
  const total = bodies.reduce((sum, { bytes }) => sum + bytes.length, headerSize);
  const out = new Uint8Array(total + (bodies.length + 1) * entrySize);
  const view = new DataView(out.buffer);
  const word = (at: number, value: number): void =>
    is64 ? view.setBigUint64(at, BigInt(value), little) : view.setUint32(at, value, little);
  out.set([0x7f, 0x45, 0x4c, 0x46, is64 ? 2 : 1, little ? 1 : 2, 1]);
  word(is64 ? 40 : 32, total);
  view.setUint16(is64 ? 58 : 46, entrySize, little);
  view.setUint16(is64 ? 60 : 48, extended ? 0 : bodies.length + 1, little);
  view.setUint16(is64 ? 62 : 50, extended ? 0xffff : bodies.length, little);
  if (extended) {
    word(total + (is64 ? 32 : 20), bodies.length + 1);
    view.setUint32(total + (is64 ? 40 : 24), bodies.length, little);
  }
  let at = headerSize;
  bodies.forEach(({ bytes, flags }, i) => {
    const entry = total + (i + 1) * entrySize;
    const name = names[i + 1]!;
    out.set(bytes, at);
    view.setUint32(entry, new TextDecoder().decode(text).indexOf(`\0${name}\0`) + 1, little);
    view.setUint32(entry + 4, name.startsWith(".BTF") ? type : 3, little);
    word(entry + 8, flags);
    word(entry + 8 + wordSize * 2, at);
    word(entry + 8 + wordSize * 3, bytes.length);
    at += bytes.length;
  });
  return out;
}
