// Bytes out are bytes in; what is written anew parses to the same types.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { Btf, dumpRaw } from "btfkit";
import { type EncodeOptions, encode } from "btfkit/edit";
import { openFile } from "btfkit/node";
import { describe, expect, test } from "vitest";
import { everyKind, Image, LAYOUT } from "../support/image.js";
import { corpusPath, needing } from "../support/needs.js";

describe("an unedited image keeps its bytes", () => {
  for (const endian of ["little", "big"] as const) {
    for (const headerLength of [24, 32, 40, 41]) {
      test(`${endian} endian, header of ${headerLength} bytes`, () => {
        const image = everyKind({ endian, headerLength });
        const bytes = image.bytes();
        expect(encode(Btf.parse(bytes))).toEqual(bytes);
        expect(encode(Btf.parse(bytes), { endian })).toEqual(bytes);
      });
    }
    test(`${endian} endian, with a layout section`, () => {
      const bytes = everyKind({ endian, layout: LAYOUT }).bytes();
      expect(encode(Btf.parse(bytes))).toEqual(bytes);
    });
  }

  test("a split, without its base", () => {
    const base = everyKind();
    const split = everyKind({ base }).bytes();
    expect(encode(Btf.parse(base.bytes()).split(split))).toEqual(split);
  });

  const folder = corpusPath("vmlinux");
  for (const name of existsSync(folder) ? readdirSync(folder) : ["vmlinux"]) {
    needing("the corpus in ../shared")(name, () => {
      const bytes = gunzipSync(readFileSync(join(folder, name)));
      expect(Buffer.from(encode(Btf.parse(bytes))).equals(bytes)).toBe(true);
    });
  }
});

describe("written anew it is the same BTF", () => {
  const options: EncodeOptions[] = [
    { header: 24 },
    { header: 32 },
    { layout: true },
    { layout: false },
    { endian: "big" },
    { endian: "little" },
    { endian: "big", header: 32, layout: true },
    { endian: "little", header: 24, layout: false },
  ]; // prettier-ignore
  for (const from of ["little", "big"] as const) {
    for (const layout of [[], LAYOUT]) {
      const source = Btf.parse(everyKind({ endian: from, layout }).bytes());
      for (const option of options) {
        test(`${from}${layout.length ? " with layout" : ""} as ${JSON.stringify(option)}`, () => {
          const again = Btf.parse(encode(source, option));
          expect(dumpRaw(again).text()).toBe(dumpRaw(source).text());
          expect(again.endian).toBe(option.endian ?? from);
          if (option.header) expect(again.header.headerLength).toBe(option.header);
          if (option.layout !== undefined) expect(again.header.layoutLength).toBe(option.layout ? 80 : 0);
        });
      }
    }
  }

  test("the layout section's flags turn too", () => {
    const bytes = everyKind({ layout: LAYOUT }).bytes();
    const at = 32 + Btf.parse(bytes).header.layoutOffset;
    bytes[at + 6] = 1;
    const big = encode(Btf.parse(bytes), { endian: "big" });
    expect([...big.subarray(at + 4, at + 8)]).toEqual([4, 0, 0, 1]);
  });

  needing("the corpus in ../shared", "bpftool")("a kernel turned to big endian dumps the same in bpftool", () => {
    const btf = openFile(corpusPath("vmlinux/6.1-cloud-amd64.btf.gz"));
    const path = join(mkdtempSync(join(tmpdir(), "btfkit-")), "big.btf");
    writeFileSync(path, encode(btf, { endian: "big" }));
    const text = execFileSync("bpftool", ["btf", "dump", "file", path], { maxBuffer: 1 << 28 }).toString();
    expect(text === dumpRaw(btf).text()).toBe(true);
  });
});

describe("refuses", () => {
  const btf = Btf.parse(everyKind().bytes());
  test("a layout section in a header of 24 bytes, other lengths and orders", () => {
    for (const options of [{ header: 24, layout: true }, { header: 28 }, { endian: "middle" }]) {
      expect(() => encode(btf, options as EncodeOptions)).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
    }
  });

  test("to turn kinds whose fields it does not know", () => {
    const image = new Image({ layout: [...LAYOUT, [4, 0]] });
    image.type(20, "new", 0, [0]);
    const unknown = Btf.parse(image.bytes());
    expect(() => encode(unknown, { endian: "big" })).toThrow(expect.objectContaining({ code: "ERR_UNSUPPORTED" }));
    expect(encode(unknown)).toEqual(image.bytes());
  });
});
