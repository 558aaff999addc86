/** The way from a file to the BTF in it, through whatever is around it. */

import { findBtf, type Payload } from "../../bpf/elf/btf.js";
import { type ElfFile, isElf, readElf } from "../../bpf/elf/file.js";
import { decompress } from "../../btf/compression.js";
import { BtfError, BtfFormatError, BtfLimitError } from "../../errors/error.js";
import { ERR_IMAGE_DEPTH, ERR_IMAGE_NO_BTF, ERR_IMAGE_UNKNOWN } from "../../errors/image.js";
import type { Budget } from "../codecs/budget.js";
import { Reader } from "../codecs/reader.js";
import { compressedParts, compressionAt, type ImageCompression, unpack } from "../codecs/registry.js";
import { ARCHIVE_HEAD, type ArchiveKind, archiveAt } from "./archive.js";
import { type BootKind, bootImage } from "./boot.js";
import { machineName, versionOfKernel, versionOfModule } from "./facts.js";
import { type FileWindow, readWindow } from "./file-window.js";
import { refusalOf, scanForBtf } from "./scan.js";

/** One thing that was opened on the way to the BTF. */
export interface ImageStep {
  readonly kind: ArchiveKind | "folder" | ImageCompression | BootKind | "ELF" | "BTF";
  /** In a package or folder: the path of the file that it led to. */
  readonly member?: string;
  /** Where in it the next step starts, in bytes. */
  readonly offset?: number;
}

/** BTF, as its bytes are, and where it was. */
export interface FoundBtf {
  readonly bytes: Uint8Array;
  /** The distilled base that a module brings (`.BTF.base`). */
  readonly base?: Uint8Array;
  /** By the ELF class, in bytes. */
  readonly pointerSize?: 4 | 8;
  /** From the outermost to the innermost. */
  readonly steps: readonly ImageStep[];
  /** Of the kernel, such as `6.1.0-13-amd64`. */
  readonly version?: string;
  /** Such as `x86_64`. */
  readonly architecture?: string;
}

/** What a look through an input has to mind. */
export interface Limits {
  readonly budget: Budget;
  /** Looks into an archive. */
  readonly archive: (kind: ArchiveKind, input: Reader, steps: readonly ImageStep[]) => Promise<FoundBtf | undefined>;
}

type Facts = Pick<FoundBtf, "version" | "architecture">;

/** Bytes that are looked at to tell what a file is. */
export const HEAD = 4096;
/** Containers inside containers: a package inside a packed tar has seven. */
const MOST_DEEP = 12;
/** ELF sections that hold a packed kernel: PowerPC, MIPS, x86, ARM. */
const PAYLOAD_SECTION = /^\.kernel:|^\.image$|^\.piggydata$|\.compressed$/;
const ET_REL = 1;

const elfName = (elf: ElfFile): string => (elf.type === ET_REL ? "an object or module" : "a kernel");

/** Finds the BTF in what the reader stands at. @throws as `openImage` */
export async function findIn(
  input: Reader,
  limits: Limits,
  steps: readonly ImageStep[] = [],
  facts: Facts = {},
): Promise<FoundBtf | undefined> {
  if (steps.length >= MOST_DEEP) throw new BtfLimitError(ERR_IMAGE_DEPTH, { name: input.name, limit: MOST_DEEP });
  const head = await input.peek(HEAD);
  const packed = compressionAt(head);
  if (packed) {
    const chunks = unpack(packed, input, limits.budget);
    const kind = packed as ImageCompression;
    return await findIn(new Reader(chunks, input.name), limits, [...steps, { kind }], facts);
  }
  const archive = archiveAt(head) ?? (isSystemArea(head) ? archiveAt(await input.peek(ARCHIVE_HEAD)) : undefined);
  if (archive) return await limits.archive(archive, input, steps);
  return await findInFile(await readWindow(input, limits.budget.held), input.name, limits, steps, facts);
}

/** Whether data starts as BTF does, in either byte order. */
export function isRawBtf([first, second, version]: Uint8Array): boolean {
  return (first === 0x9f && second === 0xeb) || (first === 0xeb && second === 0x9f && version === 1);
}

