// Lookup and search by name against a plain scan of all names.
import { Btf, KINDS } from "btfkit";
import { openFile } from "btfkit/node";
import { describe, expect, test } from "vitest";
import { Image, INT, STRUCT } from "../support/image.js";
import { seeded } from "../support/random.js";

describe("a real kernel", () => {
  const btf = openFile("test/data/vmlinux-6.1-cloud-amd64.btf.gz");
  const names = Array.from({ length: btf.size }, (_, id) => btf.nameAt(id));
  names[0] = "";

  test("find and findAll of every name", () => {
    const byName = new Map<string, number[]>();
    names.forEach((name, id) => {
      if (name) byName.set(name, [...(byName.get(name) ?? []), id]);
    });
    for (const [name, ids] of byName) {
      expect(btf.findAll(name).map(({ id }) => id)).toEqual(ids);
      expect(btf.find(name)?.id).toBe(ids[0]);
    }
    expect(btf.find("no_such_name")).toBeUndefined();
    expect(btf.find("")).toBeUndefined();
    expect(btf.find("int\0")).toBeUndefined();
    expect(btf.find("void")?.id).toBe(0);
  });

  test("substring and prefix", () => {
    const random = seeded("search");
    const patterns = ["e", "_", "sk", "task_struct", "__x64_sys_", "zzzz"];
    while (patterns.length < 60) {
      const name = names[random(names.length)]!;
      const from = random(name.length + 1);
      if (name) patterns.push(name.slice(from, from + 1 + random(9)) || name);
    }
    for (const pattern of patterns) {
      const holding = names.flatMap((name, id) => (name.includes(pattern) ? [id] : []));
      const starting = names.flatMap((name, id) => (name.startsWith(pattern) ? [id] : []));
      expect([...btf.searchIds(pattern)]).toEqual(holding);
      expect([...btf.searchIds(pattern, { match: "prefix" })]).toEqual(starting);
      const structs = holding.filter((id) => btf.kindAt(id) === "struct");
      expect([...btf.searchIds(pattern, { kind: "struct" })]).toEqual(structs);
      expect([...btf.searchIds(pattern, { limit: 3 })]).toEqual(holding.slice(0, 3));
    }
    expect(btf.searchIds("").length).toBe(names.filter(Boolean).length);
  });

  test("idsOfKind", () => {
    for (const kind of KINDS.slice(1)) {
      const ids = names.flatMap((_, id) => (id > 0 && btf.kindAt(id) === kind ? [id] : []));
      expect([...btf.idsOfKind(kind)]).toEqual(ids);
    }
  });

  test("require names what is spelled alike", () => {
    expect(() => btf.require("task_strct", "struct")).toThrow(/did you mean "task_struct"/);
  });
});

describe("made images", () => {
  test("names at every distance from the 64-byte blocks, offsets inside strings", () => {
    for (let shift = 0; shift < 130; shift++) {
      const image = new Image();
      image.int("p".repeat(shift + 1));
      image.int("needle_in_the_hay");
      const btf = ((bytes) => Btf.parse(bytes))(image.bytes());
      expect([...btf.searchIds("needle")]).toEqual([2]);
      expect([...btf.searchIds("hay")]).toEqual([2]);
      expect([...btf.searchIds("hay", { match: "prefix" })]).toEqual([]);
      expect([...btf.searchIds("p_needle")]).toEqual([]);
    }
    // A name offset may point into another name.
    const image = new Image();
    image.int("struct_name");
    image.int("x");
    const bytes = image.bytes();
    new DataView(bytes.buffer).setUint32(24 + 16, image.string("struct_name") + 7, true);
    const btf = Btf.parse(bytes);
    expect(btf.nameAt(2)).toBe("name");
    expect([...btf.searchIds("str")]).toEqual([1]);
    expect([...btf.searchIds("nam")]).toEqual([1, 2]);
    expect([...btf.searchIds("nam", { match: "prefix" })]).toEqual([2]);
    expect(btf.find("name")?.id).toBe(2);
  });

  test("splits of splits: the base's names and ids first", () => {
    const lowest = new Image();
    lowest.int("alpha");
    const middle = new Image({ base: lowest });
    middle.composite(STRUCT, "alphabet", 4, [["alpha", 1, 0]]);
    const top = new Image({ base: middle });
    top.type(INT, "alpha", 8, [64]);
    top.int("beta");
    const btf = Btf.parse(lowest.bytes()).split(middle.bytes()).split(top.bytes());
    expect(btf.findAll("alpha").map(({ id }) => id)).toEqual([1, 3]);
    expect(btf.find("alpha", "int")?.id).toBe(1);
    expect([...btf.searchIds("alpha")]).toEqual([1, 2, 3]);
    expect([...btf.searchIds("alpha", { own: true })]).toEqual([3]);
    expect([...btf.searchIds("alpha", { limit: 2 })]).toEqual([1, 2]);
    expect([...btf.idsOfKind("int")]).toEqual([1, 3, 4]);
    expect(btf.base?.base?.size).toBe(2);
  });

  test("the first lookups, which scan, find what the later ones find in the table", () => {
    const lowest = new Image();
    lowest.int("name");
    lowest.int("surname");
    lowest.int("name_of");
    lowest.int("é".repeat(250));
    const top = new Image({ base: lowest });
    top.type(INT, "name", 8, [64]);
    top.type(INT, "surname", 8, [64]);
    for (const name of ["name", "surname", "ame", "name_", "e\0", "", "é".repeat(250), "n".repeat(511)]) {
      const btf = Btf.parse(lowest.bytes()).split(top.bytes());
      const found = Array.from({ length: 4 }, () => btf.findAll(name).map(({ id }) => id));
      expect([name, found]).toEqual([name, Array(4).fill(found[3])]);
      if (name === "name") expect(found[0]).toEqual([1, 5]);
    }
  });

  test("very long names differ behind their first 512 bytes", () => {
    const image = new Image();
    const long = "n".repeat(600);
    image.int(`${long}a`);
    image.int(`${long}b`);
    const btf = Btf.parse(image.bytes());
    expect(btf.find(`${long}b`)?.id).toBe(2);
    expect(btf.find(`${long}c`)).toBeUndefined();
  });
});
