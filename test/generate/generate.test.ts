// Generated code is judged by compilers and interpreters: it compiles, its assertions hold, and it finds in bytes what
// gcc finds in them.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Btf, BtfError } from "btfkit";
import { readObject } from "btfkit/bpf";
import { decode } from "btfkit/data";
import { generate, LANGUAGES, type Language } from "btfkit/generate";
import { openFile, readBytes } from "btfkit/node";
import { rollup } from "rollup";
import { describe, expect, test } from "vitest";
import { clang, folder, gcc, go, python, rustc, tsc, tscAll } from "../support/compilers.js";
import { everyKind, FWD, Image, PTR, STRUCT, TYPEDEF, UNION } from "../support/image.js";
import { corpusPath, needing } from "../support/needs.js";
import { corpusObject, objectNames } from "../support/objects.js";
import { seeded } from "../support/random.js";

const compile: Record<Exclude<Language, "isf">, (text: string) => void> = { c: gcc, rust: rustc, go, python, ts: tsc };
const LOCAL = "test/data/vmlinux-6.1-cloud-amd64.btf.gz";

function code(file: string, language: Language): string {
  using btf = openFile(file);
  return generate(btf, language);
}

describe("all named types of whole kernels compile, and their assertions hold", () => {
  const kernel = (name: string): string => corpusPath(`vmlinux/${name}.btf.gz`);
  needing("gcc and libbpf-dev")("C of a 64-bit kernel, by gcc", () => gcc(code(LOCAL, "c")));
  needing("clang-19", "the corpus in ../shared")(
    "C of a 32-bit kernel whose long long has 4 bytes of alignment, by clang for both kinds",
    () => {
      const text = code(kernel("6.1-i386"), "c");
      clang(text, "i686-linux-gnu");
      clang(text, "arm-linux-gnueabihf");
    },
  );
  needing("clang-19", "the corpus in ../shared")(
    "C of a 32-bit kernel whose long long has 8, by clang for both kinds",
    () => {
      const text = code(kernel("6.12-armhf-layout"), "c");
      clang(text, "i686-linux-gnu");
      clang(text, "arm-linux-gnueabihf");
    },
  );
  needing("clang-19", "the corpus in ../shared")("C of a big-endian kernel, by clang", () => {
    clang(code(kernel("6.12-s390x"), "c"), "s390x-linux-gnu");
  });
  needing("rustc")("Rust of a 64-bit kernel", () => rustc(code(LOCAL, "rust")));
  needing("rustc", "the corpus in ../shared")("Rust of a 32-bit kernel", () => rustc(code(kernel("6.1-i386"), "rust")));
  needing("go")("Go of a 64-bit kernel", () => go(code(LOCAL, "go")));
  needing("go", "the corpus in ../shared")("Go of a 32-bit kernel", () => go(code(kernel("6.1-i386"), "go")));
  needing("python3")("Python of a 64-bit kernel", () => void python(code(LOCAL, "python")));
  needing("python3", "the corpus in ../shared")("Python of 32-bit and big-endian kernels", () => {
    for (const name of ["6.1-i386", "6.12-s390x"]) python(code(kernel(name), "python"));
  });
  test("TypeScript of a 64-bit kernel, of which bundlers keep what is used", async () => {
    const path = tsc(code(LOCAL, "ts"));
    const bundled = async (source: string): Promise<string> => {
      const entry = join(folder, "uses-one.mjs");
      writeFileSync(entry, source);
      const bundle = await rollup({ input: entry, onLog: () => {} });
      return (await bundle.generate({ format: "es" })).output[0].code;
    };
    expect(await bundled(`import ${JSON.stringify(path)};`)).toBe("\n");
    const text = await bundled(`export { decodeListHead } from ${JSON.stringify(path)};`);
    expect(text).toContain("function decodeListHead");
    expect(text.match(/function decode\w*/g)).toEqual(["function decodeListHead"]);
    expect(text).not.toMatch(/function (encode|write)/);
    expect(text.length).toBeLessThan(2000);
  });
  needing("the corpus in ../shared")(
    "TypeScript of a big-endian kernel",
    () => void tsc(code(kernel("6.12-s390x"), "ts")),
  );
});

