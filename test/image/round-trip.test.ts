// Kernels and modules in every container, packed by the tools that pack them
// for Linux, opened again: the BTF that went in comes out, byte for byte.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Btf, BtfError } from "btfkit";
import { extractBtf, type ImageOptions, openImage, openImageFolder, openModules } from "btfkit/image";
import { openImageFile } from "btfkit/node";
import { describe, expect, test } from "vitest";
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
  TYPES,
  tarAs,
  tree,
  uImage,
  VERSION,
  vmlinux,
  vmlinuxBtf,
  withSize,
  zboot,
} from "../support/containers.js";
import { elf } from "../support/elf.js";
import { everyKind, Image } from "../support/image.js";
import { needing } from "../support/needs.js";

const kernel = vmlinux();
const same = (found: Uint8Array): boolean => Buffer.from(found).equals(vmlinuxBtf);

/** Bytes as a stream of uneven pieces. */
async function* pieces(whole: Uint8Array, size = 10_007): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < whole.length; at += size) yield whole.slice(at, at + size);
}

/** Opens bytes at once and as a stream; returns the kinds of the steps. */
async function kindsOf(input: Uint8Array, options: ImageOptions = {}): Promise<string[]> {
  const found = await extractBtf(input, options);
  expect(same(found.bytes)).toBe(true);
  const streamed = await extractBtf(pieces(input), options);
  expect(same(streamed.bytes)).toBe(true);
  expect(streamed.steps).toEqual(found.steps);
  return found.steps.map(({ kind }) => kind);
}

const kinds = Object.keys(kernelPackers);
const tools = { gzip: [], xz: ["xz"], zstd: ["zstd"], lz4: ["lz4"], lzma: ["xz"], bzip2: ["bzip2"] } as const;
const needingTool = (kind: string): ReturnType<typeof needing> => needing(...tools[kind as keyof typeof tools]);

describe("boot images", () => {
  for (const kind of kinds) {
    needingTool(kind)(`bzImage, ${kind}`, async () => {
      const payload = withSize(kind, kernelPackers[kind]!(kernel), kernel.length);
      expect(await kindsOf(bzImage(payload))).toEqual(["bzImage", kind, "ELF"]);
      const image = await openImage(bzImage(payload));
      expect([image.version, image.architecture, image.btf.size]).toEqual([VERSION, "x86_64", TYPES]);
    });

    needingTool(kind)(`zboot, ${kind}`, async () => {
      const image = raw();
      const payload = kernelPackers[kind]!(arm64Image(image));
      expect(await kindsOf(zboot(kind, payload, image.length))).toEqual(["zboot", kind, "arm64 Image", "BTF"]);
    });

    needingTool(kind)(`a packed kernel somewhere in an image, ${kind}`, async () => {
      const head = new Uint8Array(0x10010);
      head.set(new TextEncoder().encode("S390EP"), 0x10008);
      const found = await extractBtf(bytes(head, kernelPackers[kind]!(raw()), new Uint8Array(100).fill(7)));
      expect([same(found.bytes), found.version, found.architecture]).toEqual([true, VERSION, "s390x"]);
    });
  }

  needing("xz")("a bzImage of before protocol 2.08, which does not say where its payload is", async () => {
    const payload = withSize("xz", kernelPackers["xz"]!(kernel), kernel.length);
    expect(await kindsOf(bzImage(payload, { protocol: 0x207 }))).toEqual(["bzImage", "xz", "ELF"]);
  });

  test("arm64 Image, Image.gz, uImage", async () => {
    expect(await kindsOf(arm64Image(raw()))).toEqual(["arm64 Image", "BTF"]);
    expect(await kindsOf(gzipSync(arm64Image(raw())))).toEqual(["gzip", "arm64 Image", "BTF"]);
    expect(await kindsOf(uImage(gzipSync(raw())))).toEqual(["uImage", "gzip", "BTF"]);
  });

  test("a PowerPC zImage: ELF around a packed kernel", async () => {
    expect(await kindsOf(elf({ ".text": [1, 2, 3] as never, ".kernel:vmlinux.strip": gzipSync(kernel) }))).toEqual([
      "ELF",
      "gzip",
      "ELF",
    ]);
  });

  test("an ELF file without section headers", async () => {
    const stripped = kernel.slice();
    new DataView(stripped.buffer).setBigUint64(40, 0n, true);
    expect(await kindsOf(stripped)).toEqual(["ELF", "BTF"]);
  });

  test("of several BTFs in bytes the largest that opens, in either byte order", async () => {
    const broken = vmlinuxBtf.slice();
    broken.set([0xff, 0xff, 0xff, 0xff], 24 + 4);
    const small = everyKind({ endian: "big" }).bytes();
    expect(await kindsOf(arm64Image(bytes(raw(small, ""), raw(broken, ""), raw())))).toEqual(["arm64 Image", "BTF"]);
    const { bytes: found } = await extractBtf(arm64Image(bytes(raw(broken, ""), raw(small, ""))));
    expect(Buffer.from(found).equals(small)).toBe(true);
  });
});

