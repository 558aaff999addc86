// Damaged images and packages: they are opened or refused with a BtfError;
// nothing traps, hangs, throws otherwise, or unpacks without end.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { Btf, BtfError } from "btfkit";
import {
  extractBtf,
  extractBtfFromFolder,
  type ImageOptions,
  openImage,
  openImageFolder,
  openModules,
} from "btfkit/image";
import { expect, test } from "vitest";
import { tar } from "../suite/tar.js";
import {
  arm64Image,
  bytes,
  bzImage,
  cpio,
  deb,
  kernelPackers,
  packed,
  raw,
  rpm,
  vmlinux,
  zboot,
} from "../support/containers.js";
import { elf } from "../support/elf.js";
import { everyKind, Image } from "../support/image.js";
import { needing } from "../support/needs.js";
import { type Random, seeded } from "../support/random.js";

const base = everyKind();
const split = new Image({ base });
split.ref(2, 4);
const small = elf({ ".BTF": base.bytes(), ".text": vmlinux(20_000).subarray(64, 20_064) });
const module = elf({ ".BTF": split.bytes() });
const files = {
  "boot/vmlinuz": gzipSync(small),
  "lib/modules/one.ko": module,
  "lib/modules/two.ko.gz": gzipSync(module),
};

const OPTIONS: readonly ImageOptions[] = [
  { name: "input" },
  { member: "one" },
  { member: "vmlinuz", signal: new AbortController().signal },
  { base: Btf.parse(base.bytes()), modules: (name) => name === "two" },
];

/** Opens all that there is, then a part of it in one of the other ways. */
async function opens(input: Uint8Array, way = 0): Promise<boolean> {
  try {
    const image = await openImage(input, { modules: true, maxBytes: 1 << 22 });
    await openModules(image);
    const options = { ...OPTIONS[way % OPTIONS.length], maxBytes: 1 << 22 };
    const folder = [{ path: "boot/vmlinuz", open: () => input }];
    if (way % 4 === 1) await extractBtf(input, options);
    if (way % 4 === 2) await extractBtfFromFolder(folder, options);
    if (way % 4 === 3) await openModules(await openImageFolder(folder, options));
    return true;
  } catch (error) {
    if (!(error instanceof BtfError) || error.code === "ERR_INTERNAL") throw error;
    return false;
  }
}

/** One of the ways in which bytes go wrong. */
function mutated(input: Uint8Array, random: Random): Uint8Array {
  const copy = input.slice();
  // Headers are where it hurts.
  const place = (): number => random(random(2) ? Math.min(copy.length, 800) : copy.length);
  switch (random(6)) {
    case 0:
      return copy.subarray(0, place());
    case 1: {
      const at = place();
      return bytes(copy.subarray(0, at), copy.subarray(Math.min(copy.length, at + 1 + random(64))));
    }
    case 2:
      for (let i = 1 + random(8); i > 0; i--) copy[place()] = random(256);
      return copy;
    case 3:
      copy[place()]! ^= 1 << random(8);
      return copy;
    case 4: {
      const at = place();
      copy.fill(random(2) ? 0xff : 0, at, at + 1 + random(16));
      return copy;
    }
    default: {
      const [from, to] = [place(), place()];
      copy.copyWithin(to, from, from + 1 + random(64));
      return copy;
    }
  }
}

