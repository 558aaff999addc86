// Deduplication: byte for byte libbpf's on kernels, modules and objects; on
// small random graphs the largest number of merges that a plain definition of
// equality allows, and never one more.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { Btf, BtfError, type BtfType, dumpRaw } from "btfkit";
import { dedup, encode, merge } from "btfkit/edit";
import { openFile } from "btfkit/node";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as image from "../support/image.js";
import { Image } from "../support/image.js";
import { nativeProgram } from "../support/native.js";
import { corpusPath, needing } from "../support/needs.js";

const folder = mkdtempSync(join(tmpdir(), "btfkit-"));

/** What libbpf makes of the files. */
function native(files: readonly string[], ...options: string[]): Buffer {
  const out = join(folder, "native.btf");
  execFileSync(nativeProgram("dedup"), [...options, out, ...files]);
  return readFileSync(out);
}

function unpacked(path: string): string {
  const to = join(folder, path.replaceAll("/", "_").replace(/\.gz$/, ""));
  if (!existsSync(to)) writeFileSync(to, gunzipSync(readFileSync(path)));
  return to;
}

/** Every old type is its new one, with ids mapped; a declaration may have become its definition. */
function checkMap(from: Btf, to: Btf, map: Uint32Array): void {
  const ids = (type: BtfType): number[] => {
    switch (type.kind) {
      case "struct":
      case "union":
        return type.members.map(({ typeId }) => typeId);
      case "func_proto":
        return [type.returnTypeId, ...type.params.map(({ typeId }) => typeId)];
      case "datasec":
        return type.variables.map(({ typeId }) => typeId);
      case "array":
        return [type.elementId, type.indexId];
      case "func":
        return [type.protoId];
      case "var":
        return [type.typeId];
      default:
        return "targetId" in type ? [type.targetId] : [];
    }
  };
  expect(map.length).toBe(from.size);
  for (let id = 1; id < from.size; id++) {
    const [old, made] = [from.get(id)!, to.get(map[id]!)!];
    if (old.name !== made.name) throw new Error(`type ${id} "${old.name}" became ${map[id]} "${made.name}"`);
    if (old.kind === "fwd" && made.kind === old.forwardKind) continue;
    if (old.kind === "enum" && old.vlen === 0 && /^enum/.test(made.kind)) continue;
    const expected = ids(old).map((one) => map[one]);
    if (old.kind !== made.kind || old.vlen !== made.vlen || ids(made).join() !== expected.join()) {
      throw new Error(`type ${id} (${old.kind} "${old.name}") became ${map[id]} (${made.kind})`);
    }
  }
}

describe("goldens of libbpf 1.8", () => {
  const path = corpusPath("golden/dedup.json");
  interface Case {
    readonly inputs: readonly string[];
    readonly types_out: number;
    readonly bytes_out: number;
    readonly sha256: string;
  }
  const { cases } = existsSync(path)
    ? (JSON.parse(readFileSync(path, "utf8")) as { cases: Case[] })
    : { cases: [{ inputs: ["corpus"], types_out: 0, bytes_out: 0, sha256: "" }] };
  for (const { inputs, types_out, bytes_out, sha256 } of cases) {
    needing("the corpus in ../shared")(inputs.join(" and "), () => {
      const objects = readdirSync(corpusPath("objects")).filter((name) => name.startsWith("lt026-"));
      const paths =
        inputs.length === 1 ? objects.sort().map((name) => `objects/${name}`) : inputs.map((name) => `${name}.btf.gz`);
      const files = paths.map((name) => openFile(corpusPath(name)));
      const { btf, maps } = merge(files);
      const bytes = encode(btf, { header: 32 });
      expect([btf.size - 1, bytes.length]).toEqual([types_out, bytes_out]);
      expect(createHash("sha256").update(bytes).digest("hex")).toBe(sha256);
      files.forEach((file, i) => checkMap(file, btf, maps[i]!));
    });
  }
});

