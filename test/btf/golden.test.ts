// Dumps byte for byte bpftool's: on the corpus by hash, on objects and the
// running kernel by the bpftool that is installed.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { type Btf, type Dump, dumpC, dumpJson, dumpRaw, tally } from "btfkit";
import { openFile } from "btfkit/node";
import { describe, expect, test } from "vitest";
import { corpusPath, needing } from "../support/needs.js";

interface Digest {
  readonly size: number;
  readonly sha256: string;
}

interface Golden {
  readonly ntypes: number;
  readonly size: number;
  readonly endian: "LE" | "BE";
  readonly hdr_len: number;
  /** Not told of modules. */
  readonly pointer_size?: number;
  readonly kinds: Record<string, number>;
  readonly bpftool: Record<"7.8", { raw: Digest; json: Digest; c: Digest; c_unsorted: Digest }>;
}

async function digest(dump: Dump): Promise<Digest> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of dump) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { size, sha256: hash.digest("hex") };
}

function bpftool(...args: string[]): Digest {
  const out = execFileSync("bpftool", args, { maxBuffer: 1 << 30, stdio: ["ignore", "pipe", "ignore"] });
  return { size: out.length, sha256: createHash("sha256").update(out).digest("hex") };
}

const withCorpus = needing("the corpus in ../shared");

describe("corpus", () => {
  const path = corpusPath("golden/dumps.json");
  const goldens = existsSync(path)
    ? (JSON.parse(readFileSync(path, "utf8")) as Record<string, Golden>)
    : { corpus: undefined };
  for (const [name, golden] of Object.entries(goldens)) {
    withCorpus(name, async () => {
      const kernel = name.includes("s390x") ? "6.12-s390x" : "6.12-amd64";
      const base = name.startsWith("modules/") ? openFile(corpusPath(`vmlinux/${kernel}.btf.gz`)) : undefined;
      const btf = openFile(corpusPath(`${name}.btf.gz`), base && { base });
      const { ntypes, size, endian, hdr_len, pointer_size, kinds, bpftool } = golden!;
      expect(btf.size - btf.firstId).toBe(ntypes);
      expect(btf.byteLength).toBe(size);
      expect(btf.endian).toBe(endian === "LE" ? "little" : "big");
      expect(btf.header.headerLength).toBe(hdr_len);
      if (pointer_size !== undefined) expect(btf.pointerSize).toBe(pointer_size);
      expect(Object.fromEntries(tally(btf).map(({ kind, count }) => [kind.toUpperCase(), count]))).toEqual(kinds);
      expect(await digest(dumpRaw(btf))).toEqual(bpftool["7.8"].raw);
      expect(await digest(dumpJson(btf))).toEqual(bpftool["7.8"].json);
      expect(await digest(dumpC(btf, { compatible: "bpftool-7.8" }))).toEqual(bpftool["7.8"].c);
      expect(await digest(dumpC(btf, { sorted: false, compatible: "bpftool-7.8" }))).toEqual(bpftool["7.8"].c_unsorted);
    });
  }
});

/** Raw, JSON and indented JSON, ours against the installed bpftool's. */
async function sameAsBpftool(btf: Btf, path: string, ...options: string[]): Promise<void> {
  expect(await digest(dumpRaw(btf))).toEqual(bpftool(...options, "btf", "dump", "file", path));
  expect(await digest(dumpJson(btf))).toEqual(bpftool(...options, "-j", "btf", "dump", "file", path));
  expect(await digest(dumpJson(btf, { pretty: true }))).toEqual(
    bpftool(...options, "-j", "-p", "btf", "dump", "file", path),
  );
}

describe("objects", () => {
  const folder = corpusPath("objects");
  const objects = existsSync(folder) ? readdirSync(folder) : ["objects"];
  for (const object of objects) {
    needing("the corpus in ../shared", "bpftool")(object, async () => {
      const path = `${folder}/${object}`;
      await sameAsBpftool(openFile(path), path);
    });
  }
});

describe("headers of objects", () => {
  const { objects } = JSON.parse(readFileSync("test/data/objects-headers.json", "utf8")) as {
    objects: Record<string, Record<"c" | "c_unsorted", Digest>>;
  };
  withCorpus("equal bpftool 7.8's, sorted and not", async () => {
    for (const [object, golden] of Object.entries(objects)) {
      const btf = openFile(corpusPath(`objects/${object}`));
      const c = await digest(dumpC(btf, { compatible: "bpftool-7.8" }));
      const c_unsorted = await digest(dumpC(btf, { sorted: false, compatible: "bpftool-7.8" }));
      expect([object, { c, c_unsorted }]).toEqual([object, golden]);
    }
    expect(Object.keys(objects).length).toBe(69);
  });
});

describe("running kernel", () => {
  const path = "/sys/kernel/btf/vmlinux";
  needing("the running kernel's BTF", "bpftool")("vmlinux", async () => sameAsBpftool(openFile(path), path));
});

describe("sample", () => {
  test("the vmlinux that the repository carries", async () => {
    const { dumps } = JSON.parse(readFileSync("test/data/vmlinux-6.1-cloud-amd64.json", "utf8")) as {
      dumps: Record<"raw" | "json", { byteLength: number; sha256: string }>;
    };
    const btf = openFile("test/data/vmlinux-6.1-cloud-amd64.btf.gz");
    const [raw, json] = [await digest(dumpRaw(btf)), await digest(dumpJson(btf))];
    expect({ byteLength: raw.size, sha256: raw.sha256 }).toEqual(dumps.raw);
    expect({ byteLength: json.size, sha256: json.sha256 }).toEqual(dumps.json);
  });
});
