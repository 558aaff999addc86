// Kernels as they are distributed, packed by the tools that pack them, in the
// layouts that Linux's sources give. Nothing of the library is used.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { elf } from "./elf.js";
import { Image, TYPEDEF } from "./image.js";

const folder = mkdtempSync(join(tmpdir(), "btfkit-images-"));

/** How many types it has, with void. */
export const TYPES = 5001;

/** BTF of 220 KB: several windows of each decoder. */
export const vmlinuxBtf = manyTypes();

function manyTypes(): Uint8Array<ArrayBuffer> {
  const image = new Image();
  image.int("int", 4, 1);
  for (let i = 2; i < TYPES; i++) image.ref(TYPEDEF, 1, `${(i * 2654435761).toString(36)}_and_some_more_t`);
  return image.bytes();
}

export const VERSION = "6.1.0-50-cloud-amd64";
const BANNER = `\0Linux version %s (%s)\n\0Linux version ${VERSION} (debian-kernel@lists.debian.org) (gcc-12) #1 SMP\n\0`;

/** An ELF kernel with that BTF, and machine code of this process beside it. */
export function vmlinux(code = 300_000): Uint8Array<ArrayBuffer> {
  const text = readFileSync(process.execPath).subarray(8 << 20, (8 << 20) + code);
  const bytes = elf({ ".text": text, ".rodata": new TextEncoder().encode(BANNER), ".BTF": vmlinuxBtf });
  const view = new DataView(bytes.buffer);
  view.setUint16(16, 2, true);
  view.setUint16(18, 62, true);
  return bytes;
}

/** The same as `objcopy -O binary` leaves it: no headers. */
export function raw(btf = vmlinuxBtf, banner = BANNER): Uint8Array<ArrayBuffer> {
  return bytes(new Uint8Array(4096).fill(0x90), banner, new Uint8Array(7), btf, new Uint8Array(999));
}

/** All parts one behind the other. */
export function bytes(...parts: readonly (string | ArrayLike<number>)[]): Uint8Array<ArrayBuffer> {
  const whole = parts.map((part) => (typeof part === "string" ? new TextEncoder().encode(part) : part));
  const joined = new Uint8Array(whole.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of whole) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function word(value: number, little = true): Uint8Array {
  const field = new DataView(new ArrayBuffer(4));
  field.setUint32(0, value, little);
  return new Uint8Array(field.buffer);
}

/** Packs with a program that reads standard input. */
export function packed(command: string, ...args: string[]): (input: Uint8Array) => Uint8Array<ArrayBuffer> {
  return (input) =>
    new Uint8Array(execFileSync(command, args, { input, maxBuffer: 1 << 30, stdio: ["pipe", "pipe", "ignore"] }));
}

/** As scripts/Makefile.lib and scripts/xz_wrap.sh of Linux pack kernels; the length goes behind all but gzip. */
export const kernelPackers: Readonly<Record<string, (input: Uint8Array) => Uint8Array<ArrayBuffer>>> = {
  gzip: (input) => new Uint8Array(gzipSync(input)),
  xz: packed("xz", "--check=crc32", "--x86", "--lzma2=dict=32MiB"),
  zstd: packed("zstd", "-22", "--ultra", "-c"),
  lz4: packed("lz4", "-l", "-9", "-c"),
  lzma: packed("xz", "--format=lzma", "-9", "-c"),
  bzip2: packed("bzip2", "-9"),
};

export function withSize(kind: string, packed: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  return kind === "gzip" ? bytes(packed) : bytes(packed, word(size));
}

/** arch/x86/boot/header.S: setup of two sectors, then code in front of the payload. */
export function bzImage(payload: Uint8Array, { protocol = 0x20f } = {}): Uint8Array<ArrayBuffer> {
  const setup = new Uint8Array(3 * 512);
  const view = new DataView(setup.buffer);
  setup[0x1f1] = 2;
  setup.set(new TextEncoder().encode("HdrS"), 0x202);
  view.setUint16(0x206, protocol, true);
  view.setUint16(0x20e, 0x300 - 0x200, true);
  setup.set(new TextEncoder().encode(`${VERSION} (debian-kernel@lists.debian.org) #1 SMP\0`), 0x300);
  view.setUint16(0x236, 1, true);
  view.setUint32(0x248, 0x2cc, true);
  view.setUint32(0x24c, payload.length, true);
  return bytes(setup, new Uint8Array(0x2cc).fill(0xfa), payload, new Uint8Array(700));
}

/** drivers/firmware/efi/libstub/zboot-header.S */
export function zboot(type: string, payload: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(0x1000);
  const view = new DataView(head.buffer);
  head.set(new TextEncoder().encode("MZ\0\0zimg"));
  view.setUint32(8, head.length, true);
  view.setUint32(12, payload.length, true);
  head.set(new TextEncoder().encode(`${type}\0`), 24);
  view.setUint32(0x38, 0x818223cd, true);
  view.setUint32(0x3c, 0x40, true);
  head.set(new TextEncoder().encode("PE\0\0"), 0x40);
  view.setUint16(0x44, 0xaa64, true);
  return bytes(head, withSize(type, payload, size), new Uint8Array(512));
}

/** The first 64 bytes of arch/arm64/kernel/head.S, and the kernel. */
export function arm64Image(kernel: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(64);
  head.set(new TextEncoder().encode("ARMd"), 56);
  return bytes(head, kernel);
}

/** U-Boot's old header. */
export function uImage(payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(64);
  head.set(word(0x27051956, false));
  head.set(word(payload.length, false), 12);
  return bytes(head, payload);
}

/** Files below a new folder. */
export function tree(files: Readonly<Record<string, Uint8Array | string>>): string {
  const root = mkdtempSync(join(folder, "tree-"));
  for (const [path, contents] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), contents);
  }
  return root;
}