describe("libbpf on this machine", () => {
  const kernel = "test/data/vmlinux-6.1-cloud-amd64.btf.gz";

  needing("gcc and libbpf-dev")("a kernel with itself", () => {
    const file = unpacked(kernel);
    const btf = openFile(file);
    const made = merge([btf, btf]);
    expect(Buffer.from(encode(made.btf)).equals(native([file, file]))).toBe(true);
    for (const map of made.maps) checkMap(btf, made.btf, map);
  });

  needing("gcc and libbpf-dev", "the running kernel's BTF")("a kernel with the running one", () => {
    const files = [unpacked(kernel), "/sys/kernel/btf/vmlinux"];
    const inputs = files.map((file) => openFile(file));
    const made = merge(inputs);
    const theirs = Btf.parse(native(files));
    expect(made.btf.size).toBeLessThanOrEqual(theirs.size);
    inputs.forEach((input, i) => checkMap(input, made.btf, made.maps[i]!));
  });

  for (const names of [
    ["live", "6.12-amd64", "6.1-cloud-amd64"],
    ["6.12-amd64", "6.1-cloud-amd64", "6.12-s390x", "live"],
    ["6.1-cloud-amd64", "6.12-s390x", "6.1-i386", "6.12-amd64"],
  ]) {
    const title = `${names.join(", ")}: no more types, in any order as many`;
    needing(
      "gcc and libbpf-dev",
      "the corpus in ../shared",
      "the running kernel's BTF",
    )(title, () => {
      const files = names.map((name) =>
        name === "live" ? "/sys/kernel/btf/vmlinux" : unpacked(corpusPath(`vmlinux/${name}.btf.gz`)),
      );
      const inputs = files.map((file) => openFile(file));
      const made = merge(inputs);
      inputs.forEach((input, i) => checkMap(input, made.btf, made.maps[i]!));
      expect(made.btf.size).toBeLessThanOrEqual(Btf.parse(native(files)).size);
      expect(merge(inputs.toReversed()).btf.size).toBe(made.btf.size);
    });
  }

  for (const module of ["xfs", "btrfs", "kvm", "nf_conntrack", "veth", "dummy", "cast_common"]) {
    needing("gcc and libbpf-dev", "the corpus in ../shared")(`module ${module} on its base`, () => {
      const base = unpacked(corpusPath("vmlinux/6.12-amd64.btf.gz"));
      const file = unpacked(corpusPath(`modules/6.12-amd64-${module}.btf.gz`));
      const split = openFile(file, { base: openFile(base) });
      const made = dedup(split);
      expect(Buffer.from(encode(made.btf)).equals(native([file], "--base", base))).toBe(true);
      expect(made.btf.base).toBe(split.base);
      checkMap(split, made.btf, made.map);
    });
  }

  for (const object of [
    "lt026-execsnoop",
    "lt026-biolatency",
    "lt026-klockstat",
    "xdp-dispatcher",
    "lt026-tcptracer",
  ]) {
    needing("gcc and libbpf-dev", "the corpus in ../shared")(`${object} with its .BTF.ext`, () => {
      const [before, out, after] = ["ext", "btf", "ext2"].map((name) => join(folder, name)) as [string, string, string];
      const path = corpusPath(`objects/${object}.bpf.o`);
      execFileSync(nativeProgram("dedup"), ["--ext", before, out, after, path]);
      const { btf, ext } = dedup(openFile(path), { ext: readFileSync(before) });
      expect(Buffer.from(encode(btf)).equals(readFileSync(out))).toBe(true);
      expect(Buffer.from(ext!).equals(readFileSync(after))).toBe(true);
    });
  }
});

/** A type of a random graph: kind, name, and what it refers to. */
interface Node {
  readonly kind: number;
  readonly name: string;
  readonly refs: readonly number[];
  readonly extra: number;
}

const { PTR, CONST, ARRAY, STRUCT, TYPEDEF, INT, FUNC_PROTO, UNION, VOLATILE, TYPE_TAG } = image;

const node: fc.Arbitrary<Node> = fc.record({
  kind: fc.constantFrom(PTR, PTR, CONST, ARRAY, STRUCT, STRUCT, UNION, TYPEDEF, INT, FUNC_PROTO, VOLATILE, TYPE_TAG),
  name: fc.constantFrom("a", "b"),
  refs: fc.array(fc.nat(1000), { maxLength: 3 }),
  extra: fc.nat(1),
});

