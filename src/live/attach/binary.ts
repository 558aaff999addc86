/** Executables and libraries, as far as programs attach to them. Source: libbpf's elf.c. */
import { BtfLookupError } from "../../errors/error.js";
import { ERR_LIVE_ATTACH } from "../../errors/live.js";

const PT_LOAD = 1;
const PF_X = 1;
const ET_EXEC = 2;
const ET_DYN = 3;

/** A section of a file. */
export interface BinarySection {
  readonly name: string;
  readonly type: number;
  readonly address: bigint;
  /** In bytes from the start of the file. */
  readonly offset: number;
  /** In bytes. */
  readonly size: number;
  readonly link: number;
}

/** A part of a file that is mapped. */
export interface Segment {
  readonly address: bigint;
  /** In bytes, in memory. */
  readonly size: bigint;
  /** In bytes from the start of the file. */
  readonly offset: bigint;
  readonly isExecutable: boolean;
}

/** A little-endian 64-bit ELF file. */
export class Binary {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly sections: readonly BinarySection[];
  readonly segments: readonly Segment[];

  constructor(path: string, bytes: Uint8Array) {
    this.path = path;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.sections = readSections(this.view, bytes);
    this.segments = readSegments(this.view);
  }

  /** Returns the segment that an address lies in. */
  segmentAt(address: bigint): Segment | undefined {
    return this.segments.find((segment) => address >= segment.address && address < segment.address + segment.size);
  }
}

/** Where an address of a segment is in the file, in bytes. */
export function fileOffset(segment: Segment, address: bigint): bigint {
  return address - segment.address + segment.offset;
}

/**
 * Reads a file and hands it to `use`.
 *
 * @throws BtfLookupError ERR_LIVE_ATTACH for a file that is no executable and no library, or is damaged
 */
export function readBinary<T>(program: string, path: string, use: (binary: Binary) => T): T {
  const { readFileSync } = process.getBuiltinModule("node:fs");
  const refuse = (note: string, cause?: unknown): never => {
    throw new BtfLookupError(ERR_LIVE_ATTACH, { name: program, note }, { cause });
  };
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    return refuse(`${path} cannot be read: ${(cause as Error).message}`, cause);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 64 || view.getUint32(0) !== 0x7f454c46 || bytes[4] !== 2 || bytes[5] !== 1)
    return refuse(`${path} is not a little-endian 64-bit ELF file`);
  const type = view.getUint16(16, true);
  if (type !== ET_EXEC && type !== ET_DYN) return refuse(`${path} is neither an executable nor a library`);
  try {
    return use(new Binary(path, bytes));
  } catch (cause) {
    if (cause instanceof RangeError) return refuse(`${path} is damaged: its tables pass its end`, cause);
    throw cause;
  }
}

function readSections(view: DataView, bytes: Uint8Array): BinarySection[] {
  const at = Number(view.getBigUint64(40, true));
  const size = view.getUint16(58, true);
  const headers = Array.from({ length: view.getUint16(60, true) }, (_, i) => {
    const start = at + i * size;
    return {
      nameOffset: view.getUint32(start, true),
      type: view.getUint32(start + 4, true),
      address: view.getBigUint64(start + 16, true),
      offset: Number(view.getBigUint64(start + 24, true)),
      size: Number(view.getBigUint64(start + 32, true)),
      link: view.getUint32(start + 40, true),
    };
  });
  const names = headers[view.getUint16(62, true)]?.offset ?? bytes.length;
  return headers.map(({ nameOffset, ...header }) => ({ name: textAt(bytes, names + nameOffset), ...header }));
}

/** Returns the text at an offset up to its NUL, or the end. */
export function textAt(bytes: Uint8Array, offset: number, limit = bytes.length): string {
  let end = offset;
  while (end < limit && bytes[end] !== 0) end++;
  return String.fromCharCode(...bytes.subarray(offset, Math.min(end, offset + 4096)));
}

function readSegments(view: DataView): Segment[] {
  const at = Number(view.getBigUint64(32, true));
  const size = view.getUint16(54, true);
  const segments: Segment[] = [];
  for (let i = 0; i < view.getUint16(56, true); i++) {
    const start = at + i * size;
    if (view.getUint32(start, true) !== PT_LOAD) continue;
    segments.push({
      address: view.getBigUint64(start + 16, true),
      size: view.getBigUint64(start + 40, true),
      offset: view.getBigUint64(start + 8, true),
      isExecutable: (view.getUint32(start + 4, true) & PF_X) !== 0,
    });
  }
  return segments;
}
