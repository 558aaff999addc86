// Shallow identities: the kernel's against a plain recursion, for every type of every kernel and module of the corpus.
import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { Btf } from "btfkit";
import { diff, identities } from "btfkit/inspect";
import { describe, expect, test } from "vitest";
import { everyKind, FWD, Image, STRUCT } from "../support/image.js";
import { corpusPath, needing } from "../support/needs.js";
import { PlainIdentities } from "../support/plain-identities.js";

/** Ids whose identity is another one than the plain recursion's. */
function different(btf: Btf, plain: PlainIdentities): number[] {
  const ours = identities(btf);
  const ids = Array.from({ length: plain.idLimit - plain.firstId }, (_, i) => plain.firstId + i);
  expect(btf.size).toBe(plain.idLimit);
  return ids.filter((id) => ours.of(id) !== plain.of(id));
}

const unpacked = (path: string): Uint8Array<ArrayBuffer> => {
  const bytes = readFileSync(path);
  return new Uint8Array(path.endsWith(".gz") ? gunzipSync(bytes) : bytes);
};

const compareAll = (bytes: Uint8Array<ArrayBuffer>): void =>
  expect(different(Btf.parse(bytes), new PlainIdentities(bytes))).toEqual([]);

describe("identities are those of a plain recursion", () => {
  test("of the kernel that is at hand", () => compareAll(unpacked("test/data/vmlinux-6.1-cloud-amd64.btf.gz")));

  for (const name of ["6.1-i386", "6.12-armhf-layout", "6.12-s390x"]) {
    needing("the corpus in ../shared")(`of ${name}`, () => compareAll(unpacked(corpusPath(`vmlinux/${name}.btf.gz`))));
  }

  needing("the corpus in ../shared")("of the series", () => {
    for (const file of readdirSync(corpusPath("series"))) compareAll(unpacked(corpusPath(`series/${file}`)));
  });

  for (const kernel of ["6.12-amd64", "6.12-s390x"]) {
    needing("the corpus in ../shared")(`of ${kernel} and its modules`, () => {
      const bytes = unpacked(corpusPath(`vmlinux/${kernel}.btf.gz`));
      const [base, plain] = [Btf.parse(bytes), new PlainIdentities(bytes)];
      expect(different(base, plain)).toEqual([]);
      for (const file of readdirSync(corpusPath("modules"))) {
        if (!file.startsWith(kernel) || !file.endsWith(".btf.gz")) continue;
        const split = unpacked(corpusPath(`modules/${file}`));
        expect(different(base.split(split), new PlainIdentities(split, plain)), file).toEqual([]);
      }
    });
  }

  for (const endian of ["little", "big"] as const) {
    test(`of every kind, ${endian}-endian`, () => compareAll(everyKind({ endian }).bytes()));
  }

  test("of more members than 16 bits count", () => {
    const members = (count: number) => {
      const image = new Image();
      const int = image.int("int");
      image.composite(
        STRUCT,
        "wide",
        count * 4,
        Array.from({ length: count }, (_, i) => ["", int, i * 32]),
        false,
      );
      return image.bytes();
    };
    compareAll(members(70_000));
  });
});

/** As many declarations as the name of one has characters, each with its tail as a name. */
function tails(count: number): Uint8Array<ArrayBuffer> {
  const image = new Image();
  const name = image.string("a".repeat(count));
  for (let i = 0; i < count; i++) image.ref(FWD, 0);
  const bytes = image.bytes();
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < count; i++) view.setUint32(image.typesStart + i * 12, name + i, true);
  return bytes;
}

describe("names that lie inside of one another", () => {
  test("a few thousand are hashed", () => compareAll(tails(1000)));

  test("more are refused, at once", () => {
    const btf = Btf.parse(tails(200_000));
    expect(() => identities(btf)).toThrow(expect.objectContaining({ code: "ERR_WORK" }));
    expect(() => diff(btf, btf)).toThrow(expect.objectContaining({ code: "ERR_WORK" }));
  });
});
