/** Decompression by the runtime's own zlib. */
import type * as Zlib from "node:zlib";
import { type Compression, checkUnpacked, UNPACKED_LIMIT } from "../btf/compression.js";
import { ERR_COMPRESSED, ERR_OUTPUT_LIMIT } from "../errors/btf.js";
import { BtfFormatError, BtfLimitError } from "../errors/error.js";

/** Loaded when it is needed: importing it takes milliseconds. */
function zlib(): typeof Zlib & { readonly zstdDecompressSync?: typeof Zlib.inflateSync } {
  return process.getBuiltinModule("node:zlib");
}

/** Unpacks gzip. @throws BtfFormatError ERR_COMPRESSED; BtfLimitError ERR_OUTPUT_LIMIT */
export function gunzip(bytes: Uint8Array): Uint8Array {
  return unpack("gzip data", "gzip", UNPACKED_LIMIT, (options) => zlib().gunzipSync(bytes, options));
}

/** Unpacks a section of an ELF file. @throws BtfFormatError ERR_COMPRESSED; BtfLimitError ERR_OUTPUT_LIMIT */
export function inflate(
  { section, packed }: { section: string; packed?: { kind: Compression; byteSize: number } },
  bytes: Uint8Array,
) {
  const { kind, byteSize } = packed!;
  const { zstdDecompressSync } = zlib();
  const name = `section ${section}`;
  if (kind === "zlib") return unpack(name, kind, byteSize, (options) => zlib().inflateSync(bytes, options));
  if (zstdDecompressSync) return unpack(name, kind, byteSize, (options) => zstdDecompressSync(bytes, options));
  throw new BtfFormatError(ERR_COMPRESSED, {
    name,
    note: "packed with zstd, which this Node cannot unpack at once: use Btf.load",
  });
}

function unpack(
  name: string,
  kind: Compression,
  limit: number,
  act: (options: Zlib.ZlibOptions) => Uint8Array,
): Uint8Array {
  checkUnpacked(limit, name);
  try {
    return act({ maxOutputLength: Math.max(1, limit) });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      throw new BtfLimitError(ERR_OUTPUT_LIMIT, { name, limit }, { cause });
    }
    throw new BtfFormatError(ERR_COMPRESSED, { name, note: `damaged ${kind} data` }, { cause });
  }
}
