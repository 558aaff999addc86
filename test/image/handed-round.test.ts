// What people hand round: BTFHub's archives, unified kernel images, packages of modules, zip, ISO 9660, OCI layouts and
// old cpio archives, made by the tools that make them; and what is only named.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { Btf, BtfError, type ErrorCode } from "btfkit";
import { extractBtf, openImage, openImageFolder, openModules } from "btfkit/image";
import { extractBtfFile, openImageFile } from "btfkit/node";
import { afterAll, describe, expect, test } from "vitest";
import { tar } from "../suite/tar.js";
import { bytes, packed, TYPES, vmlinux, vmlinuxBtf } from "../support/containers.js";
import { elf } from "../support/elf.js";
import { everyKind, Image } from "../support/image.js";
import { corpusPath, needing } from "../support/needs.js";

const base = everyKind();
const kernel = base.bytes();
const split = new Image({ base });
split.ref(2, 4);
const module = elf({ ".BTF": split.bytes(), ".modinfo": new TextEncoder().encode("vermagic=6.1.0 SMP\0") });

const folder = mkdtempSync(join(tmpdir(), "btfkit-round-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes files below a folder of their own and returns it. */
function laidOut(name: string, files: Readonly<Record<string, Uint8Array>>): string {
  const root = join(folder, name);
  for (const [path, contents] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), contents);
  }
  return root;
}

const code = async (act: () => Promise<unknown>): Promise<[ErrorCode, string]> => {
  try {
    await act();
  } catch (error) {
    if (error instanceof BtfError) return [error.code, error.message];
    throw error;
  }
  throw new Error("it was not refused");
};

describe("BTF alone", () => {
  const hub = packed("xz")(tar({ "5.4.0-1.x86_64.btf": kernel }));
  needing("xz")("BTFHub's archive of one kernel", async () => {
    const image = await openImage(hub);
    expect(image.steps.map(({ kind }) => kind)).toEqual(["xz", "tar", "BTF"]);
    expect(image.btf.size).toBe(Btf.parse(kernel).size);
  });

  needing("xz")("a folder of such archives asks which, and takes the one that is named", async () => {
    const other = packed("xz")(tar({ "5.4.0-2.x86_64.btf": vmlinuxBtf }));
    const root = laidOut("hub", { "5.4.0-1.x86_64.btf.tar.xz": hub, "5.4.0-2.x86_64.btf.tar.xz": other });
    const [refusal, message] = await code(() => openImageFile(root));
    expect(refusal).toBe("ERR_IMAGE_KERNELS");
    expect(message).toMatch(/5\.4\.0-1.*and 5\.4\.0-2.*are different kernels.*--member/);
    for (const member of ["5.4.0-2.x86_64.btf.tar.xz", "5.4.0-2.x86_64.btf", "5.4.0-2.x86_64"]) {
      expect((await openImageFile(root, { member })).btf.size).toBe(TYPES);
    }
    const twice = laidOut("twice", { "vmlinux-1": kernel, "b.btf": kernel });
    expect((await openImageFile(twice)).btf.size).toBe(Btf.parse(kernel).size);
  });

  test("a folder as /sys/kernel/btf is: a kernel and modules without endings", async () => {
    const root = laidOut("sys", { aaa: split.bytes(), vmlinux: kernel, "zzz-1": split.bytes() });
    const image = await openImageFile(root, { modules: true });
    expect(image.modules.map(({ name }) => name)).toEqual(["aaa", "zzz_1"]);
    expect((await openModules(image)).modules.map(({ btf }) => btf.size - btf.firstId)).toEqual([1, 1]);
    const one = await openImageFile(root, { member: "zzz-1" });
    expect([one.btf.firstId, one.btf.base?.size]).toEqual([Btf.parse(kernel).size, Btf.parse(kernel).size]);
  });
});

describe("split BTF does not end the search for a kernel", () => {
  test("raw, packed, and in a module, before the kernel", async () => {
    for (const first of [split.bytes(), gzipSync(split.bytes()), module, gzipSync(tar({ "a.ko": module }))]) {
      for (const name of ["vmlinux-first", "a.btf", "kernel"]) {
        const image = await openImage(tar({ [name]: first, "boot/vmlinuz": kernel }));
        expect([name, image.btf.base]).toEqual([name, undefined]);
      }
    }
  });

  test("a unified kernel image: its .linux section, by name, behind an initrd with a module", async () => {
    const uki = pe({ ".initrd": gzipSync(tar({ "a.ko": module })), ".linux": gzipSync(vmlinux(20_000)) });
    const image = await openImage(uki);
    expect([image.btf.size, image.architecture]).toEqual([TYPES, "x86_64"]);
    const without = pe({ ".initrd": gzipSync(tar({ "a.ko": module })) });
    expect((await code(() => openImage(without)))[0]).toBe("ERR_IMAGE_NO_BTF");
  });

  needing("the corpus in ../shared")("the same from the field", async () => {
    for (const file of ["uki.efi", "5.4.0-1.x86_64.btf.tar.xz"]) {
      expect((await openImageFile(corpusPath(`../cases/images/${file}`))).btf.base).toBeUndefined();
    }
  });
});

