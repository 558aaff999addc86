// Memory: reuse, bounds, and what happens when there is not enough of it.
import { mkdtempSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Btf, BtfError, dumpRaw } from "btfkit";
import { openFile } from "btfkit/node";
import { describe, expect, test } from "vitest";
import { everyKind, Image, STRUCT } from "../support/image.js";

/** What the tests look at behind the public face. */
interface Inside {
  readonly image: {
    readonly arena: {
      readonly bytes: Uint8Array;
      run(call: (kernel: { scan(image: number): number }) => unknown): unknown;
    };
  };
}

const isJs = process.env["BTFKIT_KERNEL"] === "js";

const inside = (btf: Btf): Inside["image"] => (btf as unknown as Inside).image;

describe("disposal", () => {
  test("hands the memory to the next one", () => {
    const first = Btf.parse(everyKind().bytes());
    const { buffer } = inside(first).arena.bytes;
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    expect(inside(Btf.parse(everyKind().bytes())).arena.bytes.buffer).toBe(buffer);
  });

  test("refuses use afterwards, of views and splits too, even if the memory is in use again", () => {
    const base = everyKind();
    const btf = Btf.parse(base.bytes());
    const struct = btf.require("point", "struct");
    const split = btf.split(new Image({ base }).bytes());
    btf[Symbol.dispose]();
    Btf.parse(everyKind({ endian: "big" }).bytes());
    const uses: (() => unknown)[] = [
      () => struct.byteSize,
      () => struct.members,
      () => btf.get(1),
      () => btf.find("int"),
      () => btf.nameAt(1),
      () => btf.kindAt(1),
      () => btf.searchIds("i"),
      () => dumpRaw(btf).text(),
      () => btf.split(new Image().bytes()),
      () => split.find("int"),
      () => [...split.types()],
    ];
    for (const use of uses) expect(use).toThrow(expect.objectContaining({ code: "ERR_DISPOSED" }));
  });

  test("of a split leaves the base open", () => {
    const base = everyKind();
    const btf = Btf.parse(base.bytes());
    const split = btf.split(new Image({ base }).bytes());
    split[Symbol.dispose]();
    expect(() => split.find("int")).toThrow(expect.objectContaining({ code: "ERR_DISPOSED" }));
    expect(btf.find("int")?.id).toBe(1);
  });

  test("between two chunks ends a dump", async () => {
    const btf = openFile("test/data/vmlinux-6.1-cloud-amd64.btf.gz");
    const chunks = dumpRaw(btf)[Symbol.asyncIterator]();
    await chunks.next();
    btf[Symbol.dispose]();
    await expect(chunks.next()).rejects.toMatchObject({ code: "ERR_DISPOSED" });
  });
});

describe("bounds", () => {
  test("an open kernel takes its size and 1.5 MB", () => {
    const btf = openFile("test/data/vmlinux-6.1-cloud-amd64.btf.gz");
    expect(inside(btf).arena.bytes.length).toBeLessThan(btf.byteLength + 1.5e6);
  });

  test("dumps and searches give their memory back", () => {
    const btf = openFile("test/data/vmlinux-6.1-cloud-amd64.btf.gz");
    // The third lookup builds the table of names.
    for (const name of ["task_struct", "sk_buff", "inode"]) btf.find(name);
    dumpRaw(btf).drain(() => {});
    btf.searchIds("a");
    const before = inside(btf).arena.bytes.length;
    for (let i = 0; i < 20; i++) {
      dumpRaw(btf, { types: [1, 2, 3] }).text();
      btf.searchIds("a");
      btf.find(`missing${i}`);
    }
    expect(inside(btf).arena.bytes.length).toBe(before);
  });

  // An address of kernels that are JavaScript has a sign.
  test("more than a memory can be is refused", () => {
    const path = join(mkdtempSync(join(tmpdir(), "btfkit-")), "huge.btf");
    writeFileSync(path, everyKind().bytes());
    truncateSync(path, isJs ? 2.2e9 : 5e9);
    expect(() => openFile(path)).toThrow(expect.objectContaining({ code: "ERR_MEMORY", name: "BtfLimitError" }));
  });

  test("a text longer than a string can be is refused, its chunks are not", () => {
    const image = new Image();
    image.int("int");
    const name = "n".repeat(1 << 20);
    image.composite(
      STRUCT,
      "s",
      4,
      Array.from({ length: 600 }, () => [name, 1, 0] as const),
    );
    const btf = Btf.parse(image.bytes());
    expect(() => dumpRaw(btf).text()).toThrow(expect.objectContaining({ code: "ERR_TEXT_LENGTH" }));
    let length = 0;
    dumpRaw(btf).drain((chunk) => (length += chunk.length));
    expect(length).toBeGreaterThan(600 * name.length);
  });
});

test("after a trap nothing of the family is trusted", () => {
  const btf = Btf.parse(everyKind().bytes());
  // Nothing traps in JavaScript but what throws.
  const trap = (kernel: { scan(image: number): number }) => {
    kernel.scan(0xfffffff0);
    if (isJs) throw new RangeError();
  };
  expect(() => inside(btf).arena.run(trap)).toThrow(
    expect.objectContaining({ code: "ERR_INTERNAL", name: "BtfInternalError" }),
  );
  expect(() => btf.get(1)?.name).toThrow(expect.objectContaining({ code: "ERR_INTERNAL" }));
  expect(() => Btf.parse(new Uint8Array(3))).toThrow(BtfError);
  expect(Btf.parse(everyKind().bytes()).size).toBe(20);
});