describe("values", () => {
  const STRUCTS = ["flags", "tight", "holes", "mixed", "flexible"];

  /** BTF of our header, by clang. */
  function fixture(target: "bpfel" | "bpfeb" = "bpfel"): Btf {
    const uses = STRUCTS.map((name) => `struct ${name} *use_${name};`).join("\n");
    const object = join(folder, `fixture.${target}.o`);
    const source = `#include "generated.h"\n${uses}\n`;
    execFileSync("clang-19", ["-target", target, "-g", "-O2", "-Itest/native", "-x", "c", "-c", "-", "-o", object], {
      input: source,
    });
    return readObject(readBytes(object)).btf;
  }

  const typesOf = (btf: Btf): { types: ReturnType<Btf["require"]>[] } => ({
    types: STRUCTS.map((name) => btf.require(name, "struct")),
  });

  function randomBytes(seed: string): Uint8Array {
    const random = seeded(seed);
    const bytes = Uint8Array.from({ length: 512 }, () => random(256));
    return bytes;
  }

  /** What gcc finds: "struct.member" → number as text. */
  function found(bytes: Uint8Array): Record<string, string> {
    const program = join(folder, "generated");
    execFileSync("gcc", ["-O1", "-w", "-o", program, "test/native/generated.c"]);
    return JSON.parse(execFileSync(program, { input: bytes, encoding: "utf8" })) as Record<string, string>;
  }

  needing("gcc and libbpf-dev", "clang-19")("TypeScript decodes and encodes what gcc finds", async () => {
    const btf = fixture();
    const module = (await import(tsc(generate(btf, "ts", typesOf(btf))))) as Record<
      string,
      (value: unknown) => unknown
    >;
    for (const seed of ["one", "two", "three", "four"]) {
      const bytes = randomBytes(seed);
      for (const [path, expected] of Object.entries(found(bytes))) {
        const [struct, ...members] = path.split(".");
        const name = struct!.replace(/^./, (letter) => letter.toUpperCase());
        let value = module[`decode${name}`]!(bytes);
        for (const member of members) value = (value as Record<string, unknown>)[member];
        const number =
          typeof value === "string" ? enumerator(btf, value) : typeof value === "boolean" ? Number(value) : value;
        expect(`${path} ${number}`).toBe(`${path} ${expected}`);
      }
      for (const name of ["Flags", "Tight"]) {
        const value = module[`decode${name}`]!(bytes);
        const again = module[`encode${name}`]!(value) as Uint8Array;
        expect(module[`decode${name}`]!(again)).toEqual(value);
      }
      expect(module["encodeTight"]!(module["decodeTight"]!(bytes))).toEqual(bytes.slice(0, 19));
    }
    const flexible = module["encodeFlexible"]!({ count: 3, items: [1, 2, 3] }) as Uint8Array;
    expect(flexible).toEqual(Uint8Array.of(3, 0, 0, 0, 1, 0, 2, 0, 3, 0));
    expect(module["decodeFlexible"]!(flexible)).toEqual({ count: 3, items: Uint16Array.of(1, 2, 3) });
    expect(() => module["decodeMixed"]!(new Uint8Array(3))).toThrow("Mixed has ");
    expect(() => module["encodeFlags"]!({ a: 8 })).toThrow("a: 8 does not fit into 3 bits");
    expect(() => module["encodeMixed"]!({ color: "PURPLE" })).toThrow('no enumerator "PURPLE"');
  });

  needing("clang-19")("TypeScript decodes as btfkit/data does", async () => {
    for (const target of ["bpfel", "bpfeb"] as const) {
      const btf = fixture(target);
      const module = (await import(tsc(generate(btf, "ts", typesOf(btf))))) as Record<
        string,
        (value: unknown) => unknown
      >;
      for (const name of STRUCTS) {
        for (let i = 0; i < 50; i++) {
          const bytes = randomBytes(`${name} ${i}`);
          // A bool that is neither 0 nor 1 is true here, and keeps its value there.
          const type = btf.require(name, "struct");
          const expected = decode(type, bytes) as Record<string, unknown>;
          if ("yes" in expected) expected["yes"] = Boolean(expected["yes"]);
          expect(module[`decode${name.replace(/^./, (letter) => letter.toUpperCase())}`]!(bytes)).toEqual(expected);
        }
      }
    }
  });

  function enumerator(btf: Btf, name: string): bigint | number {
    for (const kind of ["enum", "enum64"] as const) {
      for (const type of btf.ofKind(kind)) for (const value of type.values) if (value.name === name) return value.value;
    }
    throw new Error(`no enumerator ${name}`);
  }

  needing(
    "gcc and libbpf-dev",
    "clang-19",
    "python3",
  )("Python reads and writes what gcc finds", () => {
    const btf = fixture();
    const text = generate(btf, "python", typesOf(btf));
    const bytes = randomBytes("python");
    const expected = found(bytes);
    const paths = Object.keys(expected).filter((path) => !/mixed\.(number|low|high)/.test(path));
    const show = paths.map((path) => {
      const [struct, ...members] = path.replace(/\.class$/, ".class_").split(".");
      const place = members.map((member) => (/^\d+$/.test(member) ? `[${member}]` : `.${member}`)).join("");
      return `print(${JSON.stringify(path)}, int.from_bytes(v, "little", signed=True) if isinstance(v := ${struct}.from_buffer_copy(data)${place}, bytes) else int(v))`;
    });
    const printed = python(text, `data = bytes.fromhex("${Buffer.from(bytes).toString("hex")}")\n${show.join("\n")}\n`);
    expect(printed.trim().split("\n")).toEqual(paths.map((path) => `${path} ${expected[path]}`));
    const written = python(
      text,
      "f = flags()\nf.a, f.b, f.d, f.e = 5, -7, (1 << 40) - 1, True\nprint(f.a, f.b, f.c, f.d, f.e, f.f)\n",
    );
    expect(written.trim()).toBe(`5 -7 0 ${2 ** 40 - 1} True 0`);
  });

  needing(
    "clang-19",
    "rustc",
    "gcc and libbpf-dev",
  )("Rust's accessors find what gcc finds", () => {
    const btf = fixture();
    const bytes = randomBytes("rust");
    const expected = found(bytes);
    const lines = ["a", "b", "c", "d", "e", "g"].map((member) => `println!("{}", flags.${member}() as i64);`);
    const main = `\nfn main() {\n let data: [u8; 512] = [${bytes.join(",")}];\n let flags: flags = unsafe { core::ptr::read_unaligned(data.as_ptr() as *const flags) };\n${lines.join("\n")}\n}\n`;
    const program = join(folder, "accessors");
    execFileSync("/usr/bin/rustc", ["-A", "warnings", "-o", program, "-"], {
      input: generate(btf, "rust", typesOf(btf)) + main,
    });
    const printed = execFileSync(program, { encoding: "utf8" }).trim().split("\n");
    expect(printed).toEqual(["a", "b", "c", "d", "e", "g"].map((member) => expected[`flags.${member}`]));
  });

  needing("clang-19")("a big-endian object has its bitfields from the high end", async () => {
    const btf = fixture("bpfeb");
    const module = (await import(tsc(generate(btf, "ts", typesOf(btf))))) as Record<
      string,
      (value: unknown) => Record<string, unknown>
    >;
    const bytes = Uint8Array.of(0b101_00001, 0, 0, 7, ...new Array<number>(12).fill(0));
    expect(module["decodeFlags"]!(bytes)).toMatchObject({ a: 5, b: 1, c: 7 });
    expect(module["encodeFlags"]!({ a: 5, b: 1, c: 7 })).toEqual(bytes);
  });

  for (const language of ["c", "rust", "go", "python", "ts"] as const) {
    needing("clang-19")(`${language} of both byte orders compiles`, () => {
      for (const target of ["bpfel", "bpfeb"] as const) {
        const btf = fixture(target);
        compile[language](generate(btf, language, typesOf(btf)));
      }
    });
  }
});

