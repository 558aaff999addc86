// Debian's kernel packages as they are downloaded: the BTF in them is that of
// the corpus, bpftool's view of what is extracted is ours, and so are modules.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { dumpRaw } from "btfkit";
import { openModules } from "btfkit/image";
import { extractBtfFile, openImageFile } from "btfkit/node";
import { describe, expect } from "vitest";
import { corpusPath, needing } from "../support/needs.js";
import { kernelPackage, type PackageName } from "../support/packages.js";

const folder = mkdtempSync(join(tmpdir(), "btfkit-packages-"));
const sha256 = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex");

interface Expected {
  /** Kinds behind the package's own. */
  readonly kinds: readonly string[];
  readonly architecture: string;
  /** The corpus's file, and of which version it is. */
  readonly corpus?: readonly [name: string, version: string];
}

const expected: Readonly<Partial<Record<PackageName, Expected>>> = {
  "6.1-cloud-amd64": {
    kinds: ["bzImage", "lz4", "ELF"],
    architecture: "x86_64",
    corpus: ["6.1-cloud-amd64", "6.1.176"],
  },
  "6.1-amd64": { kinds: ["bzImage", "xz", "ELF"], architecture: "x86_64" },
  "6.12-amd64": { kinds: ["bzImage", "zstd", "ELF"], architecture: "x86_64", corpus: ["6.12-amd64", "6.12.95"] },
  arm64: { kinds: ["arm64 Image", "BTF"], architecture: "aarch64" },
  "6.12-s390x": {
    kinds: ["s390x bzImage", "zstd", "BTF"],
    architecture: "s390x",
    corpus: ["6.12-s390x", "6.12.95"],
  },
};

/** What is opened is the same on the kernel that asserts: one package is enough there. */
const isDebug = process.env["BTFKIT_KERNEL"] === "debug";
const packages = Object.entries(expected).slice(0, isDebug ? 1 : undefined);

function bpftool(...args: string[]): string {
  return execFileSync("bpftool", args, { encoding: "utf8", maxBuffer: 1 << 30 });
}

describe("the kernel of a package", () => {
  for (const [name, { kinds, architecture, corpus }] of packages) {
    needing(
      "Debian's kernel packages",
      "the corpus in ../shared",
      "bpftool",
    )(name, async () => {
      const path = kernelPackage(name as PackageName);
      const found = await extractBtfFile(path);
      expect(found.steps.map(({ kind }) => kind)).toEqual(["deb", "xz", "tar", ...kinds]);
      expect(found.architecture).toBe(architecture);
      expect(basename(path)).toContain(`linux-image-${found.version}_`);
      if (corpus && basename(path).includes(`_${corpus[1]}-`)) {
        const known = gunzipSync(readFileSync(corpusPath(`vmlinux/${corpus[0]}.btf.gz`)));
        expect(sha256(found.bytes)).toBe(sha256(known));
      }
      const file = join(folder, `${name}.btf`);
      writeFileSync(file, found.bytes);
      const { btf } = await openImageFile(path);
      expect(sha256(dumpRaw(btf).text())).toBe(sha256(bpftool("btf", "dump", "file", file)));
    });
  }
});

describe.skipIf(isDebug)("modules of a package", () => {
  for (const name of ["6.1-cloud-amd64", "6.12-s390x"] as const) {
    needing(
      "Debian's kernel packages",
      "bpftool",
      "dpkg-deb",
    )(`${name}: all open, as bpftool has them`, async () => {
      const path = kernelPackage(name);
      const image = await openImageFile(path, { modules: true });
      const { modules, skipped } = await openModules(image);
      expect(skipped).toEqual([]);
      expect(modules.length).toBeGreaterThan(100);
      // The same, unpacked by Debian's own tools.
      const root = join(folder, `${name}.d`);
      execFileSync("dpkg-deb", ["-x", path, root]);
      const [version = ""] = readdirSync(join(root, "lib/modules"));
      const unpacked = await openImageFile(join(root, "lib/modules", version), { base: image.btf, modules: true });
      expect(unpacked.modules.map((one) => one.name).sort()).toEqual(modules.map((one) => one.name).sort());
      const base = join(folder, `${name}.base.btf`);
      writeFileSync(base, (await extractBtfFile(path)).bytes);
      for (const one of modules.filter(({ name: of }) => /^(nf_conntrack|dummy|xfs|veth|vsock)$/.test(of))) {
        const file = join(root, one.path);
        const plain = file.endsWith(".xz") ? join(folder, `${one.name}.ko`) : file;
        if (plain !== file) writeFileSync(plain, execFileSync("xz", ["-dc", file], { maxBuffer: 1 << 30 }));
        expect(existsSync(plain)).toBe(true);
        const theirs = bpftool("-B", base, "btf", "dump", "file", plain);
        expect([one.name, sha256(dumpRaw(one.btf).text())]).toEqual([one.name, sha256(theirs)]);
      }
    });
  }

  needing("Debian's kernel packages", "the corpus in ../shared")("6.12-amd64: those of the corpus", async () => {
    const path = kernelPackage("6.12-amd64");
    if (!basename(path).includes("_6.12.95-")) return;
    const names = ["btrfs", "cast_common", "dummy", "kvm", "nf_conntrack", "veth", "xfs"];
    const { modules } = await openImageFile(path, { modules: (name) => names.includes(name) });
    expect(modules.map(({ name }) => name).sort()).toEqual(names);
    for (const { name, find } of modules) {
      const known = gunzipSync(readFileSync(corpusPath(`modules/6.12-amd64-${name}.btf.gz`)));
      expect([name, sha256((await find()).bytes)]).toEqual([name, sha256(known)]);
    }
  });
});
