// Damaged BTF and objects through every exported function with all its options: a result or a BtfError, and soon.
// Which functions and options there are is read from the built package, so that a new one is missed here.
import { readdirSync, readFileSync } from "node:fs";
import * as core from "btfkit";
import { Btf, BtfError, type BtfType } from "btfkit";
import * as bpf from "btfkit/bpf";
import * as data from "btfkit/data";
import * as edit from "btfkit/edit";
import * as generating from "btfkit/generate";
import * as inspect from "btfkit/inspect";
import * as load from "btfkit/load";
import { describe, expect, test } from "vitest";
import { everyKind } from "../support/image.js";
import { needing } from "../support/needs.js";
import { compileObject } from "../support/objects.js";
import { type Random, seeded } from "../support/random.js";

/** Every combination of the values of options; `undefined` is left out. */
function* combinations<T extends Record<string, readonly unknown[]>>(
  values: T,
): Generator<{ [K in keyof T]?: NonNullable<T[K][number]> }> {
  const names = Object.keys(values);
  const total = names.reduce((product, name) => product * values[name]!.length, 1);
  for (let i = 0; i < total; i++) {
    let rest = i;
    const entries = names.map((name) => {
      const list = values[name]!;
      const value = list[rest % list.length];
      rest = Math.floor(rest / list.length);
      return [name, value] as const;
    });
    yield Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as never;
  }
}

const BOTH = [undefined, true] as const;
const CALLS = { signal: [new AbortController().signal], onProgress: [() => {}] } as const;

interface Subject {
  readonly btf: Btf;
  /** Sound, of the same shape. */
  readonly other: Btf;
  readonly types: readonly BtfType[];
  readonly random: Random;
  readonly bytes: Uint8Array;
}

type Call = () => unknown;

/** One of the calls of each function with these options; which one changes from image to image. */
function one<T>(random: Random, options: Iterable<T>, call: (options: T) => unknown): Call {
  const all = [...options];
  return () => call(all[random(all.length)]!);
}

const LONG_DOUBLES = [undefined, "x87", "quad"] as const;
const COMPAT = [undefined, "pahole-1.31"] as const;
const LINES = [undefined, 32, 64, 128] as const;