describe("BPF objects", () => {
  needing("the corpus in ../shared")("each object's TypeScript is strict", () => {
    tscAll(objectNames.map((name) => generate(corpusObject(name), "ts")));
  });

  needing("the corpus in ../shared")("maps, globals, programs and events are in the skeleton", () => {
    const text = generate(corpusObject("lt026-execsnoop.bpf.o"), "ts");
    expect(text).toContain("    events: { key: never; value: Event };");
    expect(text).toContain("    execs: { key: ExecsKey; value: Event };");
    expect(text).toContain("    max_args: MaxArgs;");
    expect(text).toMatch(
      /tracepoint__syscalls__sys_enter_execve: \{ section: "tracepoint\/syscalls\/sys_enter_execve"; type: "tracepoint" \};/,
    );
  });

  needing("the corpus in ../shared")("an event that a program reserves by size is found", () => {
    const text = generate(corpusObject("lt026-sigsnoop.bpf.o"), "ts");
    expect(text).toContain("events: { key: never; value: Event };");
  });

  needing("the corpus in ../shared")("--events names one", () => {
    const object = corpusObject("lt026-opensnoop.bpf.o");
    expect(generate(object, "ts")).toContain("events: { key: never; value: Uint8Array };");
    expect(generate(object, "ts", { events: ["args_t"] })).toContain("events: { key: never; value: ArgsT };");
    expect(generate(object, "ts", { events: ["events=args_t"] })).toContain("events: { key: never; value: ArgsT };");
    expect(() => generate(object, "ts", { events: ["nothing=args_t"] })).toThrow(
      'no map "nothing"; there are start, events',
    );
    expect(() => generate(object, "ts", { events: ["args"] })).toThrow('no type named "args"');
  });
});

