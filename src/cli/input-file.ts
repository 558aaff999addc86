/** Opens one FILE or standard input: BTF, an ELF file with it, or an image, package or folder that holds one. */
import { readFileSync } from "node:fs";
import { Btf } from "../btf/btf.js";
import { BtfError } from "../errors/error.js";
import type { FoundBtf } from "../image/containers/find.js";
import type { KernelImage } from "../image/containers/image.js";
import type { ImageOptions } from "../image/containers/options.js";
import { openFile } from "../node/file.js";
import { extractBtfFile, openImageFile } from "../node/image-file.js";

/** What to take of an image or package. */
export interface ImageSelection {
  readonly member?: string | undefined;
  readonly maxSize?: number | undefined;
}

/** Codes of what is no BTF and no ELF file with it, but may be an image, a package or a folder. */
const PERHAPS_IMAGE: readonly string[] = [
  "ERR_BTF_MAGIC",
  "ERR_COMPRESSED",
  "ERR_ELF_NO_BTF",
  "ERR_OUTPUT_LIMIT",
  "ERR_FILE",
];

/** Standard input, which can be read once. */
let standardInput: Uint8Array | undefined;

function readStandardInput(): Uint8Array {
  standardInput ??= readFileSync(0);
  return standardInput;
}

/** Opens a FILE or standard input (`-`), on a base or none: BTF, or whatever holds it. @throws BtfError */
export async function openInputFile(file: string, base?: Btf, taken: ImageSelection = {}): Promise<Btf> {
  try {
    return await openOn(file, base, taken);
  } catch (error) {
    if (!base || !(error instanceof BtfError) || error.code !== "ERR_UNSUPPORTED") throw error;
    // It brings a distilled base: as libbpf does, the types are moved from there.
    const { rebase } = await import("../edit/reshape/rebase.js");
    return rebase(await openOn(file, undefined, taken), base).btf;
  }
}

async function openOn(file: string, base: Btf | undefined, taken: ImageSelection): Promise<Btf> {
  let refusal: BtfError | undefined;
  if (taken.member === undefined) {
    try {
      return await openPlain(file, base);
    } catch (error) {
      refusal = noPlainBtf(error);
    }
  }
  try {
    return (await openAsImage(file, { ...(base && { base }), ...imageOptions(taken) })).btf;
  } catch (cause) {
    throw clearer(refusal, cause);
  }
}

/** Options of the library. */
export function imageOptions({ member, maxSize }: ImageSelection): ImageOptions {
  return { ...(member !== undefined && { member }), ...(maxSize !== undefined && { maxBytes: maxSize }) };
}

/** Opens an image, a package or a folder. */
export async function openAsImage(file: string, options: ImageOptions): Promise<KernelImage> {
  if (file !== "-") return await openImageFile(file, options);
  const { openImage } = await import("../image/containers/image.js");
  return await openImage(readStandardInput(), options);
}

/** BTF as it is, out of what holds it. */
export async function extractInput(file: string, options: ImageOptions): Promise<FoundBtf> {
  if (file !== "-") return await extractBtfFile(file, options);
  const { extractBtf } = await import("../image/containers/image.js");
  return await extractBtf(readStandardInput(), options);
}

/** Of two refusals of a file, as BTF and as an image, the one that says more. */
export function clearer(first: BtfError | undefined, second: unknown): unknown {
  if (!first || !(second instanceof BtfError)) return second;
  const isNoImage = second.code === "ERR_IMAGE_UNKNOWN" && !/^it is /.test(second.details.note ?? "");
  return isNoImage || (first.code === "ERR_ELF_NO_BTF" && second.code === "ERR_IMAGE_NO_BTF") ? first : second;
}

/** Opens BTF or an ELF file with it, either of them gzipped. */
export async function openPlain(file: string, base: Btf | undefined): Promise<Btf> {
  if (file !== "-") return openFile(file, base && { base });
  const bytes = readStandardInput();
  return base ? await base.loadSplit(bytes) : await Btf.load(bytes);
}

/** The refusal of what may be an image instead; any other is thrown. */
export function noPlainBtf(error: unknown): BtfError {
  if (error instanceof BtfError && PERHAPS_IMAGE.includes(error.code)) return error;
  throw error;
}

/** The bytes of a FILE whose BTF cannot be opened, out of what holds them. */
export async function rawBytes(file: string, taken: ImageSelection = {}): Promise<Uint8Array> {
  try {
    return (await extractInput(file, imageOptions(taken))).bytes;
  } catch (error) {
    if (!(error instanceof BtfError) || error.code !== "ERR_IMAGE_UNKNOWN" || taken.member !== undefined) throw error;
    return file === "-" ? readStandardInput() : readFileSync(file);
  }
}