describe("packages of modules alone", () => {
  const modules = gzipSync(tar({ "lib/modules/K/one.ko": module, "lib/modules/K/two.ko.gz": gzipSync(module) }));
  test("one that is named comes out as it is", async () => {
    for (const member of ["one", "two", "one.ko", "lib/modules/K/two.ko.gz"]) {
      expect(Buffer.from((await extractBtf(modules, { member })).bytes).equals(split.bytes())).toBe(true);
    }
    expect((await code(() => extractBtf(modules, { member: "three" })))[0]).toBe("ERR_IMAGE_MEMBER");
    expect((await code(() => extractBtf(modules)))[0]).toBe("ERR_IMAGE_NO_KERNEL");
  });

  test("to open one wants the kernel", async () => {
    const [refusal, message] = await code(() => openImage(modules, { member: "one" }));
    expect([refusal, message]).toEqual([
      "ERR_IMAGE_NO_KERNEL",
      expect.stringMatching(/give the kernel's BTF as the base/),
    ]);
    expect((await openImage(modules, { member: "one", base: Btf.parse(kernel) })).btf.base).toBeDefined();
  });

  needing("the corpus in ../shared", "zstd")("the same from the field", async () => {
    const found = await extractBtfFile(corpusPath("../cases/images/modules.tar.zst"), { member: "dummy" });
    expect(found.steps.at(-1)?.kind).toBe("ELF");
  });
});

describe("folders with something damaged", () => {
  const whole = gzipSync(kernel);
  const damaged = whole.map((byte, i) => (i > 40 ? byte ^ 255 : byte));

  test("do not hide the kernel beside it", async () => {
    const root = laidOut("beside", { "a.btf.gz": damaged, "boot/vmlinuz-6.1": gzipSync(vmlinux(20_000)) });
    expect((await openImageFile(root)).btf.size).toBe(TYPES);
  });

  test("say what it is where there is no other", async () => {
    const broken = kernel.slice();
    broken.fill(0xff, 24, 60);
    const [refusal] = await code(() => openImageFile(laidOut("broken", { vmlinux: broken })));
    expect(refusal).not.toBe("ERR_IMAGE_NO_KERNEL");
    expect(refusal).toBe((await code(async () => Btf.parse(broken)))[0]);
  });
});

/** What each tool makes of the same files. */
const files = {
  "boot/config": new Uint8Array(3000),
  "boot/vmlinuz-6.1": gzipSync(vmlinux(20_000)),
  "a/one.ko": module,
};

const run = (root: string, command: string): void => void execFileSync("sh", ["-ec", command], { cwd: root });

describe("archives", () => {
  const opens = async (archive: string, kind: string): Promise<void> => {
    const image = await openImageFile(archive, { modules: true });
    expect([image.btf.size, image.steps[0]?.kind, image.modules.map(({ name }) => name)]).toEqual([
      TYPES,
      kind,
      ["one"],
    ]);
    expect((await openImage(readFileSync(archive))).btf.size).toBe(TYPES);
  };

  needing("python3")("zip: deflated, stored, with a comment, of 64 bits", async () => {
    const root = laidOut("zip", files);
    const script = `
import sys, zipfile
for name, method in (("deflated", zipfile.ZIP_DEFLATED), ("stored", zipfile.ZIP_STORED)):
    with zipfile.ZipFile("../" + name + ".zip", "w", method) as z:
        z.comment = b"PK\\x05\\x06 of a kernel"
        z.mkdir("boot") if hasattr(z, "mkdir") else None
        for path in sys.argv[1:]:
            with z.open(zipfile.ZipInfo(path), "w", force_zip64=True) as f: f.write(open(path, "rb").read())
with zipfile.ZipFile("../lzma.zip", "w", zipfile.ZIP_LZMA) as z:
    z.write("boot/vmlinuz-6.1")
with zipfile.ZipFile("../beside.zip", "w", zipfile.ZIP_DEFLATED) as z:
    z.writestr("README", "of a kernel", zipfile.ZIP_LZMA)
    for path in sys.argv[1:]: z.write(path)
`;
    execFileSync("python3", ["-c", script, ...Object.keys(files)], { cwd: root });
    for (const name of ["deflated", "stored", "beside"]) await opens(join(folder, `${name}.zip`), "zip");
    expect(await code(() => openImageFile(join(folder, "lzma.zip")))).toEqual([
      "ERR_IMAGE_COMPRESSION",
      expect.stringMatching(/method 14/),
    ]);
    expect((await code(() => openImage(bytes("PK", [3, 4], new Uint8Array(99)))))[1]).toMatch(/malformed zip archive/);
  });

  needing("genisoimage")("ISO 9660, with Rock Ridge and without", async () => {
    const root = laidOut("iso", files);
    run(root, "genisoimage -quiet -R -o ../rock.iso . && genisoimage -quiet -l -o ../plain.iso .");
    await opens(join(folder, "rock.iso"), "ISO 9660");
    await opens(join(folder, "plain.iso"), "ISO 9660");
  });

  for (const format of ["newc", "odc", "bin", "crc"]) {
    needing("cpio")(`cpio -H ${format}`, async () => {
      const root = laidOut(`cpio-${format}`, files);
      run(root, `find . | cpio --quiet -o -H ${format} > ../${format}.cpio`);
      await opens(join(folder, `${format}.cpio`), "cpio");
    });
  }

  test("OCI: a layout, as a folder and as a tar", async () => {
    const layer = gzipSync(tar(files));
    const layout = {
      "oci-layout": new TextEncoder().encode('{"imageLayoutVersion":"1.0.0"}'),
      "index.json": new TextEncoder().encode("{}"),
      [`blobs/sha256/${"0".repeat(64)}`]: new TextEncoder().encode('{"config":{}}'),
      [`blobs/sha256/${"f".repeat(64)}`]: layer,
    };
    expect((await openImageFile(laidOut("oci", layout))).btf.size).toBe(TYPES);
    expect((await openImage(tar(layout))).btf.size).toBe(TYPES);
  });
});

describe("limits", () => {
  needing("xz")("a dictionary of 128 MiB", async () => {
    const far = vmlinux();
    const pack = packed("xz", "--lzma2=preset=0,dict=128MiB");
    expect((await openImage(pack(far))).btf.size).toBe(TYPES);
    const checked = packed("xz", "--check=sha256", "--lzma2=preset=0,dict=192MiB");
    expect((await openImage(checked(far))).btf.size).toBe(TYPES);
    const [refusal, message] = await code(() => openImage(pack(far), { maxBytes: 64 << 20 }));
    expect([refusal, message]).toEqual(["ERR_IMAGE_LIMIT", expect.stringMatching(/dictionary.*--max-size/)]);
  });

  needing("xz")("matches from further back than 64 MiB", async () => {
    const start = vmlinux(100_000);
    const far = bytes(start, new Uint8Array(66 << 20), start);
    const image = await openImage(packed("xz", "--lzma2=preset=0,dict=128MiB")(tar({ pad: far, vmlinux: start })));
    expect(image.btf.size).toBe(TYPES);
  });

  test("a file that is too large is refused before it is read", async () => {
    let read = 0;
    const input = {
      size: 1 << 30,
      async *[Symbol.asyncIterator]() {
        for (; ; read++) yield new Uint8Array(1 << 16);
      },
    };
    expect((await code(() => openImage(input, { maxBytes: 1 << 24 })))[0]).toBe("ERR_IMAGE_LIMIT");
    expect(read).toBeLessThan(3);
    const kept = [{ path: "a.btf", open: () => kernel }];
    expect((await openImageFolder(kept, { maxBytes: 4096 })).btf.size).toBeGreaterThan(1);
  });
});

test("what is not opened is named, with the tool that opens it", async () => {
  const starts: Record<string, readonly [string | readonly number[], number?]> = {
    "7z x": [[0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]],
    cabextract: ["MSCF\0\0\0\0"],
    "payload-dumper-go": ["CrAU"],
    simg2img: [[0x3a, 0xff, 0x26, 0xed]],
    "qemu-nbd": ["QFI\xfb"],
    guestmount: ["conectix"],
    unsquashfs: ["hsqs"],
    "lzop -d": [[0x89, 0x4c, 0x5a, 0x4f, 0, 0x0d, 0x0a, 0x1a]],
  };
  for (const [tool, [magic]] of Object.entries(starts)) {
    const head = typeof magic === "string" ? Buffer.from(magic, "latin1") : magic;
    const [refusal, message] = await code(() => openImage(bytes(head, new Uint8Array(4096))));
    expect([refusal, message]).toEqual([expect.stringMatching(/UNKNOWN|COMPRESSION/), expect.stringContaining(tool)]);
  }
  const fixed = bytes(new Uint8Array(4096), Buffer.from("conectix"), new Uint8Array(504));
  expect((await code(() => openImage(fixed)))[1]).toMatch(/VHD/);
});

/** A PE file with these sections. */
function pe(sections: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const names = Object.keys(sections);
  const head = new DataView(new ArrayBuffer(512));
  head.setUint16(0, 0x5a4d, true);
  head.setUint32(0x3c, 64, true);
  head.setUint32(64, 0x4550, true);
  head.setUint16(68, 0x8664, true);
  head.setUint16(70, names.length, true);
  const parts: Uint8Array[] = [];
  let at = 512;
  names.forEach((name, i) => {
    const entry = 64 + 24 + i * 40;
    new Uint8Array(head.buffer).set(new TextEncoder().encode(name), entry);
    const data = sections[name]!;
    head.setUint32(entry + 8, data.length, true);
    head.setUint32(entry + 16, data.length + 7, true);
    head.setUint32(entry + 20, at, true);
    parts.push(data, new Uint8Array(7));
    at += data.length + 7;
  });
  return bytes(new Uint8Array(head.buffer), ...parts);
}