interface Isf {
  base_types: Record<string, { size: number; signed: boolean; kind: string; endian: string }>;
  user_types: Record<
    string,
    { kind: string; size: number; fields: Record<string, { type: Descriptor; offset: number; anonymous?: boolean }> }
  >;
  enums: Record<string, { size: number; base: string; constants: Record<string, number> }>;
  symbols: Record<string, { address: number; type?: Descriptor; constant_data?: string }>;
  metadata: { format: string };
}
interface Descriptor {
  kind: string;
  name?: string;
  count?: number;
  subtype?: Descriptor;
  type?: Descriptor;
  bit_position?: number;
  bit_length?: number;
}

/** The rules of volatility's schema 6.2.0, and that each name that is referred to is there. */
function checkIsf(text: string): Isf {
  const isf = JSON.parse(text) as Isf;
  expect(Object.keys(isf).sort()).toEqual(["base_types", "enums", "metadata", "symbols", "user_types"]);
  expect(isf.metadata.format).toMatch(/^6.[0-9]+.[0-9]+$/);
  const problems: string[] = [];
  const only = (where: string, value: object, allowed: readonly string[]): void => {
    for (const key of Object.keys(value)) if (!allowed.includes(key)) problems.push(`${where}: ${key}`);
  };
  const refer = (where: string, at: Descriptor): void => {
    switch (at.kind) {
      case "base":
        only(where, at, ["kind", "name"]);
        if (!Object.hasOwn(isf.base_types, at.name!)) problems.push(`${where}: no base type ${at.name}`);
        break;
      case "struct":
      case "union":
      case "class":
        only(where, at, ["kind", "name"]);
        if (!Object.hasOwn(isf.user_types, at.name!)) problems.push(`${where}: no type ${at.name}`);
        break;
      case "enum":
        only(where, at, ["kind", "name"]);
        if (!Object.hasOwn(isf.enums, at.name!)) problems.push(`${where}: no enum ${at.name}`);
        break;
      case "pointer":
        only(where, at, ["kind", "subtype", "base"]);
        refer(where, at.subtype!);
        break;
      case "array":
        only(where, at, ["kind", "subtype", "count"]);
        if (!Number.isInteger(at.count)) problems.push(`${where}: count`);
        refer(where, at.subtype!);
        break;
      case "function":
        only(where, at, ["kind"]);
        break;
      case "bitfield":
        only(where, at, ["kind", "bit_position", "bit_length", "type"]);
        if (at.type!.kind !== "base" && at.type!.kind !== "enum")
          problems.push(`${where}: bitfield of ${at.type!.kind}`);
        refer(where, at.type!);
        break;
      default:
        problems.push(`${where}: kind ${at.kind}`);
    }
  };
  for (const [name, base] of Object.entries(isf.base_types)) {
    only(name, base, ["size", "signed", "kind", "endian"]);
    if (!/^(void|int|float|char|bool)$/.test(base.kind)) problems.push(`${name}: ${base.kind}`);
  }
  for (const [name, type] of Object.entries(isf.user_types)) {
    only(name, type, ["kind", "size", "fields"]);
    for (const [field, { type: of, offset, ...rest }] of Object.entries(type.fields)) {
      only(`${name}.${field}`, rest, ["anonymous"]);
      if (!Number.isInteger(offset)) problems.push(`${name}.${field}: offset ${offset}`);
      refer(`${name}.${field}`, of);
    }
  }
  for (const [name, { size, base, constants, ...rest }] of Object.entries(isf.enums)) {
    only(name, rest, []);
    if (!Number.isInteger(size) || isf.base_types[base]?.size !== size) problems.push(`${name}: base ${base}`);
    for (const value of Object.values(constants)) if (!Number.isInteger(value)) problems.push(`${name}: ${value}`);
  }
  for (const [name, { address, type, constant_data: _, ...rest }] of Object.entries(isf.symbols)) {
    only(name, rest, []);
    if (!Number.isInteger(address)) problems.push(`${name}: ${address}`);
    if (type) refer(name, type);
  }
  expect(problems).toEqual([]);
  return isf;
}