/** What each function of a BTF is called with. */
const OF_BTF: Record<string, (subject: Subject) => Call[]> = {
  Btf: ({ btf, types, random }) => [
    () => [JSON.stringify(btf), btf.header, btf.pointerSize, btf.knownPointerSize],
    () => [btf.has(random(99)), btf.get(random(99)), btf.kindAt(random(30)), btf.nameAt(random(30))],
    ...types.flatMap(({ name, kind }) => [
      () => [btf.find(name), btf.findAll(name, kind), btf.idsOfKind(kind, { own: true })],
      () => btf.require(`${name}x`, kind),
    ]),
    one(
      random,
      combinations({
        match: [undefined, "substring", "prefix"] as const,
        kind: [undefined, "struct"] as const,
        limit: [undefined, 0, 2],
        own: BOTH,
      }),
      (options) => btf.search("s", options),
    ),
  ],
  BtfBuilder: ({ btf, other, types, random, bytes }) => [
    one(
      random,
      combinations({
        base: [undefined, other],
        endian: [undefined, "little", "big"] as const,
        pointerSize: [undefined, 4] as const,
      }),
      (options) => {
        const builder = new edit.BtfBuilder(options);
        builder.append(btf);
        for (const type of types) builder.copy(type);
        builder.typeTag("t", builder.id(1), { isAttribute: true });
        return [builder.encode(), builder.build()];
      },
    ),
    () => other.split(bytes),
  ],
  dumpC: ({ btf, types, random }) => [
    one(
      random,
      combinations({
        types: [undefined, types.slice(0, 5), [1, 2, 0xffff]],
        sorted: [undefined, false],
        compatible: [undefined, "bpftool-7.8"] as const,
        exclude: [undefined, ({ id }: BtfType) => id % 3 === 0],
        kfuncs: [undefined, false, true, ["f"]],
        guard: [undefined, "G"],
        preserveAccessIndex: [undefined, false],
        annotate: BOTH,
        ...CALLS,
      }),
      (options) => core.dumpC(btf, options).text(),
    ),
  ],
  dumpJson: ({ btf, types, random }) => [
    one(random, combinations({ pretty: BOTH, types: [undefined, types.slice(2)], ...CALLS }), (options) =>
      core.dumpJson(btf, options).text(),
    ),
  ],
  dumpRaw: ({ btf, types, random }) => [
    one(random, combinations({ types: [undefined, types.slice(2), [0, 99]], ...CALLS }), (options) =>
      core.dumpRaw(btf, options).text(),
    ),
  ],
  declaration: ({ types, random }) =>
    types.map((type) =>
      one(random, combinations({ name: [undefined, "x"], indent: [undefined, 3], stripModifiers: BOTH }), (options) =>
        core.declaration(type, options),
      ),
    ),
  fieldOf: ({ btf, types }) =>
    types.flatMap((type) =>
      ["a", "a.b", "a[1]", "[0]", ".", ""].map((path) => () => [
        core.fieldOf(btf, type, path),
        core.fieldOf(btf, type.name, path),
      ]),
    ),
  alignOf: ({ types }) => types.map((type) => () => core.alignOf(type)),
  sizeOf: ({ types }) => types.map((type) => () => core.sizeOf(type)),
  resolve: ({ types }) => types.map((type) => () => core.resolve(type)),
  tally: ({ btf }) => [() => core.tally(btf)],
  encode: ({ btf, types, random }) => [
    one(
      random,
      combinations({
        header: [undefined, 24, 32] as const,
        layout: [undefined, true, false],
        endian: [undefined, "little", "big"] as const,
      }),
      (options) => Btf.parse(edit.encode(btf, options)),
    ),
    ...types.map((type) => () => data.encode(type, [1, "a", { a: 1n }, null, undefined][random(5)])),
    ...types.map((type) =>
      one(random, combinations({ longDouble: LONG_DOUBLES }), (options) => data.encode(type, 1, options)),
    ),
  ],
  dedup: ({ btf, random }) => [
    one(random, combinations({ ext: [undefined, ext(random)], ...CALLS }), (options) => edit.dedup(btf, options)),
  ],
  merge: ({ btf, other, random }) => [
    one(
      random,
      combinations({
        ext: [undefined, [ext(random), undefined, ext(random)]],
        base: [undefined, other],
        dedup: [undefined, false],
        ...CALLS,
      }),
      (options) => edit.merge([btf, other, btf], options),
    ),
  ],
  fingerprints: ({ btf, types, random }) => [
    one(random, combinations({ ...CALLS }), (options) => {
      const all = edit.fingerprints(btf, options);
      return types.map((type) => [all.of(type), all.of(type.id)]);
    }),
  ],
  distill: ({ btf, random }) => [one(random, combinations({ ...CALLS }), (options) => edit.distill(btf, options))],
  permute: ({ btf, random }) => [
    one(random, combinations({ ext: [undefined, ext(random)], ...CALLS }), (options) => {
      const map = Uint32Array.from({ length: btf.size - (btf.base?.size ?? 0) }, (_, i) =>
        random(9) ? i : random(99),
      );
      return edit.permute(btf, map, options);
    }),
  ],
  sortByName: ({ btf, random }) => [
    one(random, combinations({ ext: [undefined, ext(random)], ...CALLS }), (options) => edit.sortByName(btf, options)),
  ],
  rebase: ({ btf, other, random }) => [
    one(random, combinations({ ...CALLS }), (options) => [edit.rebase(btf, other, options), edit.rebase(other, btf)]),
  ],
  sanitize: ({ btf, random }) => [
    one(
      random,
      combinations({ kernel: [undefined, "4.18", "4.19", "5.2", "5.16", "6.0"], names: BOTH, ...CALLS }),
      (options) => edit.sanitize(btf, options.kernel ? options : { ...options, features: [] }),
    ),
  ],
  flatten: ({ btf, other, bytes }) => [() => edit.flatten(btf), () => edit.flatten(other.split(bytes))],
  fitForC: ({ btf, random }) => [
    one(random, combinations({ names: BOTH }), (options) => core.dumpC(edit.fitForC(btf, options).btf).text()),
  ],
  verify: ({ btf, bytes, other, random }) => [
    one(
      random,
      combinations({
        base: [undefined, other],
        pointerSize: [undefined, 4, 8] as const,
        kernel: [undefined, "4.18", "5.10", "6.1", "7.3"],
        limit: [undefined, 1, 1000],
        ...CALLS,
      }),
      (options) => [edit.verify(btf, options), edit.verify(bytes, options)],
    ),
  ],
  diff: ({ btf, other, random }) => [
    one(
      random,
      combinations({
        kinds: [undefined, ["struct", "enum"]] as const,
        filter: [undefined, ({ name }: inspect.Definition) => name.length > 1],
        ignore: [undefined, (_: inspect.Definition, part: string) => part === "a"],
        impact: BOTH,
        signal: CALLS.signal,
      }),
      (options) => [inspect.diff(btf, other, options), inspect.diff(other, btf, options)],
    ),
  ],
  differenceMarkdown: ({ btf, other }) => [
    () => [...inspect.differenceMarkdown(inspect.diff(btf, other), { oldName: "a", newName: "b" })],
  ],
  differenceText: ({ btf, other }) => [
    () => [...inspect.differenceText(inspect.diff(other, btf), { oldName: "a", newName: "b" })],
  ],
  history: (subject) => [() => histories(subject)],
  historySvg: (subject) => [() => inspect.historySvg(histories(subject))],
  historyText: (subject) => [() => inspect.historyText(histories(subject))],
  identities: ({ btf }) => [() => inspect.identities(btf)],
  layout: ({ types, random }) =>
    types.map((type) =>
      one(random, combinations({ cachelineBytes: LINES, expand: BOTH }), (options) => inspect.layout(type, options)),
    ),
  layoutText: ({ types, random }) =>
    types.map((type) =>
      one(random, combinations({ cachelineBytes: LINES, expand: BOTH, hex: BOTH, compat: COMPAT }), (options) =>
        inspect.layoutText(type, options),
      ),
    ),
  layoutTexts: ({ btf, random }) => [
    one(
      random,
      combinations({ cachelineBytes: LINES, expand: BOTH, hex: BOTH, compat: COMPAT, ...CALLS }),
      (options) => [...inspect.layoutTexts(btf, options)],
    ),
  ],
  layoutRows: ({ types, random }) =>
    types.map((type) =>
      one(random, combinations({ cachelineBytes: LINES, expand: BOTH }), (options) =>
        inspect.layoutRows(inspect.layout(type, options)),
      ),
    ),
  layoutSvg: ({ types, random }) =>
    types.map((type) =>
      one(
        random,
        combinations({ scheme: [undefined, "light", "dark"] as const, hex: BOTH, idPrefix: [undefined, "<p>"] }),
        (options) => inspect.layoutSvg(inspect.layout(type), options),
      ),
    ),
  memberAt: ({ types, random }) =>
    types.map((type) => () => [inspect.memberAt(type, random(99)), inspect.memberAt(type, { bitOffset: random(999) })]),
  memberTextAt: ({ types, random }) =>
    types.map((type) => () => [
      inspect.memberTextAt(type, random(99)),
      inspect.memberTextAt(type, { bitOffset: 2 ** random(40) }),
    ]),
  pack: ({ types, random }) => types.map((type) => one(random, packings(), (options) => inspect.pack(type, options))),
  packAll: ({ btf, random }) => [one(random, packings(), (options) => inspect.packAll(btf, options))],
  packedText: ({ types, random }) =>
    types.map((type) =>
      one(random, combinations({ cachelineBytes: LINES }), (options) =>
        inspect.packedText(inspect.pack(type), options),
      ),
    ),
  relations: ({ btf, other, types }) => [
    () => inspect.relations(btf).kfuncs(),
    () => {
      const index = inspect.relations([other, btf]);
      return types.map((type) => [index.holders("embeds", type), index.functions("takes", type), index.withHoles(3)]);
    },
  ],
  decode: ({ types, random }) =>
    types.map((type) => one(random, decodings(), (options) => data.decode(type, noise(random), options))),
  decoderOf: ({ types, random }) =>
    types.map((type) =>
      one(random, decodings(), (options) => {
        const decoder = data.decoderOf(type, options);
        return [decoder(noise(random)), decoder(noise(random), random(9))];
      }),
    ),
  encoderOf: ({ types, random }) =>
    types.map((type) =>
      one(random, combinations({ longDouble: LONG_DOUBLES }), (options) =>
        data.encoderOf(type, options)(data.decode(type, noise(random)), new Uint8Array(99), random(9)),
      ),
    ),
  formatData: ({ types, random }) =>
    types.map((type) =>
      one(
        random,
        combinations({
          indent: [undefined, "  "],
          indentLevel: [undefined, 3],
          compact: BOTH,
          skipNames: BOTH,
          emitZeroes: BOTH,
          emitStrings: BOTH,
          compat: [undefined, "libbpf-1.8"] as const,
        }),
        (options) => data.formatData(type, noise(random), options),
      ),
    ),
  formatJson: ({ types, random }) =>
    types.map((type) => one(random, jsons(), (options) => data.formatJson(type, noise(random), options))),
  jsonFormatterOf: ({ types, random }) =>
    types.map((type) =>
      one(random, jsons(), (options) => data.jsonFormatterOf(type, options)(noise(random), random(9))),
    ),
  generate: ({ btf, types, random }) =>
    (["ts", "c", "rust", "go", "python", "isf"] as const).map((language) =>
      one(
        random,
        combinations({
          types: [undefined, types.slice(0, 3)],
          events: [undefined, ["s"]],
          own: BOTH,
          systemMap: [undefined, "ffffffff81000000 T f\n"],
          banner: [undefined, "Linux version 6"],
        }),
        (options) => generating.generate(btf, language, options),
      ),
    ),
};