/** What a command that runs among the files writes. */
function made(contents: Readonly<Record<string, Uint8Array>>, command: string): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "btfkit-made-"));
  for (const [path, data] of Object.entries(contents)) {
    mkdirSync(dirname(join(folder, "in", path)), { recursive: true });
    writeFileSync(join(folder, "in", path), data);
  }
  try {
    return new Uint8Array(execFileSync("sh", ["-ec", command], { cwd: join(folder, "in"), maxBuffer: 1 << 28 }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const ROUNDS = 400;

function mutates(name: string, input: () => Uint8Array, ...needs: Parameters<typeof needing>): void {
  needing(...needs)(`${name}, ${ROUNDS} times`, async () => {
    const whole = input();
    expect(await opens(whole)).toBe(true);
    const random = seeded(name);
    let refused = 0;
    for (let i = 0; i < ROUNDS; i++) if (!(await opens(mutated(whole, random), random(16)))) refused++;
    expect(refused).toBeGreaterThan(0);
  });
}

mutates("bzImage, gzip", () => bzImage(gzipSync(small)));
mutates("xz", () => packed("xz")(small), "xz");
mutates("xz with a filter", () => kernelPackers["xz"]!(small), "xz");
mutates("zstd", () => zboot("zstd", kernelPackers["zstd"]!(small), small.length), "zstd");
mutates("lz4 of kernels", () => kernelPackers["lz4"]!(small), "lz4");
mutates("lz4", () => packed("lz4", "-c", "-BX")(small), "lz4");
mutates("lzma", () => kernelPackers["lzma"]!(small), "xz");
mutates("bzip2", () => kernelPackers["bzip2"]!(small), "bzip2");
mutates("an image to be searched", () => arm64Image(raw(base.bytes())));
mutates("tar", () => tar(files));
mutates("cpio", () => cpio(files), "cpio");
mutates("cpio, odc", () => made(files, "find . | cpio --quiet -o -H odc"), "cpio");
mutates("cpio, binary", () => made(files, "find . | cpio --quiet -o -H bin"), "cpio");
mutates("zip", () => made(files, "python3 -m zipfile -c ../out.zip boot lib && cat ../out.zip"), "python3");
mutates("ISO 9660", () => made(files, "genisoimage -quiet -R ."), "genisoimage");
mutates("deb", () => deb(files, "gzip"), "dpkg-deb");
mutates("rpm", () => rpm(files, "w9.gzdio"), "rpmbuild");

/** An ISO 9660 file system of one folder, with as many records as are asked for, each like `record`. */
function iso(
  count: number,
  record: (index: number) => { readonly sector: number; readonly flags: number },
): Uint8Array {
  const SECTOR = 2048;
  const aSector = Math.floor(SECTOR / 34);
  const sectors = Math.ceil(count / aSector);
  const image = new Uint8Array((18 + sectors) * SECTOR);
  const view = new DataView(image.buffer);
  const put = (at: number, sector: number, length: number, flags: number): void => {
    image[at] = 34;
    view.setUint32(at + 2, sector, true);
    view.setUint32(at + 10, length, true);
    image[at + 25] = flags;
    image.set([1, 0x61], at + 32);
  };
  image.set([1, ...new TextEncoder().encode("CD001")], 16 * SECTOR);
  put(16 * SECTOR + 156, 18, sectors * SECTOR, 2);
  for (let i = 0; i < count; i++) {
    const { sector, flags } = record(i);
    put((18 + Math.floor(i / aSector)) * SECTOR + (i % aSector) * 34, sector, 0, flags);
  }
  return image;
}

test("folders of an ISO 9660 file system with more records than a call takes arguments", async () => {
  const count = 130_000;
  await expect(openImage(iso(count, () => ({ sector: 18, flags: 0 })))).rejects.toThrow(BtfError);
  await expect(openImage(iso(count, (i) => ({ sector: 18 + (i % 2000), flags: 2 })))).rejects.toThrow(BtfError);
});

test("a bzip2 block with a run whose length wraps around", async () => {
  for (const codes of [31, 32, 33, 40])
    expect(await opens(bytes("BZh9", runBlock(codes), new Uint8Array(64)))).toBe(false);
});

function runBlock(codes: number): number[] {
  // Selectors and tables of a block in which each code is a bit: 0 is RUNA, which doubles what a run has.
  const bits: number[] = [];
  const put = (value: number, count: number): void => {
    for (let bit = count - 1; bit >= 0; bit--) bits.push(Math.floor(value / 2 ** bit) % 2);
  };
  put(0x314159265359, 48);
  put(0, 32);
  put(0, 1 + 24);
  put(0x8000, 16);
  put(0x8000, 16);
  put(2, 3);
  put(1, 15);
  put(0, 1);
  // Three symbols of one, two and two bits.
  for (let table = 0; table < 2; table++) {
    put(1, 5);
    put(0b0, 1);
    put(0b100, 3);
    put(0b0, 1);
  }
  for (let i = 0; i < codes; i++) put(0, 1);
  put(0b11, 2);
  while (bits.length % 8) bits.push(0);
  return Array.from({ length: bits.length / 8 }, (_, i) => Number.parseInt(bits.slice(i * 8, i * 8 + 8).join(""), 2));
}