describe("compression", () => {
  const filters = ["x86", "powerpc", "arm", "armthumb", "arm64", "sparc"];
  for (const filter of filters) {
    // Debian 12's xz writes it.
    needing("xz")(`xz with the filter for ${filter}`, async () => {
      const pack = packed("xz", "--check=crc32", `--${filter}`, "--lzma2=dict=1MiB", "-T1");
      expect(await kindsOf(pack(kernel))).toEqual(["xz", "ELF"]);
      const blocks = packed("xz", `--${filter}`, "--lzma2=dict=1MiB", "--block-size=100003");
      expect(await kindsOf(blocks(kernel))).toEqual(["xz", "ELF"]);
    });
  }

  for (const [name, command] of Object.entries({
    "xz, in blocks, CRC64": ["xz", "-T2", "--block-size=100KiB"],
    "xz, SHA-256": ["xz", "--check=sha256"],
    "lz4, today's frame": ["lz4", "-c"],
    "lz4, independent blocks with checksums": ["lz4", "-B4", "-BI", "-BX", "--content-size", "-c"],
    "zstd with a window of 128 MiB": ["zstd", "--long=27", "-c"],
    "bzip2, small blocks": ["bzip2", "-1"],
    "lzma, fast": ["xz", "--format=lzma", "-0"],
    "gzip, fast": ["gzip", "-1"],
  })) {
    const [program = "", ...args] = command;
    needing(program as "xz")(name, async () => {
      expect((await kindsOf(packed(program, ...args)(kernel))).at(-1)).toBe("ELF");
    });
  }

  needing(
    "xz",
    "zstd",
    "bzip2",
    "lz4",
  )("parts one behind the other, as parallel packers write them", async () => {
    const [first, second] = [kernel.subarray(0, 200_000), kernel.subarray(200_000)];
    for (const kind of ["gzip", "xz", "zstd", "bzip2", "lz4"]) {
      const pack = kind === "xz" ? packed("xz") : kernelPackers[kind]!;
      expect(await kindsOf(bytes(pack(first), pack(second)))).toEqual([kind, "ELF"]);
    }
  });

  needing("xz", "zstd")("one around the other", async () => {
    const wrapped = gzipSync(kernelPackers["zstd"]!(packed("xz")(kernel)));
    expect(await kindsOf(wrapped)).toEqual(["gzip", "zstd", "xz", "ELF"]);
  });
});

const base = everyKind();
const split = new Image({ base });
split.ref(2, 4);
const module = elf({ ".modinfo": new TextEncoder().encode("\0vermagic=6.1.0-x SMP\0"), ".BTF": split.bytes() });
new DataView(module.buffer).setUint16(16, 1, true);
const broken = elf({ ".BTF": split.bytes().subarray(0, 20) });
const small = elf({ ".BTF": base.bytes() });

/** A kernel with its modules. */
const files = {
  "boot/vmlinuz-6.1.0-x": gzipSync(small),
  "boot/config-6.1.0-x": "CONFIG_X=y\n",
  "lib/modules/6.1.0-x/kernel/one.ko": module,
  "lib/modules/6.1.0-x/kernel/two-of.ko.gz": gzipSync(module),
  "lib/modules/6.1.0-x/kernel/broken.ko": broken,
};