function addNode(to: Image, { kind, name, refs, extra }: Node, pick: (n: number) => number): void {
  const ref = (i: number): number => (refs.length ? pick(refs[i % refs.length]!) : 0);
  if (kind === INT) to.int(name, 4, extra);
  else if (kind === ARRAY) to.array(ref(0), ref(1), extra);
  else if (kind === FUNC_PROTO)
    to.proto(
      ref(0),
      refs.map((n) => [name, pick(n)]),
    );
  else if (kind === STRUCT || kind === UNION) {
    to.composite(
      kind,
      extra ? name : "",
      8,
      refs.map((n, i) => [name, pick(n), kind === UNION ? 0 : 64 * i]),
    );
  } else to.ref(kind, ref(0), kind === TYPEDEF || kind === TYPE_TAG ? name : "");
}

/** Classes of equal types by definition: split until nothing splits any more. */
function plainClasses(btf: Btf): number[] {
  const own = (id: number): string => {
    const {
      targetId,
      returnTypeId,
      members,
      params,
      elementId,
      indexId,
      id: _,
      ...rest
    } = JSON.parse(JSON.stringify(btf.get(id)));
    return JSON.stringify([
      rest,
      members?.map((m: { name: string; bitOffset: number }) => [m.name, m.bitOffset]),
      params?.map((p: { name: string }) => p.name),
    ]);
  };
  const refs = (id: number): number[] => {
    const t = JSON.parse(JSON.stringify(btf.get(id))) as Record<string, never>;
    const list = (of?: { typeId: number }[]): number[] => (of ?? []).map(({ typeId }) => typeId);
    return [t["targetId"], t["returnTypeId"], t["elementId"], t["indexId"]]
      .filter((n) => n !== undefined)
      .concat(list(t["members"]) as never, list(t["params"]) as never);
  };
  const all = Array.from({ length: btf.size }, (_, id) => id);
  const shapes = all.map(own);
  const links = all.map(refs);
  let classes = all.map((id) => shapes.indexOf(shapes[id]!));
  for (;;) {
    const keys = all.map((id) => `${classes[id]}:${links[id]!.map((to) => classes[to]).join()}`);
    const next = all.map((id) => keys.indexOf(keys[id]!));
    if (next.join() === classes.join()) return classes;
    classes = next;
  }
}

describe("random graphs", () => {
  test("merge all that is equal and nothing else, cycles too", () => {
    let refused = 0;
    fc.assert(
      fc.property(fc.array(node, { minLength: 1, maxLength: 14 }), fc.nat(2), (nodes, copies) => {
        const made = new Image();
        for (let copy = 0; copy <= copies; copy++) {
          for (const one of nodes)
            addNode(made, one, (n) => (n % (nodes.length + 1) ? (n % (nodes.length + 1)) + copy * nodes.length : 0));
        }
        const btf = Btf.parse(made.bytes());
        let result: ReturnType<typeof dedup>;
        try {
          result = dedup(btf);
        } catch (error) {
          expect(error).toMatchObject({ code: "ERR_DEDUP_LOOP", name: "BtfFormatError" });
          refused++;
          return;
        }
        const classes = plainClasses(btf);
        // Two types have one new id if, and only if, they are in one class.
        const merged = classes.map((_, id) => result.map.indexOf(result.map[id]!));
        expect(merged).toEqual(classes);
        expect(result.btf.size).toBe(new Set(classes).size);
        checkMap(btf, result.btf, result.map);
      }),
      { numRuns: 3000, seed: 7 },
    );
    expect(refused).toBeGreaterThan(100);
  });

  test("deduplicating again changes nothing", () => {
    fc.assert(
      fc.property(fc.array(node, { maxLength: 20 }), (nodes) => {
        const made = new Image();
        for (const one of nodes) addNode(made, one, (n) => n % (nodes.length + 1));
        try {
          const { btf } = dedup(Btf.parse(made.bytes()));
          expect(encode(dedup(btf).btf)).toEqual(encode(btf));
        } catch (error) {
          expect((error as BtfError).code).toBe("ERR_DEDUP_LOOP");
        }
      }),
      { numRuns: 1000, seed: 8 },
    );
  });
});