function histories({ btf, other, types }: Subject): inspect.MemberHistory[] {
  const members = types.flatMap((type) =>
    (type.kind === "struct" || type.kind === "union") && type.name && type.members[0]?.name
      ? [`${type.name}.${type.members[0].name}`]
      : [],
  );
  return inspect.history(members, [
    { name: "a", btfs: [btf] },
    { name: "b", btfs: [other, btf] },
  ]);
}

const packings = () =>
  combinations({ cachelineBytes: LINES, keepAligned: [undefined, false], groups: [undefined, [["a", "b"]]] });
const jsons = () =>
  combinations({ plain: BOTH, pretty: BOTH, indentLevel: [undefined, 2], compat: [undefined, "bpftool-7.8"] as const });
const decodings = () =>
  combinations({
    wide: [undefined, "bigint", "number"] as const,
    enums: [undefined, "name", "number", "flags"] as const,
    strings: [undefined, "nul", "utf-8", "raw"] as const,
    arrays: [undefined, "typed", "view", "plain"] as const,
    longDouble: LONG_DOUBLES,
    flexibleCount: [undefined, 0, 3, 1e9],
    partial: BOTH,
    compile: [undefined, false],
  });
/** Records of functions, lines and relocations, with wrong numbers in them. */
function ext(random: Random): Uint8Array<ArrayBuffer> {
  const words = [
    0x0001eb9f, 32, 0, 20, 20, 28, 48, 28, 8, 1, 1, 0, 2, 16, 1, 1, 0, 1, 1, 7, 16, 1, 1, 0, 2, 1, 0, 0, 0, 0,
  ];
  const bytes = new Uint8Array(Uint32Array.from(words).buffer);
  damage(bytes, 4, bytes.length, random);
  return bytes;
}
const noise = (random: Random) => Uint8Array.from({ length: random(80) }, () => random(256));

