/** Images that boot: which kind, and where in them the kernel is, if they say so. */

import { BtfFormatError } from "../../errors/error.js";
import { ERR_IMAGE_HEADER } from "../../errors/image.js";
import { textAt } from "./facts.js";

/** Images that boot, by the format that their first bytes tell. */
export type BootKind =
  | "bzImage"
  | "zboot"
  | "uImage"
  | "arm64 Image"
  | "riscv Image"
  | "loongarch Image"
  | "arm zImage"
  | "s390x bzImage"
  | "PE image"
  | "FIT image";

export interface BootImage {
  readonly kind: BootKind;
  readonly architecture?: string;
  readonly version?: string;
  /** The kernel inside, packed or not. Without it the image has to be searched. */
  readonly payload?: { readonly offset: number; readonly length: number };
}

/** Bytes of a head in which all kinds but s390x's show. */
export const BOOT_HEAD = 0x260;

function isText(bytes: Uint8Array, at: number, ascii: string): boolean {
  return textAt(bytes, at, ascii.length) === ascii;
}

/** Machine types of PE files. */
const PE_MACHINES: Readonly<Record<number, string>> = {
  332: "i386",
  34404: "x86_64",
  43620: "aarch64",
  450: "arm",
  20580: "riscv",
  25188: "loongarch64",
};

function peMachine(bytes: Uint8Array, view: DataView): string | undefined {
  if (bytes.length < 0x40) return undefined;
  const at = view.getUint32(0x3c, true);
  return at + 6 <= bytes.length && isText(bytes, at, "PE") ? PE_MACHINES[view.getUint16(at + 4, true)] : undefined;
}

/** The section of a unified kernel image that holds the kernel (UAPI.5). */
const LINUX_SECTION = ".linux";

/** Where a section of a PE file lies. */
function peSection(bytes: Uint8Array, view: DataView, name: string): { offset: number; length: number } | undefined {
  const at = view.getUint32(0x3c, true);
  if (at + 24 > bytes.length) return undefined;
  const first = at + 24 + view.getUint16(at + 20, true);
  for (let left = view.getUint16(at + 6, true), entry = first; left > 0; left--, entry += 40) {
    if (entry + 40 > bytes.length) return undefined;
    if (textAt(bytes, entry, 8) !== name) continue;
    const length = Math.min(view.getUint32(entry + 8, true) || Infinity, view.getUint32(entry + 16, true));
    return { offset: view.getUint32(entry + 20, true), length };
  }
  return undefined;
}

/** The kind of boot image that `bytes` start as. @throws BtfFormatError ERR_IMAGE_HEADER where a payload is said to lie outside */
export function bootImage(bytes: Uint8Array, name: string): BootImage | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const inside = (kind: BootKind, offset: number, length: number): { offset: number; length: number } => {
    if (length > 0 && offset + length <= bytes.length) return { offset, length };
    const note = `${kind}: the header says that the payload has ${length} bytes, the file has ${bytes.length}`;
    throw new BtfFormatError(ERR_IMAGE_HEADER, { name, note, offset });
  };
  // Documentation/arch/x86/boot.rst
  if (bytes.length >= BOOT_HEAD && isText(bytes, 0x202, "HdrS")) {
    const told = view.getUint16(0x20e, true);
    const version = told ? textAt(bytes, 0x200 + told).split(" ", 1)[0] : "";
    const facts = {
      kind: "bzImage",
      architecture: view.getUint16(0x206, true) >= 0x20c && view.getUint16(0x236, true) & 1 ? "x86_64" : "i386",
      ...(version && { version }),
    } as const;
    if (view.getUint16(0x206, true) < 0x208) return facts;
    const setup = ((bytes[0x1f1] || 4) + 1) * 512;
    return { ...facts, payload: inside("bzImage", setup + view.getUint32(0x248, true), view.getUint32(0x24c, true)) };
  }
  const isPe = isText(bytes, 0, "MZ");
  const architecture = isPe ? peMachine(bytes, view) : undefined;
  // drivers/firmware/efi/libstub/zboot-header.S
  if (isPe && isText(bytes, 4, "zimg") && bytes.length > 0x40) {
    const payload = inside("zboot", view.getUint32(8, true), view.getUint32(12, true));
    return { kind: "zboot", payload, ...(architecture && { architecture }) };
  }
  // include/image.h of U-Boot: the old image header
  if (bytes.length >= 64 && view.getUint32(0) === 0x27051956) {
    return { kind: "uImage", payload: inside("uImage", 64, view.getUint32(12)) };
  }
  if (bytes.length >= 64) {
    const magic = view.getUint32(56, true);
    if (magic === 0x644d5241) return { kind: "arm64 Image", architecture: "aarch64" };
    if (magic === 0x05435352) return { kind: "riscv Image", architecture: "riscv" };
    if (view.getUint32(0x24, true) === 0x016f2818) return { kind: "arm zImage", architecture: "arm" };
    if (view.getUint32(0) === 0xd00dfeed) return { kind: "FIT image" };
  }
  // arch/s390/boot/head.S
  if (isText(bytes, 0x10008, "S390EP")) return { kind: "s390x bzImage", architecture: "s390x" };
  if (architecture === "loongarch64") return { kind: "loongarch Image", architecture };
  if (isPe) {
    const linux = architecture && peSection(bytes, view, LINUX_SECTION);
    const kernel = linux && { payload: inside("PE image", linux.offset, linux.length) };
    return { kind: "PE image", ...(architecture && { architecture }), ...kernel };
  }
  return undefined;
}
