// Text through a bounded window: any length of name, every way to take it.
import { Btf, type Dump, dumpJson, dumpRaw } from "btfkit";
import { openFile } from "btfkit/node";
import { describe, expect, test } from "vitest";
import { ENUM, everyKind, Image, LAYOUT, STRUCT } from "../support/image.js";

function bytesOf(dump: Dump): Buffer {
  const chunks: Buffer[] = [];
  dump.drain((chunk) => chunks.push(Buffer.from(chunk)));
  return Buffer.concat(chunks);
}

describe("names of any length and content", () => {
  test("longer than the window, in every place", () => {
    for (const length of [255_000, 262_144, 300_000, 1_500_000]) {
      const image = new Image();
      const name = "x".repeat(length);
      image.int("int");
      image.composite(STRUCT, name, 4, [
        [`${name}a`, 1, 0],
        ["b", 1, 0],
      ]);
      const variable = image.variable(`${name}v`, 1);
      image.datasec(".data", 4, [[variable, 0, 4]]);
      const btf = Btf.parse(image.bytes());
      const raw = dumpRaw(btf).text().split("\n");
      expect(raw[1]).toBe(`[2] STRUCT '${name}' size=4 vlen=2`);
      expect(raw[2]).toBe(`\t'${name}a' type_id=1 bits_offset=0`);
      expect(raw[6]).toBe(`\ttype_id=3 offset=0 size=4 (VAR '${name}v')`);
      const { types } = JSON.parse(dumpJson(btf).text()) as { types: { name: string }[] };
      expect(types.map((type) => type.name.length)).toEqual([3, length, length + 1, 5]);
    }
  });

  test("lines that end at every place around the window's end", () => {
    // The same text whatever lies before it: one long name moves all lines along.
    for (let shift = 0; shift < 40; shift++) {
      const image = new Image();
      image.int("i".repeat(260_900 + shift * 7));
      for (let i = 0; i < 60; i++)
        image.enumeration(`e${i}`, [
          [`V${i}`, i],
          [`W${i}`, 2 ** 32 - 1],
        ]);
      const btf = Btf.parse(image.bytes());
      const lines = dumpRaw(btf).text().split("\n").slice(1);
      expect(lines.slice(0, -1)).toEqual(
        Array.from({ length: 60 }, (_, i) => [
          `[${i + 2}] ENUM 'e${i}' encoding=UNSIGNED size=4 vlen=2`,
          `\t'V${i}' val=${i}`,
          `\t'W${i}' val=4294967295`,
        ]).flat(),
      );
      expect((JSON.parse(dumpJson(btf).text()) as { types: unknown[] }).types.length).toBe(61);
    }
  });

  test("JSON escapes the seven characters that bpftool escapes, all else goes out raw", () => {
    const image = new Image();
    image.int('a"b\\c\td\ne\rf\fg\bh\x01\x7fé');
    const { types } = JSON.parse(dumpJson(Btf.parse(image.bytes())).text().replace("\x01", "\\u0001")) as {
      types: { name: string }[];
    };
    expect(types[0]!.name).toBe('a"b\\c\td\ne\rf\fg\bh\x01\x7fé');
    expect(bytesOf(dumpJson(Btf.parse(image.bytes()))).includes(1)).toBe(true);
  });
});

test("numbers on the edges", () => {
  const image = new Image();
  image.enumeration(
    "u",
    [0, 9, 10, 99, 100, 12345, 999_999, 1_000_000, 2 ** 31, 2 ** 32 - 1].map((v, i) => [`v${i}`, v]),
  );
  image.enumeration(
    "s",
    [
      ["min", 2 ** 31],
      ["minus", -1],
      ["max", 2 ** 31 - 1],
    ],
    4,
    true,
  );
  const wide = [0n, 10n ** 9n - 1n, 10n ** 9n, 4294967296n, 10n ** 18n, 10n ** 18n + 7n, 2n ** 63n, 2n ** 64n - 1n];
  image.enumeration64(
    "u64",
    wide.map((v, i) => [`w${i}`, v]),
  );
  image.enumeration64(
    "s64",
    [
      ["min", 2n ** 63n],
      ["minus", 2n ** 64n - 1n],
    ],
    true,
  );
  const btf = Btf.parse(image.bytes());
  const values = [
    ...dumpRaw(btf)
      .text()
      .matchAll(/val=(\S+)/g),
  ].map(([, value]) => value);
  expect(values.slice(0, 13).join(" ")).toBe(
    "0 9 10 99 100 12345 999999 1000000 2147483648 4294967295 -2147483648 -1 2147483647",
  );
  expect(values.slice(13)).toEqual([...wide.map((v) => `${v}ULL`), "-9223372036854775808LL", "-1LL"]);
  // bpftool widens an unsigned 32-bit enumerator as signed.
  expect(dumpJson(btf).text()).toContain('"name":"v9","val":18446744073709551615');
});

