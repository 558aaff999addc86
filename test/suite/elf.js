/** Builds ELF files with BTF sections: both classes and byte orders, sections plain or packed. */

const SHT_PROGBITS = 1;
const SHT_STRTAB = 3;
const SHF_COMPRESSED = 0x800;
const ELFCOMPRESS_ZLIB = 1;
const ELFCOMPRESS_ZSTD = 2;

/** zlib data of stored blocks: no compressor is needed. */
function zlib(bytes) {
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  const { length } = bytes;
  return [
    0x78,
    0x01,
    1,
    length & 0xff,
    length >> 8,
    ~length & 0xff,
    (~length >> 8) & 0xff,
    ...bytes,
    b >> 8,
    b & 0xff,
    a >> 8,
    a & 0xff,
  ];
}

/** A zstd frame of one raw block, its content size in 4 bytes. */
function zstd(bytes) {
  const { length } = bytes;
  const word = (value, count) => Array.from({ length: count }, (_, i) => (value >>> (i * 8)) & 0xff);
  return [0x28, 0xb5, 0x2f, 0xfd, 0xa0, ...word(length, 4), ...word(length * 8 + 1, 3), ...bytes];
}

/**
 * @param sections `{ name, bytes, packed?: "zlib" | "zstd" }`, each below 64 KiB
 */
export function elf(sections, { is64 = true, endian = "little" } = {}) {
  const little = endian === "little";
  /** Fields of [value, bytes each]; 0 stands for the class's word. */
  const record = (fields) => {
    const sized = fields.map(([value, size]) => [value, size || (is64 ? 8 : 4)]);
    const view = new DataView(new ArrayBuffer(sized.reduce((sum, [, size]) => sum + size, 0)));
    let at = 0;
    for (const [value, size] of sized) {
      if (size === 8) view.setBigUint64(at, BigInt(value), little);
      else if (size === 4) view.setUint32(at, value, little);
      else if (size === 2) view.setUint16(at, value, little);
      else view.setUint8(at, value);
      at += size;
    }
    return new Uint8Array(view.buffer);
  };
  const compressionHeader = (type, size) =>
    record(
      is64
        ? [
            [type, 4],
            [0, 4],
            [size, 8],
            [1, 8],
          ]
        : [
            [type, 4],
            [size, 4],
            [1, 4],
          ],
    );

  const names = new TextEncoder().encode(`\0.shstrtab\0${sections.map(({ name }) => `${name}\0`).join("")}`);
  let nameAt = 11;
  const parts = [{ nameAt: 1, type: SHT_STRTAB, flags: 0, bytes: names }];
  for (const { name, bytes, packed } of sections) {
    let body = bytes;
    if (packed) {
      const header = compressionHeader(packed === "zlib" ? ELFCOMPRESS_ZLIB : ELFCOMPRESS_ZSTD, bytes.length);
      body = [...header, ...(packed === "zlib" ? zlib(bytes) : zstd(bytes))];
    }
    parts.push({ nameAt, type: SHT_PROGBITS, flags: packed ? SHF_COMPRESSED : 0, bytes: body });
    nameAt += name.length + 1;
  }

  const headerSize = is64 ? 64 : 52;
  const entrySize = is64 ? 64 : 40;
  let offset = headerSize;
  const table = [new Uint8Array(entrySize)];
  for (const part of parts) {
    const { length } = part.bytes;
    table.push(
      record([
        [part.nameAt, 4],
        [part.type, 4],
        [part.flags, 0],
        [0, 0],
        [offset, 0],
        [length, 0],
        [0, 4],
        [0, 4],
        [1, 0],
        [0, 0],
      ]),
    );
    offset += length;
  }
  const ident = [0x7f, 0x45, 0x4c, 0x46, is64 ? 2 : 1, little ? 1 : 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  const header = record([
    ...ident.map((byte) => [byte, 1]),
    ...[
      [1, 2],
      [247, 2],
      [1, 4],
      [0, 0],
      [0, 0],
      [offset, 0],
      [0, 4],
    ],
    ...[headerSize, 0, 0, entrySize, table.length, 1].map((value) => [value, 2]),
  ]);
  return new Uint8Array([header, ...parts.map(({ bytes }) => bytes), ...table].flatMap((bytes) => Array.from(bytes)));
}
