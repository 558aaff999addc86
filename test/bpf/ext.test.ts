// .BTF.ext: records as libbpf and the compiler have them; written back byte
// for byte; every broken rule refused.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { BtfFormatError } from "btfkit";
import { type BpfObject, encodeExt, readExt } from "btfkit/bpf";
import { describe, expect, test } from "vitest";
import { corpusPath, needing } from "../support/needs.js";
import { compileObject, corpusObject, objectNames, openObject } from "../support/objects.js";

/** Offset of the first place of each string of an object's BTF. */
function offsets(object: BpfObject): (text: string) => number {
  const bytes = object.dataOf(object.section(".BTF")!);
  const { headerLength, stringsOffset, stringsLength } = object.btf.header;
  const known = new Map<string, number>();
  const strings = bytes.subarray(headerLength + stringsOffset, headerLength + stringsOffset + stringsLength);
  for (let at = 0; at < strings.length; at = strings.indexOf(0, at) + 1) {
    const text = new TextDecoder().decode(strings.subarray(at, strings.indexOf(0, at)));
    if (!known.has(text)) known.set(text, at);
  }
  return (text) => known.get(text)!;
}

describe("written back byte for byte", () => {
  for (const name of objectNames) {
    needing("the corpus in ../shared")(name, () => {
      const object = corpusObject(name);
      if (!object.hasExt) return;
      expect(Buffer.from(encodeExt(object.ext, offsets(object)))).toEqual(
        Buffer.from(object.dataOf(object.section(".BTF.ext")!)),
      );
    });
  }
  for (const target of ["bpfel", "bpfeb"] as const) {
    needing("clang-19")(`compiled for ${target}`, () => {
      const object = openObject(compileObject("object", target));
      expect(Buffer.from(encodeExt(object.ext, offsets(object)))).toEqual(
        Buffer.from(object.dataOf(object.section(".BTF.ext")!)),
      );
    });
  }
});

describe("CO-RE records are libbpf's", () => {
  const folder = corpusPath("golden/core");
  for (const file of existsSync(folder)
    ? readdirSync(folder).filter((name) => name.includes("__6.12-"))
    : ["goldens"]) {
    needing("the corpus in ../shared")(file, () => {
      const golden = gunzipSync(readFileSync(`${folder}/${file}`))
        .toString()
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .filter(({ rec }) => rec === "relo")
        .map((one) => [
          one["section"],
          one["sec_insn_off"],
          one["kind"],
          one["kind_name"],
          one["local_type_id"],
          one["access"],
        ]);
      const { ext } = corpusObject(file.replace(/__.*/, ".bpf.o"));
      const ours = ext.coreRelocations!.sections.flatMap(({ section, records }) =>
        records.map(({ insnByteOffset, kindNumber, kind, typeId, access }) => [
          section,
          insnByteOffset,
          kindNumber,
          kind,
          typeId,
          access,
        ]),
      );
      expect(ours).toEqual(golden);
    });
  }
});

describe("lines are those of the source", () => {
  for (const target of ["bpfel", "bpfeb"] as const) {
    needing("clang-19")(target, () => {
      const records = openObject(compileObject("object", target)).ext.lineInfo!.sections.flatMap(
        (section) => section.records,
      );
      const source = readFileSync("test/native/object.bpf.c", "utf8").split("\n");
      const known = records.filter(({ line }) => line > 0);
      expect(known.length).toBeGreaterThan(10);
      for (const { file, line, column, text } of known) {
        expect(file).toMatch(/object\.bpf\.c$/);
        expect(text).toBe(source[line - 1]);
        expect(column).toBeLessThanOrEqual(text.length);
      }
      expect(known.map(({ text }) => text.trim())).toContain("return task->tgid;");
    });
  }
});