describe("forward declarations", () => {
  const build = (make: (to: Image) => void): Btf => {
    const made = new Image();
    make(made);
    return Btf.parse(made.bytes());
  };
  const kinds = (btf: Btf): string[] => [...btf].map(({ kind, name }) => `${kind} ${name}`);

  test("become the one definition of their name and kind", () => {
    const one = build((to) => {
      to.ref(image.FWD, 0, "x");
      to.ref(PTR, 1);
      to.ref(image.FWD, 0, "u", true);
      to.enumeration("e", []);
    });
    const two = build((to) => {
      to.composite(STRUCT, "x", 4, []);
      to.composite(UNION, "u", 4, []);
      to.enumeration64("e", [["A", 1n]]);
      to.ref(PTR, 1);
    });
    const { btf, maps } = merge([one, two]);
    expect(kinds(btf)).toEqual(["ptr ", "struct x", "union u", "enum64 e"]);
    expect([...maps[0]!]).toEqual([0, 2, 1, 3, 4]);
  });

  test("stay what they are where definitions differ, or have another kind", () => {
    const one = build((to) => {
      to.ref(image.FWD, 0, "x");
      to.ref(image.FWD, 0, "y", true);
    });
    const two = build((to) => {
      to.composite(STRUCT, "x", 4, []);
      to.composite(STRUCT, "x", 8, []);
      to.composite(STRUCT, "y", 8, []);
    });
    expect(merge([one, two, one]).btf.size).toBe(6);
  });

  test("of several definitions take the one that an equal struct refers to", () => {
    const user = (to: Image, target: number): void => {
      to.ref(PTR, target);
      to.composite(STRUCT, "user", 8, [["p", to.nextId - 1, 0]]);
    };
    const declares = build((to) => user(to, to.ref(image.FWD, 0, "x")));
    const small = build((to) => to.composite(STRUCT, "x", 4, []));
    const large = build((to) => user(to, to.composite(STRUCT, "x", 8, [])));
    const { btf, maps } = merge([declares, small, large]);
    expect(btf.get(maps[0]![1]!)).toMatchObject({ kind: "struct", byteSize: 8 });
    expect(maps[0]![3]).toBe(maps[2]![3]);
    expect(btf.size).toBe(5);
  });

  test("take none where the struct that asks for it differs elsewhere", () => {
    const user = (to: Image, x: number, y: number): void => {
      to.ref(PTR, x);
      to.ref(PTR, y);
      to.composite(STRUCT, "user", 16, [
        ["p", to.nextId - 2, 0],
        ["q", to.nextId - 1, 64],
      ]);
    };
    const y = (to: Image, size: number): number => to.composite(STRUCT, "y", size, []);
    const one = build((to) => user(to, to.ref(image.FWD, 0, "x"), y(to, 4)));
    const two = build((to) => user(to, to.composite(STRUCT, "x", 8, []), y(to, 8)));
    const three = build((to) => to.composite(STRUCT, "x", 4, []) && to.ref(image.FWD, 0, "y"));
    const { btf, maps } = merge([one, two, three]);
    expect(btf.get(maps[0]![1]!)?.kind).toBe("fwd");
    expect(btf.get(maps[2]![2]!)?.kind).toBe("fwd");
    expect(btf.findAll("user", "struct").length).toBe(2);
  });
  test("of several definitions take the one that most types ask for", () => {
    const chain = (to: Image, target: number, byteSize: number): void => {
      to.ref(TYPEDEF, target, "x_t");
      to.ref(PTR, to.nextId - 1);
      to.composite(STRUCT, "user", byteSize, [["p", to.nextId - 1, 0]]);
    };
    const narrow = build((to) => chain(to, to.composite(STRUCT, "x", 4, []), 4));
    const wide = build((to) => chain(to, to.composite(STRUCT, "x", 8, []), 8));
    const declares = build((to) => chain(to, to.ref(image.FWD, 0, "x"), 8));
    // The typedef alone could be that of either.
    for (const inputs of [
      [narrow, wide, declares],
      [declares, narrow, wide],
    ]) {
      const { btf, maps } = merge(inputs);
      expect(btf.size).toBe(9);
      expect(btf.get(maps[inputs.indexOf(declares)]![1]!)).toMatchObject({ kind: "struct", byteSize: 8 });
    }
  });

  test("of one struct stand for definitions that belong together", () => {
    const pair = (to: Image, x: number, y: number): void => {
      to.ref(PTR, x);
      to.array(to.ref(PTR, y), 0, 2);
      to.composite(STRUCT, "device", 24, [
        ["x", to.nextId - 3, 0],
        ["y", to.nextId - 1, 64],
      ]);
    };
    const defines = (...sizes: readonly number[]): Btf =>
      build((to) => pair(to, to.composite(STRUCT, "x", sizes[0]!, []), to.composite(STRUCT, "y", sizes[1]!, [])));
    const declares = build((to) => pair(to, to.ref(image.FWD, 0, "x"), to.ref(image.FWD, 0, "y")));
    // More of the others refer to y of the second kind.
    const more = build((to) => {
      to.ref(TYPEDEF, to.composite(STRUCT, "y", 16, []), "y_t");
      to.ref(TYPEDEF, 1, "z_t");
    });
    const { btf, maps } = merge([defines(4, 8), defines(8, 16), more, declares]);
    expect(btf.findAll("device", "struct").length).toBe(2);
    expect(maps[3]!.every((id) => id === 0 || btf.get(id)!.kind !== "fwd")).toBe(true);
  });

  test("are told by anonymous structs too", () => {
    const user = (to: Image, target: number, name: string): void => {
      to.composite(STRUCT, "", 8, [["p", to.ref(PTR, target), 0]]);
      to.composite(STRUCT, name, 8, [["s", to.nextId - 1, 0]]);
    };
    const declares = build((to) => user(to, to.ref(image.FWD, 0, "x"), "one"));
    const small = build((to) => to.composite(STRUCT, "x", 4, []));
    const large = build((to) => user(to, to.composite(STRUCT, "x", 8, []), "other"));
    const { btf, maps } = merge([declares, small, large]);
    expect(btf.get(maps[0]![1]!)).toMatchObject({ kind: "struct", byteSize: 8 });
    expect(btf.size).toBe(7);
  });

  test("stand for definitions that are all equal, though a struct that asks for them differs elsewhere", () => {
    const user = (to: Image, x: number, y: number): void => {
      to.composite(STRUCT, "user", 16, [
        ["x", to.ref(PTR, x), 0],
        ["y", to.ref(PTR, y), 64],
      ]);
    };
    const x = (to: Image, size: number): number => to.composite(STRUCT, "x", size, []);
    const inputs = [
      build((to) => user(to, x(to, 16), to.ref(image.FWD, 0, "y"))),
      build((to) => user(to, x(to, 8), to.composite(STRUCT, "y", 16, []))),
      build((to) => to.composite(STRUCT, "y", 16, []) && to.ref(image.FWD, 0, "x")),
    ];
    const { btf } = merge(inputs);
    expect(btf.findAll("y", "fwd").length).toBe(0);
    expect(btf.findAll("y", "struct").length).toBe(1);
  });

  test("at random become only what they declare", () => {
    const names = ["a", "b", "c"];
    const part = fc.record({
      defined: fc.array(fc.nat(2), { minLength: 3, maxLength: 3 }),
      users: fc.array(fc.tuple(fc.nat(2), fc.nat(2), fc.nat(1)), { maxLength: 5 }),
    });
    fc.assert(
      fc.property(fc.array(part, { minLength: 2, maxLength: 4 }), (parts) => {
        const inputs = parts.map(({ defined, users }) =>
          build((to) => {
            const ids = names.map((name, i) =>
              defined[i] ? to.composite(STRUCT, name, defined[i]! * 8, []) : to.ref(image.FWD, 0, name),
            );
            for (const [x, y, named] of users) {
              to.composite(STRUCT, named ? "user" : "", 16, [
                ["x", to.ref(PTR, ids[x]!), 0],
                ["y", to.ref(PTR, ids[y]!), 64],
              ]);
            }
          }),
        );
        const { btf, maps } = merge(inputs);
        inputs.forEach((input, i) => checkMap(input, btf, maps[i]!));
        for (const name of names) {
          const sizes = new Set(parts.map(({ defined }) => defined[names.indexOf(name)]!).filter((size) => size > 0));
          expect(btf.findAll(name, "struct").length).toBe(sizes.size);
          if (sizes.size === 1) expect(btf.findAll(name, "fwd").length).toBe(0);
        }
      }),
      { numRuns: 1000, seed: 11 },
    );
  });
});