/** Whether what starts so may be a medium: its first 32 KiB are empty, or what a BIOS starts. */
function isSystemArea(head: Uint8Array): boolean {
  return head.subarray(0, 8).every((byte) => byte === 0) || (head[510] === 0x55 && head[511] === 0xaa);
}

async function findInFile(
  file: FileWindow,
  name: string,
  limits: Limits,
  steps: readonly ImageStep[],
  outer: Facts,
): Promise<FoundBtf> {
  const { start } = file;
  if (isRawBtf(start)) {
    return { ...outer, bytes: start, steps: [...steps, { kind: "BTF" }] };
  }
  if (isElf(start)) return await findInElf(file, name, limits, steps, outer);
  const boot = bootImage(start, name);
  const facts = { ...outer, ...(boot?.architecture && { architecture: boot.architecture }) };
  if (boot?.version) Object.assign(facts, { version: boot.version });
  if (boot?.payload) {
    const { offset, length } = boot.payload;
    let payload = start.subarray(offset, offset + length);
    const packed = compressionAt(payload);
    // All but gzip have the length once unpacked behind them.
    if (boot.kind === "bzImage" && packed && packed !== "gzip") payload = payload.subarray(0, -4);
    const inner = [...steps, { kind: boot.kind, offset }];
    if (packed || isElf(payload) || boot.kind !== "bzImage") {
      const found = await findIn(Reader.of(payload, name), limits, inner, facts);
      if (found) return found;
    }
  }
  const found = await search(start, name, limits, boot ? [...steps, { kind: boot.kind }] : steps, facts);
  if (found) return found;
  if (boot) throw new BtfFormatError(ERR_IMAGE_NO_BTF, { name, note: boot.kind });
  throw unknown(start, name);
}

/** Whether BTF stands for itself: a module's, which is split, is none to be looked for in a kernel's image. */
export function isWhole({ bytes, base }: FoundBtf): boolean {
  return !base && !refusalOf(bytes);
}

/** An image that says nothing of what it holds: its own BTF, or packed parts of it that lead to one. */
async function search(
  bytes: Uint8Array,
  name: string,
  limits: Limits,
  steps: readonly ImageStep[],
  facts: Facts,
): Promise<FoundBtf | undefined> {
  const btf = scanForBtf(bytes);
  if (btf) {
    const { offset, length } = btf;
    const version = facts.version ?? versionOfKernel(bytes);
    const last = steps.at(-1);
    const way = last && !("offset" in last) ? [...steps.slice(0, -1), { ...last, offset }] : steps;
    return {
      ...facts,
      ...(version && { version }),
      bytes: bytes.slice(offset, offset + length),
      steps: [...way, { kind: "BTF" }],
    };
  }
  let refusal: unknown;
  for (const { kind, offset } of compressedParts(bytes)) {
    if (!limits.budget.try()) break;
    const last = steps.at(-1);
    const way = last ? [...steps.slice(0, -1), { ...last, offset }] : steps;
    try {
      const part = Reader.of(bytes.subarray(offset), name);
      const found = await findIn(part, limits, way, facts);
      if (found && isWhole(found)) return found;
    } catch (cause) {
      // Most of what looks like packed data in the middle of code is none.
      if (!(cause instanceof BtfError) || cause instanceof BtfLimitError) throw cause;
      if (cause.code === "ERR_IMAGE_NO_BTF" || kind === "lzo") refusal ??= cause;
    }
  }
  if (refusal) throw refusal;
  return undefined;
}