describe("rules", () => {
  const words = (list: readonly number[], little = true): Uint8Array => {
    const bytes = new Uint8Array(list.length * 4);
    list.forEach((word, i) => new DataView(bytes.buffer).setUint32(i * 4, word, little));
    return bytes;
  };
  const MAGIC = 0x0001eb9f;
  const read = (list: readonly number[]) => readExt(words(list), (offset) => (offset < 8 ? "section" : undefined));
  const func = [8, 1, 1, 16, 3];

  test("longer records are read as far as they are known", () => {
    const ext = read([MAGIC, 24, 0, 36, 0, 0, 12, 1, 2, 0, 3, 99, 8, 4, 99]);
    expect(JSON.parse(JSON.stringify(ext.funcInfo))).toEqual({
      recordSize: 12,
      sections: [
        {
          section: "section",
          records: [
            { insnByteOffset: 0, typeId: 3 },
            { insnByteOffset: 8, typeId: 4 },
          ],
        },
      ],
    });
    expect([ext.lineInfo, ext.coreRelocations]).toEqual([undefined, undefined]);
  });

  test("a header that is longer than known", () => {
    expect(read([MAGIC, 40, 0, 20, 0, 0, 0, 0, 7, 7, ...func]).funcInfo!.sections.length).toBe(1);
  });

  test("an unknown kind of relocation is told as it is", () => {
    const [record] = read([MAGIC, 32, 0, 0, 0, 0, 0, 28, 16, 1, 1, 0, 5, 99, 77]).coreRelocations!.sections[0]!.records;
    expect(record).toEqual({ insnByteOffset: 0, typeId: 5, access: undefined, kindNumber: 77, kind: "unknown" });
  });

  const refused: Record<string, [readonly number[], RegExp, number?]> = {
    "too short": [[MAGIC], /4 bytes are too few for a header/],
    "no magic": [[0x00010000, 24, 0], /the magic is 0x0/],
    "version 2": [[0x0002eb9f, 24, 0], /version 2/],
    flags: [[0x0101eb9f, 24, 0], /flags 0x1/],
    "short header": [[MAGIC, 16, 0, 0, 0], /header has 16 bytes, at least 24 are needed/],
    "truncated header": [[MAGIC, 24, 0, 0], /truncated header: 24 bytes are needed, the section has 16/],
    "nothing behind the header": [[MAGIC, 24, 0, 0, 0, 0], /section ends with the header/],
    "unaligned list": [[MAGIC, 24, 2, 8, 0, 0, ...func], /not a multiple of 4/, 8],
    "list beyond the end": [[MAGIC, 24, 0, 0xfffffff0, 0, 0, ...func], /end at byte 4294967304, the section at 44/, 8],
    "no record size": [[MAGIC, 24, 0, 2, 0, 0, ...func], /2 bytes of func info/],
    "records too small": [[MAGIC, 24, 0, 20, 0, 0, 4, 1, 1, 16, 3], /func info of 4 bytes each/, 24],
    "records not of words": [[MAGIC, 24, 0, 20, 0, 0, 10, 1, 1, 16, 3], /multiples of 4/, 24],
    "no section": [[MAGIC, 24, 0, 4, 0, 0, 8], /have no section/],
    "half a section header": [[MAGIC, 24, 0, 8, 0, 0, 8, 1], /4 bytes are left/],
    "no records": [[MAGIC, 24, 0, 12, 0, 0, 8, 1, 0], /has no records/, 32],
    "records beyond the end": [[MAGIC, 24, 0, 20, 0, 0, 8, 1, 2, 16, 3], /2 records pass the end/, 32],
    "billions of records": [[MAGIC, 24, 0, 20, 0, 0, 8, 1, 0xffffffff, 16, 3], /4294967295 records/],
    "CO-RE records of 12 bytes": [[MAGIC, 32, 0, 0, 0, 0, 0, 24, 12, 1, 1, 0, 5, 0], /CO-RE relocations of 12 bytes/],
  };
  for (const [name, [list, text, offset]] of Object.entries(refused)) {
    test(name, () => {
      let thrown: unknown;
      try {
        read(list);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(BtfFormatError);
      expect((thrown as BtfFormatError).message).toMatch(text);
      if (offset !== undefined) expect((thrown as BtfFormatError).offset).toBe(offset);
    });
  }
});

describe("btfkit ext", () => {
  const run = (...args: string[]): string =>
    execFileSync(process.execPath, ["dist/cli/btfkit.cjs", "ext", ...args]).toString();

  needing("clang-19")("text and JSON", () => {
    const path = compileObject("object");
    const text = run(path);
    expect(text).toMatch(/^little endian, header of 32 bytes\n\nfunc info, 8 bytes each\n {2}\.text\n/);
    expect(text).toMatch(/CO-RE relocations, 16 bytes each\n {2}\.text\n {9}\d {2}byte_off \[\d+\] task_struct 0:\d\n/);
    const shown = JSON.parse(run(path, "--json")) as Record<
      string,
      { sections: { section: string; records: Record<string, unknown>[] }[] }
    >;
    expect(shown).toMatchObject({ object: path, endian: "little", headerLength: 32 });
    const records = shown["coreRelocations"]!.sections.flatMap(({ records }) => records);
    expect(records.map(({ kind, name, access }) => [kind, name, access])).toEqual([
      ["byte_off", "task_struct", "0:0"],
      ["byte_off", "task_struct", "0:1"],
    ]);
    expect(shown["funcInfo"]!.sections.find(({ section }) => section === "kprobe/do_unlinkat")!.records).toEqual([
      { insn: 0, typeId: expect.any(Number), name: "probe" },
    ]);
    const [line] = shown["lineInfo"]!.sections[0]!.records;
    expect(Object.keys(line!)).toEqual(["insn", "file", "line", "column", "text"]);
  });

  test("no BPF object: one line, exit 3", () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["dist/cli/btfkit.cjs", "ext", "package.json"]);
    expect([status, stdout.toString()]).toEqual([3, ""]);
    expect(stderr.toString()).toBe("btfkit: package.json: not a BPF object: it does not start with the ELF magic\n");
  });
});