describe("never merged", () => {
  test("variables and sections, enums of the same name and other values, arrays of other lengths", () => {
    const made = new Image();
    for (let i = 0; i < 2; i++) {
      const int = made.int("int");
      const variable = made.variable("v", int);
      made.datasec(".data", 4, [[variable, 0, 4]]);
      made.enumeration("e", [["A", i]]);
      made.array(int, int, i);
    }
    const { btf, map } = dedup(Btf.parse(made.bytes()));
    expect([...map]).toEqual([0, 1, 2, 3, 4, 5, 1, 6, 7, 8, 9]);
    expect(btf.size).toBe(10);
  });
});

describe("merge", () => {
  test("without dedup keeps all types, strings once", () => {
    const btf = Btf.parse(image.everyKind().bytes());
    const { btf: made, maps } = merge([btf, btf], { dedup: false });
    expect(made.size).toBe(39);
    expect(maps[1]![1]).toBe(20);
    checkMap(btf, made, maps[1]!);
  });

  test("of both byte orders, in the first one's", () => {
    const [little, big] = (["little", "big"] as const).map((endian) => Btf.parse(image.everyKind({ endian }).bytes()));
    expect(merge([little!, big!]).btf.size).toBe(22);
    expect(merge([big!, little!]).btf.endian).toBe("big");
    expect(dumpRaw(merge([big!]).btf).text()).toBe(dumpRaw(merge([little!]).btf).text());
  });

  test("of splits on their base, and of nothing", () => {
    const base = image.everyKind();
    const parsed = Btf.parse(base.bytes());
    const split = (): Btf => Btf.parse(base.bytes()).split(image.everyKind({ base }).bytes());
    const { btf } = merge([split(), split(), Btf.parse(image.everyKind().bytes())], { base: parsed });
    // Only variables and sections are left.
    expect([...btf.types({ own: true })].map(({ kind }) => kind)).toEqual([
      "var",
      "datasec",
      "var",
      "datasec",
      "var",
      "datasec",
    ]);
    expect(btf.base).toBe(parsed);
    expect(merge([]).btf.size).toBe(1);
  });

  test("refuses splits on different bases", () => {
    const base = image.everyKind();
    const split = Btf.parse(base.bytes()).split(image.everyKind({ base }).bytes());
    expect(() => merge([split], { base: Btf.parse(new Image().bytes()) })).toThrow(
      expect.objectContaining({ code: "ERR_BUILD_BASE" }),
    );
  });
});