/** What each function of an object is called with. */
const OF_OBJECT: Record<string, (object: bpf.BpfObject, target: Btf, random: Random) => Call[]> = {
  check: (object, target, random) => [
    one(
      random,
      combinations({
        engine: [undefined, ...bpf.ENGINES],
        rodata: [undefined, "initial"] as const,
        kconfig: [undefined, "CONFIG_HZ=250\n", new Map([["LINUX_KERNEL_VERSION", 7n]])],
        kallsyms: [undefined, "ffffffff81000000 T f\n"],
      }),
      (options) => bpf.check(object, target, options),
    ),
  ],
  cellOf: (object, target) => [() => bpf.cellOf("o", "t", bpf.check(object, target))],
  junit: (object, target) => [() => bpf.junit(matrix(object, target), [1])],
  markdown: (object, target) => [() => bpf.markdown(matrix(object, target))],
  sarif: (object, target, random) => [
    one(random, combinations({ sourceRoot: [undefined, "/src"], folder: [undefined, "/src/a"] }), (options) =>
      JSON.stringify(bpf.sarif(matrix(object, target), "1", options)),
    ),
  ],
  requirementsOf: (object) => [() => bpf.requirementsOf(object)],
  relocate: (object, target, random) => [
    one(random, combinations({ engine: [undefined, ...bpf.ENGINES] }), (options) =>
      bpf.relocate(object, target, options).toBytes(),
    ),
  ],
  relocationReport: (object, target) => [
    () => {
      const relocated = bpf.relocate(object, target);
      return bpf.relocationReport(relocated, bpf.disagreements(relocated));
    },
  ],
  disagreements: (object, target) => [() => bpf.disagreements(bpf.relocate(object, target))],
  formatSpec: (object, target) => [
    () => bpf.relocate(object, target).relocations.map(({ resolution: { local } }) => local && bpf.formatSpec(local)),
  ],
  minimize: (object, target) => [() => Btf.parse(bpf.minimize([object, object], target))],
  usedTypes: (object, target) => [() => bpf.usedTypes(target, [object])],
  readExt: (object) => [
    () => {
      const section = object.section(".BTF.ext");
      return section && bpf.readExt(object.dataOf(section), () => "s");
    },
  ],
  encodeExt: (object) => [() => object.ext && bpf.encodeExt(object.ext, () => 0)],
  readObject: (object) => [() => [object.programs, object.maps, object.globals, object.externs, object.symbols]],
  fixSections: (object) => [() => edit.fixSections(object)],
  planObject: (object, vmlinux, random) => [
    one(random, plans(vmlinux), (options) => load.planObject(object, targetOf(vmlinux, random), options)),
  ],
  planJson: (object, vmlinux, random) => [
    one(random, plans(vmlinux), (options) =>
      JSON.stringify(load.planJson(load.planObject(object, targetOf(vmlinux, random), options))),
    ),
  ],
  generate: (object, _, random) =>
    (["ts", "c", "rust", "go", "python", "isf"] as const).map((language) =>
      one(random, combinations({ events: [undefined, ["event"], ["events=event"]] }), (options) =>
        generating.generate(object, language, options),
      ),
    ),
};

