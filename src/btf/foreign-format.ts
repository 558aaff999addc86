/** Formats that hold BTF and are often passed where BTF is expected: errors name them. */

/** The first bytes of a format, as characters. */
const FORMATS: Readonly<Record<string, string>> = {
  "\xfd7zXZ": "xz-compressed data",
  "\x28\xb5\x2f\xfd": "zstd-compressed data",
  "\x02\x21\x4c\x18": "lz4-compressed data",
  "\x04\x22\x4d\x18": "lz4-compressed data",
  BZh: "bzip2-compressed data",
  "PK\x03\x04": "a zip archive",
  MZ: "a PE image, as a kernel that boots",
  "!<arch>": "an ar archive or a Debian package",
  "\xed\xab\xee\xdb": "an rpm package",
  "070701": "a cpio archive",
};

/** Returns what bytes are, if their first ones tell. */
export function foreignFormat(bytes: Uint8Array): string | undefined {
  for (const magic in FORMATS) {
    if (Array.from(magic, (char) => char.charCodeAt(0)).every((byte, i) => bytes[i] === byte)) return FORMATS[magic];
  }
  return undefined;
}