describe("options", () => {
  const btf = Btf.parse(image.everyKind({ layout: image.LAYOUT }).bytes());

  test("header and layout section stay, the input too", () => {
    const before = encode(btf);
    expect(dedup(btf).btf.header).toMatchObject({ headerLength: 32, layoutLength: 80 });
    expect(encode(btf)).toEqual(before);
  });

  test("progress grows to the end; an aborted signal stops", () => {
    const seen: number[] = [];
    dedup(btf, { onProgress: (done, total) => seen.push(done / total) });
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(1);
    expect(() => dedup(btf, { signal: AbortSignal.abort(new Error("enough")) })).toThrow("enough");
  });
});

describe("refuses", () => {
  const refused = (code: string, make: (to: Image) => void, options: image.ImageOptions = {}): BtfError => {
    const made = new Image(options);
    make(made);
    try {
      dedup(Btf.parse(made.bytes()));
    } catch (error) {
      expect(error).toMatchObject({ code });
      expect((error as BtfError).message).not.toMatch(/undefined|NaN|\n/);
      return error as BtfError;
    }
    throw new Error("not refused");
  };

  test("references that lead back to themselves", () => {
    expect(
      refused("ERR_DEDUP_LOOP", (to) => [to.int("int"), to.ref(CONST, 3), to.ref(VOLATILE, 2)]).typeId,
    ).toBeGreaterThan(1);
    refused("ERR_DEDUP_LOOP", (to) => to.ref(PTR, 1));
    refused("ERR_DEDUP_LOOP", (to) => [to.ref(TYPEDEF, 2, "t"), to.ref(CONST, 1)]);
    expect(refused("ERR_DEDUP_LOOP", (to) => to.ref(TYPEDEF, 1, "t")).message).toMatch(/"t" refers to itself/);
    refused("ERR_DEDUP_LOOP", (to) => to.array(1, 0, 1));
  });

  test("a long chain is no loop, and no deep recursion", () => {
    const made = new Image();
    made.int("int");
    for (let i = 0; i < 200_000; i++) made.ref(i % 2 ? CONST : PTR, made.nextId - 1);
    expect(dedup(Btf.parse(made.bytes())).btf.size).toBe(200_002);
  });

  test("kinds it does not know, a return type that does not exist", () => {
    refused("ERR_UNSUPPORTED", (to) => to.type(20, "new", 0), { layout: [...image.LAYOUT, [0, 0]] });
    expect(refused("ERR_BTF_TYPE_ID", (to) => to.proto(7)).typeId).toBe(1);
  });

  test("names that overlap so often that comparing takes hours", () => {
    const made = new Image();
    made.string("x".repeat(200_000));
    const at = (i: number): number => 1 + i;
    const bytes = (() => {
      for (let i = 0; i < 150_000; i++) made.ref(TYPEDEF, 0, "x".repeat(0));
      const image = made.bytes();
      const view = new DataView(image.buffer);
      for (let i = 0; i < 150_000; i++) view.setUint32(24 + i * 12, at(i), true);
      return image;
    })();
    expect(() => dedup(Btf.parse(bytes))).toThrow(
      expect.objectContaining({ code: "ERR_DEDUP_NAMES", name: "BtfLimitError" }),
    );
  });

  test("a malformed .BTF.ext", () => {
    const btf = Btf.parse(image.everyKind().bytes());
    const word = (...words: number[]): Uint8Array => new Uint8Array(Uint32Array.from(words).buffer);
    const head = 0x1eb9f;
    for (const ext of [
      word(head),
      word(0, 24, 0, 0, 0, 0),
      word(head, 99, 0, 0, 0, 0),
      word(head, 24, 0, 16, 0, 0),
      word(head, 24, 0, 4, 0, 0, 7),
      word(head, 24, 0, 12, 0, 0, 8, 0, 0),
      word(head, 24, 0, 20, 0, 0, 8, 0, 9, 0, 1),
      word(head, 24, 0, 20, 0, 0, 8, 99999, 1, 0, 1),
      word(head, 24, 0, 20, 0, 0, 8, 0, 1, 0, 99),
      word(head, 24, 0, 8, 0, 0, 8, 0),
    ]) {
      expect(() => dedup(btf, { ext })).toThrow(expect.objectContaining({ code: "ERR_BTF_EXT" }));
    }
  });
});