async function findInElf(
  { start, source }: FileWindow,
  name: string,
  limits: Limits,
  steps: readonly ImageStep[],
  outer: Facts,
): Promise<FoundBtf> {
  const elf = readElf(source);
  const architecture = machineName(elf.machine) ?? outer.architecture;
  const facts: Facts = { ...outer, ...(architecture && { architecture }) };
  if (elf.sections.some((section) => section.name === ".BTF")) {
    const { btf, base, pointerSize } = findBtf(source);
    const version = elf.type === ET_REL ? versionOfModule(start) : (facts.version ?? versionOfKernel(start));
    const section = async ({ section, offset, length, packed }: Payload): Promise<Uint8Array> => {
      const bytes = source.read(offset, length);
      return packed ? await decompress(packed.kind, bytes, packed.byteSize, `section ${section}`) : bytes.slice();
    };
    return {
      ...facts,
      ...(version && { version }),
      bytes: await section(btf),
      ...(base && { base: await section(base) }),
      pointerSize,
      steps: [...steps, { kind: "ELF", offset: btf.offset }],
    };
  }
  for (const { name: section, offset, byteSize } of elf.sections) {
    if (!PAYLOAD_SECTION.test(section)) continue;
    const bytes = source.read(offset, Math.min(byteSize, Math.max(0, source.size - offset)));
    const inner = [...steps, { kind: "ELF" as const, offset }];
    const found = await findIn(Reader.of(bytes, name), limits, inner, facts);
    if (found) return found;
  }
  if (elf.sections.length === 0) {
    const found = await search(start, name, limits, [...steps, { kind: "ELF" }], facts);
    if (found) return found;
  }
  throw new BtfFormatError(ERR_IMAGE_NO_BTF, { name, note: elfName(elf) });
}

/** First bytes of what people may have instead, with what opens it; from where they are, if not from the start. */
const OTHERS: readonly (readonly [what: string, magic: readonly number[], at?: number])[] = [
  ["a 7-Zip archive: unpack it with 7z x", [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]],
  ["a cabinet file: unpack it with cabextract", [0x4d, 0x53, 0x43, 0x46, 0, 0, 0, 0]],
  ["a RAR archive: unpack it with unrar x", [0x52, 0x61, 0x72, 0x21, 0x1a, 7]],
  ["a xar archive: unpack it with xar -xf", [0x78, 0x61, 0x72, 0x21]],
  ["a squashfs file system: unpack it with unsquashfs", [0x68, 0x73, 0x71, 0x73]],
  ["an EROFS file system: unpack it with fsck.erofs --extract=DIR", [0xe2, 0xe1, 0xf5, 0xe0], 1024],
  ["an ext4 file system: mount it, or copy files out of it with debugfs", [0x53, 0xef], 1080],
  ["an Android payload: unpack it with payload-dumper-go", [0x43, 0x72, 0x41, 0x55]],
  ["an Android sparse image: make a plain image of it with simg2img", [0x3a, 0xff, 0x26, 0xed]],
  ["a QCOW2 disk image: mount it with guestmount or qemu-nbd", [0x51, 0x46, 0x49, 0xfb]],
  ["a VHD disk image: mount it with guestmount", [0x63, 0x6f, 0x6e, 0x65, 0x63, 0x74, 0x69, 0x78]],
  ["a VHDX disk image: mount it with guestmount", [0x76, 0x68, 0x64, 0x78, 0x66, 0x69, 0x6c, 0x65]],
  ["a VMDK disk image: mount it with guestmount", [0x4b, 0x44, 0x4d, 0x56]],
  [
    "a disk with a partition table: mount its partitions (losetup -P)",
    [0x45, 0x46, 0x49, 0x20, 0x50, 0x41, 0x52, 0x54],
    512,
  ],
  ["lzip-compressed data: unpack it with lzip -d", [0x4c, 0x5a, 0x49, 0x50]],
  ["data packed by compress (.Z): unpack it with gzip -d", [0x1f, 0x9d]],
  ["data packed by pack (.z): unpack it with gzip -d", [0x1f, 0x1e]],
  ["lrzip-compressed data: unpack it with lrzip -d", [0x4c, 0x52, 0x5a, 0x49]],
];
/** A VHD of a fixed size has its mark at the end. */
const VHD_FOOTER = 512;

function unknown(bytes: Uint8Array, name: string): BtfFormatError {
  if (bytes.length === 0) return new BtfFormatError(ERR_IMAGE_UNKNOWN, { name, note: "it is empty" });
  const isAt = (magic: readonly number[], at: number): boolean => magic.every((byte, i) => bytes[at + i] === byte);
  const [told] =
    OTHERS.find(([, magic, at = 0]) => isAt(magic, at)) ??
    OTHERS.find(([what, magic]) => what.startsWith("a VHD ") && isAt(magic, bytes.length - VHD_FOOTER)) ??
    [];
  const hex = Array.from(bytes.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const note = told ? `it is ${told}` : `it starts with the bytes ${hex}`;
  return new BtfFormatError(ERR_IMAGE_UNKNOWN, { name, note, offset: 0 });
}
