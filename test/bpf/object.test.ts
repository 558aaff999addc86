// BPF objects: symbols and relocations as readelf shows them, programs as
// libbpf opens them, maps and variables as their C source has them.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { BtfError } from "btfkit";
import { type BpfObject, readObject } from "btfkit/bpf";
import { describe, expect, test } from "vitest";
import { corpusPath, needing } from "../support/needs.js";
import { compileObject, corpusObject, objectNames, openObject } from "../support/objects.js";
import { seeded } from "../support/random.js";

function readelf(path: string, ...options: string[]): string[] {
  return execFileSync("readelf", ["-W", ...options, path], { stdio: ["ignore", "pipe", "ignore"] })
    .toString()
    .split("\n");
}

/** Symbols as readelf prints them: value, size, type, binding, section, name. */
function symbolsOf(path: string): string[] {
  return readelf(path, "-s").flatMap((line) => {
    const [, value, size, type, binding, section, name = ""] =
      /^\s*\d+: ([0-9a-f]+)\s+(\S+) (\S+)\s+(\S+)\s+\S+\s+(\S+) ?(.*)$/.exec(line) ?? [];
    return value === undefined
      ? []
      : [
          [
            parseInt(value, 16),
            Number(size),
            type!.toLowerCase().replace("notype", "none"),
            binding!.toLowerCase(),
            section!.replace("UND", "0").replace("ABS", "65521"),
            type === "SECTION" ? "" : name,
          ].join(" "),
        ];
  });
}

function ourSymbols({ symbols }: BpfObject): string[] {
  return symbols.map(({ byteOffset, byteSize, type, binding, sectionIndex, name }) =>
    [byteOffset, byteSize, type, binding, sectionIndex, name].join(" "),
  );
}

/** Relocations as readelf prints them: offset, type, symbol. */
function relocationsOf(path: string): string[] {
  return readelf(path, "-r").flatMap((line) => {
    const [, offset, info] = /^([0-9a-f]{16})\s+([0-9a-f]{16}) /.exec(line) ?? [];
    return offset ? [`${parseInt(offset, 16)} ${parseInt(info!.slice(8), 16)} ${parseInt(info!.slice(0, 8), 16)}`] : [];
  });
}

function ourRelocations({ relocations }: BpfObject): string[] {
  return relocations.map(({ byteOffset, type, symbolIndex }) => `${byteOffset} ${type} ${symbolIndex}`);
}

describe("symbols and relocations are readelf's", () => {
  for (const name of objectNames) {
    needing("the corpus in ../shared", "readelf")(name, () => {
      const path = corpusPath(`objects/${name}`);
      const object = corpusObject(name);
      expect(ourSymbols(object)).toEqual(symbolsOf(path));
      expect(ourRelocations(object)).toEqual(relocationsOf(path));
    });
  }
});

describe("programs are libbpf's", () => {
  const folder = corpusPath("golden/core");
  for (const file of existsSync(folder) ? readdirSync(folder).filter((name) => name.includes("__self")) : ["goldens"]) {
    needing("the corpus in ../shared")(file, () => {
      const records = gunzipSync(readFileSync(`${folder}/${file}`))
        .toString()
        .trim()
        .split("\n");
      const opened = records
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .filter(({ rec }) => rec === "prog_open");
      const { programs } = corpusObject(file.replace(/__.*/, ".bpf.o"));
      const types = ["unspec", "socket_filter", "kprobe", "sched_cls", "sched_act", "tracepoint", "xdp", "perf_event"];
      types[17] = "raw_tracepoint";
      types[26] = "tracing";
      expect(
        programs
          .filter(({ isSubprogram }) => !isSubprogram)
          .map(({ name, section, type, autoload, insnCount }) => [name, section, type, autoload, insnCount]),
      ).toEqual(
        opened.map((one) => [
          one["prog"],
          one["section"],
          types[one["type"] as number],
          one["autoload"],
          one["ninsns"],
        ]),
      );
    });
  }
});

describe("an object of ours", () => {
  for (const target of ["bpfel", "bpfeb"] as const) {
    needing("clang-19")(`${target}: programs, maps, variables, license`, () => {
      const object = openObject(compileObject("object", target));
      expect(object.endian).toBe(target === "bpfeb" ? "big" : "little");
      expect(object.license).toBe("Dual BSD/GPL");
      expect(
        object.programs.map(({ name, section, type, convention, attachTo, autoload, isSubprogram, isGlobal }) =>
          [name, section, type, convention, attachTo, autoload, isSubprogram, isGlobal].join(" "),
        ),
      ).toEqual([
        "pid_of .text unspec   true true true",
        "tgid_of .text unspec   true true false",
        "probe kprobe/do_unlinkat kprobe kprobe do_unlinkat true false false",
        "later fentry.s/vmlinux:do_exit tracing fentry.s vmlinux:do_exit false false false",
        "event tp/sched/sched_switch tracepoint tp sched/sched_switch true false false",
      ]);
      const typeName = (id: number | undefined): string => (id === undefined ? "-" : object.btf.nameAt(id));
      expect(
        object.maps.map(({ name, type, keySize, valueSize, maxEntries, flags, pinning, keyTypeId, valueTypeId }) =>
          [name, type, keySize, valueSize, maxEntries, flags, pinning, typeName(keyTypeId), typeName(valueTypeId)].join(
            " ",
          ),
        ),
      ).toEqual(["counts 1 4 16 256 1  u32 value", "events 27   4096  1 - -"]);
      const globals = object.globals.map(({ name, section, byteOffset, byteSize }) =>
        [name, section, byteOffset, byteSize].join(" "),
      );
      expect(globals.sort()).toEqual([
        "hidden .bss 0 8",
        "tail .data.tail 0 4",
        "total .data 0 8",
        "wanted .rodata 0 4",
      ]);
      const externs = object.externs.map(({ name, kind, isWeak }) => [name, kind, isWeak].join(" "));
      expect(externs.sort()).toEqual(["CONFIG_HZ kconfig false", "bpf_thing func true", "runqueues var false"]);
    });
  }

  needing("clang-19")("which program holds an instruction", () => {
    const object = openObject(compileObject("object"));
    const text = object.sections.findIndex(({ name }) => name === ".text");
    const [first, second] = object.programs.filter(({ isSubprogram }) => isSubprogram);
    expect(object.programAt(text, 0)).toBe(first);
    expect(object.programAt(text, second!.byteOffset - 8)).toBe(first);
    expect(object.programAt(text, second!.byteOffset)).toBe(second);
    expect(object.programAt(text, second!.byteOffset + second!.byteSize)).toBeUndefined();
  });
});

needing("clang-19")("damaged objects are refused, never more", () => {
  const good = readFileSync(compileObject("object"));
  const random = seeded("object");
  for (let i = 0; i < 3000; i++) {
    const bytes = new Uint8Array(good).slice(0, random(4) ? good.length : random(good.length));
    for (let n = 0; n < 4 && bytes.length; n++) {
      bytes[random(2) ? random(bytes.length) : bytes.length - 1 - random(Math.min(2000, bytes.length))] = random(256);
    }
    try {
      const object = readObject(bytes);
      void [object.maps, object.license, object.externs, object.globals, JSON.stringify(object.ext)];
    } catch (error) {
      if (!(error instanceof BtfError) || error.code === "ERR_INTERNAL") throw error;
    }
  }
});

test("not a BPF object", () => {
  expect(() => readObject(new Uint8Array(100))).toThrow(/not a BPF object: it does not start with the ELF magic/);
});