describe("hostile input", () => {
  test("ten thousand declared names that two structs refer to, and these many types", () => {
    const made = new Image();
    const hubs: [string, number, number][][] = [[], []];
    for (let i = 0; i < 10_000; i++) {
      made.composite(STRUCT, `n${i}`, 8, []);
      hubs[0]!.push(["", made.nextId - 1, 0]);
      made.composite(STRUCT, `n${i}`, 16, []);
      hubs[1]!.push(["", made.ref(image.FWD, 0, `n${i}`), 0]);
    }
    const ids = hubs.map((members) => made.composite(STRUCT, "", 8, members));
    for (let i = 0; i < 20_000; i++) made.ref(PTR, ids[i & 1]!);
    // To find out for each name what both lead to would be quadratic: most stay what they are.
    const btf = Btf.parse(made.bytes());
    const { btf: to, map } = dedup(btf);
    checkMap(btf, to, map);
    expect(to.findAll("n1", "struct").length).toBe(2);
  });

  test("mutated kernels and images: a Btf or a BtfError, never a trap", () => {
    const random = fc.sample(fc.tuple(fc.nat(), fc.nat(), fc.nat(24)), { numRuns: 4000, seed: 3 });
    const seed = image.everyKind().bytes();
    for (const [at, value, other] of random) {
      const bytes = seed.slice();
      bytes[24 + (at % (seed.length - 24))] = value & 0xff;
      bytes[24 + (value % (seed.length - 24))] = other;
      try {
        const btf = Btf.parse(bytes);
        const { btf: made, map } = dedup(btf);
        expect(made.size).toBeLessThanOrEqual(btf.size);
        expect(map.length).toBe(btf.size);
      } catch (error) {
        if (!(error instanceof BtfError) || error.code === "ERR_INTERNAL") throw error;
      }
    }
  });
});
