// BTF inside ELF files: both classes, both byte orders, compressed sections,
// a distilled base; files made by hand and by a compiler.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync, gzipSync } from "node:zlib";
import { Btf, BtfError, dumpRaw } from "btfkit";
import { openFile } from "btfkit/node";
import { describe, expect, test } from "vitest";
import { type ElfOptions, elf } from "../support/elf.js";
import { everyKind, Image } from "../support/image.js";
import { needing } from "../support/needs.js";
import { seeded } from "../support/random.js";

const folder = mkdtempSync(join(tmpdir(), "btfkit-"));

describe("class and byte order", () => {
  for (const is64 of [true, false]) {
    for (const endian of ["little", "big"] as const) {
      for (const extended of [false, true]) {
        test(`${is64 ? 64 : 32} bit, ${endian} endian${extended ? ", section count in section 0" : ""}`, () => {
          const image = everyKind({ endian });
          const file = elf(
            { ".text": new Uint8Array(3), ".BTF": image.bytes(), ".data": new Uint8Array(5) },
            { is64, endian, extended },
          );
          const btf = Btf.parse(file);
          expect([btf.endian, btf.pointerSize, btf.size]).toEqual([endian, is64 ? 8 : 4, 20]);
          expect(dumpRaw(btf).text()).toBe(dumpRaw(Btf.parse(image.bytes())).text());
        });
      }
    }
  }
});

test(".BTF.base becomes the base", () => {
  const base = everyKind();
  const split = new Image({ base });
  split.ref(2, 4);
  const btf = Btf.parse(elf({ ".BTF": split.bytes(), ".BTF.base": base.bytes() }));
  expect([btf.size, btf.base?.size, btf.get(20)?.kind]).toEqual([21, 20, "ptr"]);
});

test("a split in an ELF file opens on the given base", () => {
  const base = everyKind();
  const split = new Image({ base });
  split.ref(2, 4);
  const btf = Btf.parse(base.bytes()).split(elf({ ".BTF": split.bytes() }));
  expect(btf.get(20)).toMatchObject({ kind: "ptr", targetId: 4 });
});

describe("compressed sections", () => {
  const bytes = everyKind().bytes();
  const options = (compression: number): ElfOptions => ({ compression, unpacked: bytes.length });

  test("zlib, by hand", async () => {
    const file = elf({ ".BTF": deflateSync(bytes) }, options(1));
    expect((await Btf.load(file)).size).toBe(20);
    const path = join(folder, "zlib.o");
    writeFileSync(path, file);
    expect(openFile(path).size).toBe(20);
  });

  test("a length that does not fit is refused", async () => {
    const file = elf({ ".BTF": deflateSync(bytes) }, { compression: 1, unpacked: bytes.length + 1 });
    await expect(Btf.load(file)).rejects.toMatchObject({ code: "ERR_ELF_SECTION" });
  });

  test("an unknown compression is refused", async () => {
    await expect(Btf.load(elf({ ".BTF": bytes }, options(7)))).rejects.toMatchObject({ code: "ERR_ELF_SECTION" });
  });

  test("damaged data is refused", async () => {
    for (const kind of [1, 2]) {
      await expect(Btf.load(elf({ ".BTF": bytes }, options(kind)))).rejects.toMatchObject({ code: "ERR_COMPRESSED" });
    }
  });

  for (const kind of ["zlib", "zstd"]) {
    needing("clang-19", "llvm-objcopy-19")(`${kind}, by llvm-objcopy`, async () => {
      const plain = join(folder, "plain.o");
      const packed = join(folder, `${kind}.o`);
      execFileSync("clang-19", ["-target", "bpf", "-g", "-O2", "-c", "test/native/fields.c", "-o", plain]);
      execFileSync("llvm-objcopy-19", [`--compress-sections=.BTF=${kind}`, plain, packed]);
      const wanted = dumpRaw(openFile(plain)).text();
      expect(wanted).toContain("'outer'");
      expect(dumpRaw(await Btf.load(readFileSync(packed))).text()).toBe(wanted);
      const { stdout } = { stdout: execFileSync(process.execPath, ["dist/cli/btfkit.cjs", "dump", packed]) };
      expect(stdout.toString()).toBe(wanted);
    });
  }
});

describe("gzip", () => {
  test("around raw BTF and around ELF, in files and in memory", async () => {
    for (const bytes of [everyKind().bytes(), elf({ ".BTF": everyKind().bytes() })]) {
      expect((await Btf.load(gzipSync(bytes))).size).toBe(20);
      const path = join(folder, "packed.gz");
      writeFileSync(path, gzipSync(bytes));
      expect(openFile(path).size).toBe(20);
    }
  });
});

describe("compiled", () => {
  for (const target of ["bpfel", "bpfeb"]) {
    needing("clang-19")(target, () => {
      const object = join(folder, `${target}.o`);
      execFileSync("clang-19", ["-target", target, "-g", "-O2", "-c", "test/native/fields.c", "-o", object]);
      const btf = openFile(object);
      expect(btf.endian).toBe(target === "bpfeb" ? "big" : "little");
      expect(btf.require("outer", "struct").members.map(({ name }) => name)).toEqual(["first", "grid", "named", ""]);
    });
  }
});

test("damaged ELF files are refused, never more", () => {
  const random = seeded("elf");
  const good = elf({ ".text": new Uint8Array(9), ".BTF": everyKind().bytes(), ".BTF.base": new Image().bytes() });
  for (let i = 0; i < 4000; i++) {
    const bytes = good.slice(0, random(4) ? good.length : random(good.length));
    for (let n = 0; n < 3 && bytes.length; n++)
      bytes[random(8) ? random(bytes.length) : bytes.length - 1 - random(bytes.length)] = random(256);
    try {
      Btf.parse(bytes);
    } catch (error) {
      if (!(error instanceof BtfError) || error.code === "ERR_INTERNAL") throw error;
    }
  }
});

test("only the sections of a large ELF file are read", () => {
  const path = join(folder, "large.o");
  writeFileSync(path, elf({ ".BTF": everyKind().bytes() }));
  // 6 GB of nothing behind it: more than a WebAssembly memory could take.
  truncateSync(path, 6e9);
  expect(openFile(path).size).toBe(20);
});