const matrix = (object: bpf.BpfObject, target: Btf): bpf.Matrix => ({
  objects: ["o"],
  targets: ["t"],
  cells: [bpf.cellOf("o", "t", bpf.check(object, target))],
});

const plans = (target: Btf) =>
  combinations({
    name: [undefined, "n"],
    globals: [undefined, { limit: 7 }],
    maps: [undefined, { events: { maxEntries: 8192 } }],
    autoload: [undefined, { handle: false }],
    attachTo: [undefined, { handle: "f" }],
    coreTarget: [undefined, target],
    engine: [undefined, ...bpf.ENGINES],
    pinRoot: [undefined, "/sys/fs/bpf/x"],
  });

function targetOf(vmlinux: Btf, random: Random): load.LoadTarget {
  const all = [
    ...combinations({
      kconfig: [undefined, "CONFIG_HZ=250\n"],
      kallsyms: [undefined, new Map([["f", 1n]])],
      lacks: [undefined, ["btf_func", "global_data", "prog_name"]],
      uprobeMulti: BOTH,
      pageSize: [undefined, 65536],
    }),
  ];
  return { vmlinux, release: "6.1.0", cpus: 2, ...all[random(all.length)]! } as load.LoadTarget;
}

/** Lets nothing but a BtfError through. */
function judge(name: string, call: Call): void {
  try {
    call();
  } catch (error) {
    if (!(error instanceof BtfError) || error.code === "ERR_INTERNAL") throw new Error(name, { cause: error });
  }
}

const EDGES = [0, 1, 4, 12, 0x7f, 0xffff, 0xffffff, 0x1000000, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff];