/** By the program, in one of its formats. */
export function tarAs(format: string, files: Readonly<Record<string, Uint8Array | string>>): Uint8Array<ArrayBuffer> {
  const args = ["--sort=name", `--format=${format}`, "-C", tree(files), "-c", "."];
  return new Uint8Array(execFileSync("tar", args, { maxBuffer: 1 << 30 }));
}

export function cpio(files: Readonly<Record<string, Uint8Array | string>>): Uint8Array<ArrayBuffer> {
  const list = `${Object.keys(files).join("\n")}\n`;
  const options = { cwd: tree(files), input: list, maxBuffer: 1 << 30, stdio: ["pipe", "pipe", "ignore"] } as const;
  return new Uint8Array(execFileSync("cpio", ["-o", "-H", "newc"], { ...options, stdio: ["pipe", "pipe", "ignore"] }));
}

export function deb(
  files: Readonly<Record<string, Uint8Array | string>>,
  compression: string,
): Uint8Array<ArrayBuffer> {
  const control = "Package: kernel\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n";
  const out = join(folder, "kernel.deb");
  const root = tree({ ...files, "DEBIAN/control": control });
  execFileSync("dpkg-deb", ["--root-owner-group", `-Z${compression}`, "-b", root, out], { stdio: "ignore" });
  return new Uint8Array(readFileSync(out));
}

/** @param payload as rpm's `_binary_payload`: `w9.gzdio`, `w19.zstdio` … */
export function rpm(files: Readonly<Record<string, Uint8Array | string>>, payload: string): Uint8Array<ArrayBuffer> {
  const root = tree(files);
  const top = mkdtempSync(join(folder, "rpm-"));
  const spec = `Name: kernel\nVersion: 1\nRelease: 1\nSummary: x\nLicense: x\nBuildArch: noarch\nAutoReqProv: no
%description\nx\n%install\ncp -r ${root}/. %{buildroot}\n%files\n/*\n`;
  writeFileSync(join(top, "kernel.spec"), spec);
  const define = ["-D", `_topdir ${top}`, "-D", `_binary_payload ${payload}`, "-D", "__os_install_post %{nil}"];
  execFileSync("rpmbuild", ["-bb", ...define, join(top, "kernel.spec")], { stdio: "ignore" });
  return new Uint8Array(readFileSync(join(top, "RPMS/noarch/kernel-1-1.noarch.rpm")));
}
