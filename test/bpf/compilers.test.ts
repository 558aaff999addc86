// Objects of other compilers than clang-19: the oldest clang that Debian has,
// those in between where they are installed, and gcc.
import { execFileSync, spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { check, encodeExt, readObject, relocate } from "btfkit/bpf";
import { openFile } from "btfkit/node";
import { describe, expect } from "vitest";
import { libbpfSays, weSay } from "../support/libbpf.js";
import { type Need, needing } from "../support/needs.js";
import { compileObject, compileWith, openObject } from "../support/objects.js";

const between = ["clang-15", "clang-16", "clang-17", "clang-18"].filter(
  (name) => spawnSync(name, ["--version"]).status === 0,
);
const clangs = ["clang-14", ...between];
/** Those in between are here, or not asked for. */
const needed = (compiler: string): Need[] => (between.includes(compiler) ? [] : [compiler as Need]);

describe.each([...clangs, "bpf-gcc"])("%s", (compiler) => {
  needing(
    ...needed(compiler),
    "clang-19",
    "gcc and libbpf-dev",
  )("loads are relocated as libbpf does", () => {
    const object = compileWith(compiler, "loads");
    const target = compileObject("loads", "bpfel", "-DTARGET");
    const { relocations } = relocate(openObject(object), openFile(target));
    expect(relocations.map(({ status }) => status)).toEqual(expect.arrayContaining(["same", "changed", "poisoned"]));
    expect(weSay(relocations, true)).toEqual(libbpfSays(object, target));
  });

  needing(...needed(compiler), "readelf")("programs, symbols, records", () => {
    const path = compileWith(compiler, "loads");
    const object = openObject(path);
    expect(object.programs.map(({ section, isSubprogram }) => [section, isSubprogram])).toEqual([
      [".text", true],
      ["raw_tp/loads", false],
    ]);
    const symbols = execFileSync("readelf", ["-W", "-s", path])
      .toString()
      .match(/^\s+\d+: /gm)!;
    expect(object.symbols.length).toBe(symbols.length);
    expect(encodeExt(object.ext, () => 0).length).toBe(object.section(".BTF.ext")!.byteSize);
  });
});

describe.each(clangs)("%s", (compiler) => {
  for (const instructions of ["v2", "v3"]) {
    needing(
      ...needed(compiler),
      "clang-19",
      "gcc and libbpf-dev",
    )(`every kind that it knows, -mcpu=${instructions}`, () => {
      const object = compileWith(compiler, "core", "-DCASE=0", `-mcpu=${instructions}`);
      const target = compileObject("core", "bpfel", "-DTARGET", "-DCASE=0");
      const { relocations } = relocate(openObject(object), openFile(target));
      const wanted = libbpfSays(object, target);
      expect(wanted.length).toBeGreaterThan(100);
      expect(weSay(relocations, true)).toEqual(wanted);
    });
  }

  needing(...needed(compiler), "bpf(2)")("what comes out loads on the running kernel", () => {
    const object = compileWith(compiler, "live");
    const vmlinux = openFile("/sys/kernel/btf/vmlinux");
    expect(check(openObject(object), vmlinux).verdict).toBe("guarded");
    const path = `${object}.relocated`;
    writeFileSync(path, relocate(openObject(object), vmlinux).toBytes());
    for (const one of [object, path]) {
      const pin = `/sys/fs/bpf/btfkit-compilers-${process.pid}`;
      const { status, stderr } = spawnSync("bpftool", ["prog", "loadall", one, pin]);
      rmSync(pin, { recursive: true, force: true });
      expect([status, stderr.toString()]).toEqual([0, ""]);
    }
    expect(readObject(relocate(openObject(object), vmlinux).toBytes()).ext.coreRelocations).toBeUndefined();
  });
});

needing("clang-19", "readelf")("rustc", () => {
  const path = `${compileObject("loads")}.rust`;
  execFileSync("clang-19", ["-target", "bpfel", "-c", "test/native/program.rs.s", "-o", path]);
  const object = openObject(path);
  expect(object.programs.map(({ name, section, type }) => [name, section, type])).toEqual([
    ["pass", "xdp", "xdp"],
    ["probe", "kprobe/do_unlinkat", "kprobe"],
  ]);
  const [map] = object.maps;
  expect([map!.name, map!.definition, map!.type, map!.keySize, map!.valueSize, map!.maxEntries]).toEqual([
    "COUNTS",
    "legacy",
    1,
    4,
    8,
    1024,
  ]);
  expect(object.license).toBe("GPL");
  const lines = object.ext.lineInfo!.sections.flatMap(({ records }) => records.map(({ file }) => file));
  expect(new Set(lines)).toEqual(new Set(["./program.rs"]));
  const target = openFile(compileObject("loads", "bpfel", "-DTARGET"));
  expect(relocate(object, target).relocations).toEqual([]);
  // Aya's maps are in a section that libbpf no longer takes.
  const verdicts = (["libbpf", "cilium", "aya"] as const).map((engine) => check(object, target, { engine }).verdict);
  expect(verdicts).toEqual(["breaks", "ok", "ok"]);
});