/** Opens a package with all modules. */
async function opens(input: Uint8Array): Promise<string[]> {
  const image = await openImage(pieces(input), { modules: true });
  expect(image.btf.size).toBe(20);
  const { modules, skipped } = await openModules(image);
  expect(modules.map(({ name, btf }) => [name, btf.size, btf.base === image.btf]).sort()).toEqual([
    ["one", 21, true],
    ["two_of", 21, true],
  ]);
  expect(skipped.map(({ name, error }) => [name, error.code])).toEqual([["broken", "ERR_BTF_HEADER_TRUNCATED"]]);
  const chosen = await openImage(input, { member: "two-of" });
  expect([chosen.btf.size, chosen.btf.base?.size]).toEqual([21, 20]);
  const onBase = await openImage(input, { member: "one", base: Btf.parse(base.bytes()) });
  expect([onBase.btf.size, onBase.version]).toEqual([21, "6.1.0-x"]);
  const alone = await openImage(input, { member: "vmlinuz-6.1.0-x" });
  expect([alone.btf.size, alone.modules]).toEqual([20, []]);
  return image.steps.map(({ kind, member }) => (member ? `${kind}:${member}` : kind));
}

describe("packages", () => {
  for (const [compression, kind] of [
    ["xz", "xz"],
    ["gzip", "gzip"],
    ["zstd", "zstd"],
    ["none", undefined],
  ] as const) {
    needing("dpkg-deb")(`deb, ${compression}`, async () => {
      const name =
        compression === "none" ? "data.tar" : `data.tar.${{ xz: "xz", gzip: "gz", zstd: "zst" }[compression]}`;
      const steps = await opens(deb(files, compression));
      expect(steps).toEqual([`deb:${name}`, ...(kind ? [kind] : []), "tar:./boot/vmlinuz-6.1.0-x", "gzip", "ELF"]);
    });
  }

  for (const [payload, kind] of [
    ["w9.gzdio", "gzip"],
    ["w7.xzdio", "xz"],
    ["w19.zstdio", "zstd"],
    ["w9.bzdio", "bzip2"],
    ["w7.lzdio", "lzma"],
  ] as const) {
    needing("rpmbuild")(`rpm, ${kind}`, async () => {
      const steps = await opens(rpm(files, payload));
      expect(steps).toEqual(["rpm:payload", kind, "cpio:./boot/vmlinuz-6.1.0-x", "gzip", "ELF"]);
    });
  }

  test("tar, packed", async () => {
    expect(await opens(gzipSync(tar(files)))).toEqual(["gzip", "tar:boot/vmlinuz-6.1.0-x", "gzip", "ELF"]);
  });

  for (const format of ["gnu", "pax", "ustar"]) {
    needing("tar")(`tar, ${format}, with a long path`, async () => {
      const long = `${"a/".repeat(format === "ustar" ? 60 : 150)}vmlinux`;
      const found = await extractBtf(tarAs(format, { [long]: kernel }));
      expect([same(found.bytes), found.steps[0]?.member]).toEqual([true, `./${long}`]);
    });
  }

  needing("cpio")("cpio, such as an initramfs", async () => {
    expect(await opens(cpio(files))).toEqual(["cpio:boot/vmlinuz-6.1.0-x", "gzip", "ELF"]);
  });

  needing("cpio")("an initramfs behind early microcode", async () => {
    const initramfs = bytes(cpio({ "kernel/x86/microcode/x.bin": "x" }), gzipSync(cpio(files)));
    const image = await openImage(pieces(initramfs), { modules: true });
    expect([image.btf.size, image.modules.length]).toEqual([20, 3]);
  });

  test("a folder, and files that were chosen", async () => {
    const folder = tree(files);
    const image = await openImageFile(folder, { modules: true });
    const { modules, skipped } = await openModules(image);
    expect([image.btf.size, modules.map(({ name }) => name), skipped.map(({ name }) => name)]).toEqual([
      20,
      ["one", "two_of"],
      ["broken"],
    ]);
    const chosen = Object.entries(files).map(([path, contents]) => ({ path, open: () => new Blob([contents]) }));
    expect((await openImageFolder(chosen, { member: "one" })).btf.size).toBe(21);
  });

  test("modules alone, on a base that is given", async () => {
    const alone = tar({ "a/one.ko": module, "a/two.ko": module });
    const kernelBtf = Btf.parse(base.bytes());
    const image = await openImage(alone, { base: kernelBtf, modules: (name) => name === "two" });
    expect([image.btf === kernelBtf, (await openModules(image)).modules.map(({ btf }) => btf.size)]).toEqual([
      true,
      [21],
    ]);
    expect((await openImage(gzipSync(module), { base: kernelBtf })).btf.size).toBe(21);
    await expect(openImage(alone)).rejects.toMatchObject({ code: "ERR_IMAGE_NO_KERNEL" });
  });
});