function damage(bytes: Uint8Array<ArrayBuffer>, from: number, to: number, random: Random): void {
  const view = new DataView(bytes.buffer);
  for (let n = 1 + random(3); n > 0; n--) {
    const at = from + (random(to - from - 4) & ~3);
    if (random(3) === 0) bytes[from + random(to - from)]! ^= 1 << random(8);
    else view.setUint32(at, random(2) ? EDGES[random(EDGES.length)]! : random(24), true);
  }
}

const ROUNDS = 400;

describe("of types", () => {
  for (const [name, callsOf] of Object.entries(OF_BTF)) {
    test(`${name}, ${ROUNDS} times`, () => {
      const random = seeded(`function ${name}`);
      for (let round = 0; round < ROUNDS; round++) {
        const endian = round % 2 ? "big" : "little";
        using other = Btf.parse(everyKind({ endian }).bytes());
        const bytes = everyKind({ endian }).bytes();
        damage(bytes, 24, bytes.length, random);
        judge(name, () => {
          using btf = Btf.parse(bytes);
          const types = Array.from({ length: 6 }, () => btf.get(random(btf.size))!);
          for (const call of callsOf({ btf, other, types, random, bytes })) judge(name, call);
        });
      }
    });
  }
});

describe("of objects", () => {
  for (const [name, callsOf] of Object.entries(OF_OBJECT)) {
    needing("clang-19")(`${name}, ${ROUNDS / 2} times`, () => {
      const random = seeded(`object function ${name}`);
      const sound = ["core", "events", "maps"].map((file) => new Uint8Array(readFileSync(compileObject(file))));
      const parts = sound.map((bytes) => bpf.readObject(bytes).sections.filter(({ byteSize }) => byteSize > 8));
      using target = Btf.parse(everyKind().bytes());
      for (let round = 0; round < ROUNDS / 2; round++) {
        const which = round % sound.length;
        const bytes = sound[which]!.slice();
        const { offset, byteSize } = parts[which]![random(parts[which]!.length)]!;
        damage(bytes, offset, offset + byteSize, random);
        judge(name, () => {
          using object = bpf.readObject(bytes);
          const own = object.btf ?? target;
          for (const on of random(2) ? [own] : [target])
            for (const call of callsOf(object, on, random)) judge(name, call);
        });
      }
    });
  }
});

describe("nothing is left out", () => {
  /** Read bytes of their own kinds, or the host's: the mutation tests of images, archives and the runtimes have them. */
  const ELSEWHERE = ["init", "initEdit"];
  /** Not of a function that is exported. */
  const INNER = ["IsfOptions"];
  const source = readFileSync("test/hostile/functions.test.ts", "utf8");

  test("every function of the entries that read BTF or objects", () => {
    const functions = [core, bpf, data, edit, generating, inspect, load].flatMap((entry) =>
      Object.entries(entry).flatMap(([name, value]) =>
        typeof value === "function" && !/^class/.test(Function.prototype.toString.call(value)) ? [name] : [],
      ),
    );
    const called = new Set([...Object.keys(OF_BTF), ...Object.keys(OF_OBJECT), ...ELSEWHERE]);
    expect(functions.filter((name) => !called.has(name))).toEqual([]);
  });

  test("every option", () => {
    const missing = ["bpf", "btf", "data", "edit", "generate", "inspect", "load"].flatMap((folder) =>
      readdirSync(`dist/types/${folder}`, { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".d.ts"))
        .flatMap((file) => {
          const text = readFileSync(`dist/types/${folder}/${file}`, "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
          return Array.from(text.matchAll(/^export interface (\w+Options)\b[^{]*\{([\s\S]*?)^\}/gm), ([, name, body]) =>
            Array.from(body!.matchAll(/^ {4}(?:readonly )?(\w+)\??[:(]/gm), ([, option]) => `${name}.${option}`),
          ).flat();
        }),
    );
    expect(missing.length).toBeGreaterThan(60);
    const named = missing.filter((option) => !INNER.includes(option.split(".")[0]!));
    expect(named.filter((option) => !new RegExp(`\\b${option.split(".")[1]}\\b[:,]`).test(source))).toEqual([]);
  });
});