test("unknown kinds, void and an empty image", () => {
  const image = new Image({ layout: [...LAYOUT, [4, 8]] });
  image.type(20, "novel", 7, [1, 2, 3, 4, 5], 2);
  const btf = Btf.parse(image.bytes());
  expect(dumpRaw(btf).text()).toBe("[1] UNKNOWN 'novel'\n");
  expect(btf.get(1)).toMatchObject({ kind: "unknown", kindNumber: 20, sizeOrType: 7, vlen: 2 });
  expect(dumpRaw(btf, { types: [0] }).text()).toBe("[0] UNKNOWN '(anon)'\n");
  const empty = Btf.parse(new Image().bytes());
  expect(dumpRaw(empty).text()).toBe("");
  expect(dumpJson(empty).text()).toBe('{"types":[]}\n');
  expect(dumpJson(empty, { pretty: true }).text()).toBe('{\n    "types": []\n}\n');
});

describe("ways to take a text", () => {
  const btf = openFile("test/data/vmlinux-6.1-cloud-amd64.btf.gz");

  test("string, chunks and stream are the same", async () => {
    const text = dumpRaw(btf).text();
    const chunks: Uint8Array[] = [];
    for await (const chunk of dumpRaw(btf)) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString() === text).toBe(true);
    const { readable, writable } = new TransformStream<Uint8Array>();
    const [read] = await Promise.all([new Response(readable).text(), dumpRaw(btf).pipeTo(writable)]);
    expect(read === text).toBe(true);
  });

  test("two dumps of one image by turns, with lookups between", async () => {
    const [a, b] = [dumpRaw(btf)[Symbol.asyncIterator](), dumpJson(btf)[Symbol.asyncIterator]()];
    let [raw, json] = [0, 0];
    for (let open = 2; open > 0; ) {
      const [one, two] = [await a.next(), await b.next()];
      raw += one.value?.length ?? 0;
      json += two.value?.length ?? 0;
      btf.find("sk_buff");
      open = (one.done ? 0 : 1) + (two.done ? 0 : 1);
    }
    expect([raw, json]).toEqual([9_065_821, 13_281_769]);
  });

  test("a signal stops it, progress is told", async () => {
    const stop = new AbortController();
    const seen: number[] = [];
    const dump = dumpRaw(btf, {
      signal: stop.signal,
      onProgress: (done, total) => {
        seen.push(done);
        expect(total).toBe(95_068);
        if (seen.length === 3) stop.abort();
      },
    });
    await expect(
      (async () => {
        for await (const chunk of dump) expect(chunk.length).toBeGreaterThan(0);
      })(),
    ).rejects.toThrow(/abort/i);
    expect(seen.length).toBe(3);
    expect(seen).toEqual([...seen].sort((x, y) => x - y));
  });

  test("a stream that fails ends it", async () => {
    const failing = new WritableStream<Uint8Array>({ write: () => Promise.reject(new Error("disk full")) });
    await expect(dumpRaw(btf).pipeTo(failing)).rejects.toThrow("disk full");
  });

  test("chosen types, in their order, as views or ids", () => {
    const small = Btf.parse(everyKind().bytes());
    const text = dumpRaw(small, { types: [small.require("color"), 1] }).text();
    expect(text).toBe(
      `[${ENUM}] ENUM 'color' encoding=SIGNED size=4 vlen=2\n\t'RED' val=0\n\t'BLUE' val=-1\n[1] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED\n`,
    );
  });
});