describe("sources", () => {
  test("bytes, Blob, Response, streams, raw BTF", async () => {
    const input = gzipSync(kernel);
    const sources = [input, new Blob([input]), new Response(input), new Blob([input]).stream(), pieces(input, 1)];
    for (const source of [
      ...sources.slice(0, 4),
      input.buffer.slice(input.byteOffset, input.byteOffset + input.length),
    ])
      expect((await openImage(source as Uint8Array)).btf.size).toBe(TYPES);
    expect(await kindsOf(vmlinuxBtf)).toEqual(["BTF"]);
    expect((await openImage(pieces(gzipSync(small), 1))).btf.size).toBe(20);
  });

  test("debug information passes by", async () => {
    // What is loaded, a gap of 160 MiB that nothing keeps, and the section table.
    const whole = kernel.slice();
    const view = new DataView(whole.buffer);
    const table = Number(view.getBigUint64(40, true));
    const gap = 160 << 20;
    const program = new Uint8Array(56);
    const fields = new DataView(program.buffer);
    fields.setUint32(0, 1, true);
    fields.setBigUint64(32, BigInt(table), true);
    // The program header takes the place of some code.
    whole.set(program, 64);
    view.setBigUint64(32, 64n, true);
    view.setUint16(54, 56, true);
    view.setUint16(56, 1, true);
    const tail = whole.slice(table - 4096);
    view.setBigUint64(40, BigInt(table + gap), true);
    // The names of the sections move with the table.
    const names = 64 * view.getUint16(62, true);
    const tailView = new DataView(tail.buffer);
    const at = 4096 + names + 24;
    tailView.setBigUint64(at, tailView.getBigUint64(at, true) + BigInt(gap), true);
    async function* stream(): AsyncGenerator<Uint8Array> {
      yield whole.subarray(0, table);
      for (let left = gap - 4096; left > 0; left -= 1 << 16) yield new Uint8Array(Math.min(left, 1 << 16));
      yield tail;
    }
    const found = await extractBtf(stream(), { maxBytes: kernel.length });
    expect(same(found.bytes)).toBe(true);
  });

  test("a signal stops it", async () => {
    const reason = new Error("enough");
    await expect(openImage(gzipSync(kernel), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe("refusals", () => {
  const refused = async (input: Uint8Array, code: string, options: ImageOptions = {}): Promise<BtfError> => {
    const error = await openImage(input, options).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(BtfError);
    expect((error as BtfError).code).toBe(code);
    expect((error as BtfError).message).not.toMatch(/undefined|NaN|\n/);
    return error as BtfError;
  };

  for (const kind of kinds) {
    needingTool(kind)(`${kind}: truncated, damaged, and too much`, async () => {
      const whole = kernelPackers[kind]!(kernel);
      const half = Math.floor(whole.length / 2);
      const cut = await refused(whole.subarray(0, half), "ERR_IMAGE_TRUNCATED");
      expect([cut.name, cut.offset]).toEqual(["BtfFormatError", half]);
      expect(cut.message).toBe(`truncated: the ${kind} data ends early (at byte ${half})`);
      const limited = await refused(whole, "ERR_IMAGE_LIMIT", { maxBytes: 1 << 14 });
      expect(limited.name).toBe("BtfLimitError");
      expect(limited.message).toMatch(/more than (?:16384|262144) bytes \(\d+ so far\).*maxBytes or --max-size/);
      // Legacy lz4 and lzma have no checksum: what is damaged may only show later.
      const damaged = whole.slice();
      damaged.fill(0x55, half, half + 64);
      const error = await openImage(damaged).catch((thrown: unknown) => thrown);
      if (kind !== "lz4" && kind !== "lzma") {
        expect(error).toMatchObject({
          code: "ERR_IMAGE_DAMAGED",
          message: expect.stringMatching(`damaged ${kind} data`),
        });
        expect((error as BtfError).offset).toBeGreaterThan(0);
      }
    });
  }

  needing("dpkg-deb")("a package that breaks off inside of what is packed in it", async () => {
    const whole = deb({ "boot/vmlinuz-6.1.0-x": gzipSync(kernel, { level: 0 }) }, "gzip");
    for (const length of [whole.length >> 3, whole.length >> 1, whole.length - 2000]) {
      const cut = await refused(whole.subarray(0, length), "ERR_IMAGE_TRUNCATED");
      expect(cut.message).toBe(`truncated: the ar archive ends early (at byte ${length})`);
    }
  });

  test("a bomb", async () => {
    const bomb = gzipSync(gzipSync(new Uint8Array(64 << 20)));
    const error = await refused(bomb, "ERR_IMAGE_LIMIT", { maxBytes: 1 << 20 });
    expect(error.message).toMatch(/1048576/);
  });

  test("too deep", async () => {
    let deep: Uint8Array = small;
    for (let i = 0; i < 13; i++) deep = gzipSync(deep);
    expect((await refused(deep, "ERR_IMAGE_DEPTH")).message).toMatch(/more than 12 levels deep/);
  });

  test("a kernel without BTF", async () => {
    const without = elf({ ".text": new Uint8Array(64) });
    new DataView(without.buffer).setUint16(16, 2, true);
    for (const one of [without, gzipSync(without), bzImage(gzipSync(without)), arm64Image(new Uint8Array(9999))])
      expect((await refused(one, "ERR_IMAGE_NO_BTF")).message).toMatch(/CONFIG_DEBUG_INFO_BTF/);
    const named = await refused(tar({ "boot/vmlinuz-5": gzipSync(without) }), "ERR_IMAGE_NO_BTF");
    expect(named.message).toMatch(/^boot\/vmlinuz-5: a kernel without BTF/);
  });

  test("a package without a kernel", async () => {
    const error = await refused(tar({ "usr/bin/x": "x", "a/one.ko": module }), "ERR_IMAGE_NO_KERNEL");
    expect(error.message).toMatch(/in its 2 files \(1 is a module|in its 2 files \(1 are modules/);
  });

  test("a member that is not there", async () => {
    const error = await refused(tar(files), "ERR_IMAGE_MEMBER", { member: "onn" });
    expect(error.name).toBe("BtfLookupError");
    expect(error.message).toMatch(/"onn" in the package; did you mean one/);
  });

  test("what is no container, named where it is known", async () => {
    expect((await refused(new TextEncoder().encode("#!/bin/sh\n"), "ERR_IMAGE_UNKNOWN")).message).toMatch(/23 21 2f/);
    expect((await refused(bytes("7z\xbc".slice(0, 2), [0xbc, 0xaf, 0x27, 0x1c]), "ERR_IMAGE_UNKNOWN")).message).toMatch(
      /7-Zip/,
    );
    expect((await refused(new Uint8Array(0), "ERR_IMAGE_UNKNOWN")).message).toMatch(/empty/);
  });

  needing("lzop")("lzo, which nothing unpacks here", async () => {
    const error = await refused(packed("lzop", "-c")(small), "ERR_IMAGE_COMPRESSION");
    expect(error.message).toMatch(/lzo/);
    await refused(bzImage(packed("lzop", "-c")(small)), "ERR_IMAGE_COMPRESSION");
  });

  test("malformed headers", async () => {
    const image = bzImage(gzipSync(small));
    new DataView(image.buffer).setUint32(0x24c, 1 << 30, true);
    expect((await refused(image, "ERR_IMAGE_HEADER")).message).toMatch(/bzImage/);
    const archive = tar(files);
    archive.fill(0x20, 148, 156);
    expect((await refused(archive, "ERR_IMAGE_HEADER")).message).toMatch(/checksum/);
    await refused(bytes("!<arch>\n", "debian-binary", new Uint8Array(99)), "ERR_IMAGE_HEADER");
    await refused(bytes([0xed, 0xab, 0xee, 0xdb], new Uint8Array(200)), "ERR_IMAGE_HEADER");
    await refused(bytes("070701", "x".repeat(200)), "ERR_IMAGE_HEADER");
    expect((await refused(tar(files).subarray(0, 700), "ERR_IMAGE_TRUNCATED")).message).toMatch(/tar archive/);
  });
});

describe("command line", () => {
  const folder = mkdtempSync(join(tmpdir(), "btfkit-"));
  const path = (name: string, contents: Uint8Array): string => {
    writeFileSync(join(folder, name), contents);
    return join(folder, name);
  };
  const run = (args: readonly string[], input?: Uint8Array): { code: number; out: Buffer; error: string } => {
    try {
      const out = execFileSync(process.execPath, ["dist/cli/btfkit.cjs", ...args], {
        input,
        maxBuffer: 1 << 30,
        stdio: ["pipe", "pipe", "pipe"],
      });
      return { code: 0, out, error: "" };
    } catch (thrown) {
      const { status, stderr } = thrown as { status: number; stderr: Buffer };
      return { code: status, out: Buffer.alloc(0), error: stderr.toString() };
    }
  };

  test("extract writes the bytes, and tells the way to them", () => {
    const image = path("image", bzImage(gzipSync(kernel)));
    expect(same(run(["extract", image]).out)).toBe(true);
    expect(same(run(["extract", "-"], readFileSync(image)).out)).toBe(true);
    const out = join(folder, "out.btf");
    const report = JSON.parse(run(["extract", image, "--json", "-o", out]).out.toString()) as Record<string, unknown>;
    expect(same(readFileSync(out))).toBe(true);
    expect(report).toEqual({
      version: 1,
      file: image,
      release: VERSION,
      architecture: "x86_64",
      bytes: vmlinuxBtf.length,
      steps: [{ kind: "bzImage", offset: 1536 + 0x2cc }, { kind: "gzip" }, { kind: "ELF", offset: expect.any(Number) }],
    });
  });

  test("every command takes images and packages, also from standard input", () => {
    const archive = path("package", gzipSync(tar(files)));
    const dump = (...args: string[]): string => run(["dump", ...args]).out.toString();
    expect(dump(archive)).toBe(dump(path("base.btf", base.bytes())));
    expect(run(["dump", "-"], readFileSync(archive)).out.toString()).toBe(dump(archive));
    expect(dump(archive, "--member", "two_of")).toBe("[20] PTR '(anon)' type_id=4\n");
    expect(dump(path("one.ko.gz", gzipSync(module)), "-B", archive)).toBe("[20] PTR '(anon)' type_id=4\n");
    expect(dump(tree(files))).toBe(dump(archive));
    expect(run(["stat", archive, "--json"]).code).toBe(0);
    expect(run(["verify", archive])).toEqual(run(["verify", path("base.btf", base.bytes())]));
  });

  test("errors name the file, and the limit's option", () => {
    const archive = path("limited", gzipSync(tar(files)));
    const limited = run(["stat", archive, "--max-size", "300"]);
    expect([limited.code, limited.error]).toEqual([3, expect.stringMatching(/^btfkit: .*limited: .*--max-size\n$/)]);
    expect(run(["stat", archive, "--member", "none"])).toMatchObject({
      code: 3,
      error: expect.stringMatching(/"none"/),
    });
    expect(run(["stat", archive, "--max-size", "x"]).code).toBe(2);
    const script = run(["stat", path("script", new TextEncoder().encode("#!/bin/sh\n"))]);
    expect([script.code, script.error]).toEqual([3, expect.stringMatching(/not BTF: the first two bytes are 0x2321/)]);
    const other = run(["stat", path("7z", bytes("7z", [0xbc, 0xaf, 0x27, 0x1c], new Uint8Array(99)))]);
    expect(other.error).toMatch(/a 7-Zip archive: unpack it with 7z x/);
  });
});