describe("volatility's symbols", () => {
  test("a kernel's follow the schema's rules and miss nothing", () => {
    using btf = openFile(LOCAL);
    const systemMap = "ffffffff81000000 T _text\nffffffff82000000 D linux_banner\nffffffff82000100 d init_task\n";
    const isf = checkIsf(generate(btf, "isf", { systemMap, banner: "Linux version 6.1\n" }));
    const task = isf.user_types["task_struct"]!;
    const type = btf.require("task_struct", "struct");
    expect(task.size).toBe(type.byteSize);
    expect(task.fields["pid"]).toEqual({
      type: { kind: "base", name: "int" },
      offset: type.members.find(({ name }) => name === "pid")!.bitOffset / 8,
    });
    expect(isf.symbols["linux_banner"]!.constant_data).toBe(btoa("Linux version 6.1\n"));
    expect(isf.symbols["_text"]!.address).toBe(0xffffffff81000000);
    expect(isf.base_types["pointer"]).toEqual({ size: 8, signed: false, kind: "int", endian: "little" });
  });

  needing("the corpus in ../shared")("so do those of other machines, with bitfields and types of variables", () => {
    for (const name of ["6.12-s390x", "6.12-armhf-layout"]) {
      using btf = openFile(corpusPath(`vmlinux/${name}.btf.gz`));
      const variable = btf.ofKind("var").next().value;
      const systemMap = variable ? `c1000000 D ${variable.name}\n` : "c1000000 T _text\n";
      const isf = checkIsf(generate(btf, "isf", { systemMap }));
      if (variable) expect(isf.symbols[variable.name]!.type).toBeDefined();
    }
  });

  test("a System.map that is none is refused", () => {
    const btf = Btf.parse(everyKind().bytes());
    expect(() => generate(btf, "isf", { systemMap: "what\n" })).toThrow("System.map, line 1: not an address");
    expect(() => generate(btf, "c", { systemMap: "" })).toThrow("belong to isf");
  });
});

describe("wrong input and hostile input", () => {
  const btf = (): Btf => Btf.parse(everyKind().bytes());

  test("is named", () => {
    expect(() => generate(btf(), "rusty" as Language)).toThrow('no language "rusty"; did you mean rust?');
    expect(() => generate(btf(), "c", { events: ["point"] })).toThrow("events belong to BPF objects");
    expect(() => generate(btf(), "c", { types: [btf().require("point")] })).toThrow("belongs to another Btf");
    const of = btf();
    expect(generate(of, "c", { types: [of.require("later"), of.require("run")] })).toContain(
      "/* later: union later is declared, not defined */\n/* run: a FUNC is no type */",
    );
  });

  const NAMES = [
    "a b",
    "x*/y",
    "line\nbreak",
    "<script>alert(1)</script>",
    "Vec<T>",
    "{impl#0}",
    "class",
    "struct",
    "type",
    "self",
    "fn",
    "def",
    "func",
    "None",
    "__proto__",
    "constructor",
    "hasOwnProperty",
    "`$(1)`",
    '"',
    "\\",
    "\\u0000",
    "ä€",
    "0day",
    "_",
    "Self",
    "crate",
    "Array",
    "Int",
    "readInt",
    "ctypes",
    "U8",
    "_fields_",
    "__init__",
    "mro",
    "name",
    "int",
    "u32",
    "len",
    "__x",
    "a__b",
    "a_b",
    "aB",
    "ab",
    "A_B",
    "\u2028",
    "x\\",
    "-->",
    "'''",
    '"""',
  ]; // prettier-ignore

  function hostile(): Image {
    const image = new Image();
    const int = image.int("int", 4, 1);
    const long = image.int("unsigned long", 8);
    image.ref(PTR, int);
    for (const name of NAMES) {
      const inner = image.composite(STRUCT, name, 16, [
        [name, int, 0, 3],
        ["\t", int, 3, 9],
        [name, long, 64],
      ]); // prettier-ignore
      image.composite(UNION, name, 24, [
        [name, inner, 0],
        ["", inner, 0],
        [name, long, 0],
      ]); // prettier-ignore
      image.enumeration(
        name,
        NAMES.slice(0, 40).map((constant, i) => [constant, i] as const),
      );
      image.ref(FWD, 0, name);
      const pointer = image.ref(PTR, image.nextId - 1);
      image.ref(TYPEDEF, image.composite(STRUCT, "", 8, [[name, pointer, 0]]), name);
    }
    return image;
  }

  for (const [language, judge] of Object.entries(compile)) {
    const needs = { c: "gcc and libbpf-dev", rust: "rustc", go: "go", python: "python3", ts: "gzip" } as const;
    needing(needs[language as keyof typeof compile])(`hostile names compile as ${language}`, () => {
      const of = Btf.parse(hostile().bytes());
      const named = [...of].filter(({ kind }) => kind === "typedef");
      judge(generate(of, language as Language));
      judge(generate(of, language as Language, { types: named }));
    });
  }
  test("hostile names are names in volatility's symbols", () =>
    void checkIsf(generate(Btf.parse(hostile().bytes()), "isf")));

  test("types that hold themselves, overlap, or pass their end are comments", () => {
    const image = new Image();
    const int = image.int("int", 4, 1);
    const self = image.nextId;
    image.composite(STRUCT, "self", 8, [
      ["me", self, 0],
      ["x", int, 32],
    ]); // prettier-ignore
    image.composite(STRUCT, "wrong", 8, [
      ["a", int, 0],
      ["b", int, 16],
      ["c", int, 48],
      ["d", int, 3],
    ]); // prettier-ignore
    image.composite(UNION, "late", 8, [["a", int, 8]]);
    const text = generate(Btf.parse(image.bytes()), "c");
    gcc(text);
    for (const reason of [
      "contains itself",
      "overlaps the member before it",
      "ends beyond the 8 bytes",
      "does not start on a byte",
      "does not start where the union does",
    ]) {
      expect(text).toContain(reason);
    }
  });

  test("anonymous types that double at each level end in an error, not in all memory", () => {
    const image = new Image();
    let inner = image.int("int", 4, 1);
    for (let i = 0; i < 30; i++)
      inner = image.composite(UNION, i < 29 ? "" : "top", 4, [
        ["", inner, 0],
        ["", inner, 0],
      ]); // prettier-ignore
    for (const language of ["c", "ts"] as const) {
      expect(() => generate(Btf.parse(image.bytes()), language)).toThrow(expect.objectContaining({ code: "ERR_WORK" }));
    }
    for (const language of ["rust", "go", "python", "isf"] as const) generate(Btf.parse(image.bytes()), language);
  });

  test("mutated images give code or a BtfError in every language", () => {
    const random = seeded("generate");
    const edges = [0, 1, 4, 0x7f, 0xffff, 0xffffff, 0x7fffffff, 0x80000000, 0xffffffff];
    for (let i = 0; i < 3000; i++) {
      const bytes = everyKind(i % 2 ? { endian: "big" } : {}).bytes();
      for (let n = 1 + random(4); n > 0; n--) {
        const at = 24 + (random(bytes.length - 28) & ~3);
        if (random(2)) bytes[at + random(4)]! ^= 1 << random(8);
        else
          new DataView(bytes.buffer).setUint32(at, random(2) ? edges[random(edges.length)]! : random(24), i % 2 === 0);
      }
      try {
        using of = Btf.parse(bytes);
        for (const language of LANGUAGES) {
          const text = generate(of, language, { types: [...of] });
          expect(text.length).toBeLessThan(1e6);
        }
      } catch (error) {
        if (!(error instanceof BtfError) || error.code === "ERR_INTERNAL") throw error;
      }
    }
  });

  needing("the corpus in ../shared")("mutated objects too", () => {
    const random = seeded("generate objects");
    const original = readFileSync(corpusPath("objects/lt026-sigsnoop.bpf.o"));
    for (let i = 0; i < 300; i++) {
      const bytes = Uint8Array.from(original);
      for (let n = 1 + random(8); n > 0; n--) bytes[random(bytes.length)] = random(256);
      try {
        using object = readObject(bytes);
        for (const language of LANGUAGES) generate(object, language);
      } catch (error) {
        if (!(error instanceof BtfError) || error.code === "ERR_INTERNAL") throw error;
      }
    }
  });
});
