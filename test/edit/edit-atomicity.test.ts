// Wrong input, full disks, signals: what makes BTF leaves inputs as they are and
// nothing half-written behind. And long work tells how far it is and can be stopped.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Btf, BtfError } from "btfkit";
import {
  dedup,
  distill,
  encode,
  fingerprints,
  merge,
  type ProgressOptions,
  permute,
  rebase,
  sanitize,
  sortByName,
  verify,
} from "btfkit/edit";
import { openFile } from "btfkit/node";
import { describe, expect, test } from "vitest";
import { built } from "../support/brief.js";
import { elf } from "../support/elf.js";
import * as image from "../support/image.js";
import { everyKind, Image } from "../support/image.js";

const KERNEL = "test/data/vmlinux-6.1-cloud-amd64.btf.gz";
const folder = mkdtempSync(join(tmpdir(), "btfkit-refusals-"));
const file = (name: string, bytes: Uint8Array | string): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};
const run = (...args: string[]): { code: number | null; out: string; error: string } => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["dist/cli/btfkit.cjs", ...args]);
  return { code: status, out: stdout.toString("latin1"), error: stderr.toString() };
};

const kernel = openFile(KERNEL);
/** A small split on a kernel. */
const module = built(
  [
    `ptr ${kernel.require("int").id}`,
    `const ${kernel.require("list_head").id}`,
    `struct mine 16: a ${kernel.size}@0, b ${kernel.require("list_head").id}@64`,
  ],
  kernel,
);

describe("progress and abort", () => {
  const identity = Uint32Array.from({ length: kernel.size }, (_, id) => id);
  const distilled = distill(module).btf;
  const work: Record<string, (options: ProgressOptions) => unknown> = {
    dedup: (options) => dedup(kernel, options),
    merge: (options) => merge([kernel, kernel], options),
    fingerprints: (options) => fingerprints(kernel, options),
    verify: (options) => verify(kernel, options),
    sanitize: (options) => sanitize(kernel, { kernel: "5.4", ...options }),
    permute: (options) => permute(kernel, identity, options),
    sortByName: (options) => sortByName(kernel, options),
    distill: (options) => distill(module, options),
    rebase: (options) => rebase(distilled, kernel, options),
  };
  const before = encode(kernel);

  for (const [name, start] of Object.entries(work)) {
    test(name, () => {
      const shares: number[] = [];
      start({ onProgress: (done, total) => shares.push(done / total) });
      expect(shares.length).toBeGreaterThan(0);
      expect(shares).toEqual([...shares].sort((a, b) => a - b));
      expect(shares.at(-1)).toBeLessThanOrEqual(1);
      expect(() => start({ signal: AbortSignal.abort(new Error("enough")) })).toThrow("enough");
      // As soon as it has begun.
      const stop = new AbortController();
      let told = 0;
      const stopping: ProgressOptions = {
        signal: stop.signal,
        onProgress: () => {
          told++;
          stop.abort(new Error("enough"));
        },
      };
      if (shares.length > 1) {
        expect(() => start(stopping)).toThrow("enough");
        expect(told).toBe(1);
      }
      expect(Buffer.from(encode(kernel)).equals(before)).toBe(true);
    });
  }
});

describe("refusals leave inputs as they are", () => {
  const looped = (): Btf => built(["const 2", "volatile 1", "ptr 1"]);
  const unknownKind = (): Btf => {
    const to = new Image({ layout: [...image.LAYOUT, [4, 0]] });
    to.type(20, "x", 0, [0]);
    return Btf.parse(to.bytes());
  };
  const dangling = (): Btf => {
    const to = new Image();
    to.proto(77);
    return Btf.parse(to.bytes());
  };
  const cases: Record<string, readonly [code: string, input: () => Btf, act: (btf: Btf) => unknown]> = {
    "dedup of a circle of modifiers": ["ERR_DEDUP_LOOP", looped, (btf) => dedup(btf)],
    "merge of one": ["ERR_DEDUP_LOOP", looped, (btf) => merge([built(["int i 4"]), btf])],
    "dedup of a type id out of range": ["ERR_BTF_TYPE_ID", dangling, (btf) => dedup(btf)],
    "dedup of an unknown kind": ["ERR_UNSUPPORTED", unknownKind, (btf) => dedup(btf)],
    "fingerprints of an unknown kind": ["ERR_UNSUPPORTED", unknownKind, (btf) => fingerprints(btf)],
    "permute of an unknown kind": ["ERR_UNSUPPORTED", unknownKind, (btf) => sortByName(btf)],
    "sanitize of an unknown kind": ["ERR_UNSUPPORTED", unknownKind, (btf) => sanitize(btf, { kernel: "5.4" })],
    "distill of what is no split": ["ERR_DISTILL_BASE", () => built(["int i 4"]), (btf) => distill(btf)],
    "rebase onto a kernel that lost a type": [
      "ERR_REBASE_MISSING",
      () => distill(built(["ptr 1"], built(["struct lost 4"]))).btf,
      (btf) => rebase(btf, built(["int i 4"])),
    ],
    "merge of splits on unlike bases": [
      "ERR_BUILD_BASE",
      () => built(["ptr 1"], built(["int i 4"])),
      (btf) => merge([btf, built(["ptr 1"], built(["int j 4"]))], { base: btf.base! }),
    ],
  };
  for (const [name, [code, input, act]] of Object.entries(cases)) {
    test(name, () => {
      const btf = input();
      const before = encode(btf);
      let error: unknown;
      try {
        act(btf);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(BtfError);
      expect((error as BtfError).code).toBe(code);
      expect(encode(btf)).toEqual(before);
    });
  }
});

describe("command line: one line, an exit code, nothing left", () => {
  const base = everyKind();
  const other = new Image();
  other.int("int");
  const split = new Image({ base });
  split.ref(image.PTR, 19);
  split.ref(image.TYPEDEF, 20, "far");
  const paths = {
    base: file("base.btf", base.bytes()),
    other: file("other.btf", other.bytes()),
    split: file("split.btf", split.bytes()),
    loop: file("loop.btf", encode(built(["const 2", "volatile 1"]))),
    text: file("text", "no BTF at all\n"),
    cut: file("cut.btf", base.bytes().slice(0, 60)),
    elf: file("none.o", elf({ ".text": new Uint8Array(4) })),
    own: file("own.ko", elf({ ".BTF": split.bytes(), ".BTF.base": base.bytes() })),
  };
  const cases: Record<string, readonly [code: number, error: RegExp, ...args: string[]]> = {
    "dedup of a circle": [3, /loop\.btf: type \[1\] refers to itself/, "dedup", paths.loop],
    "merge of text": [3, /text: /, "merge", paths.base, paths.text],
    "merge of a file that is cut off": [3, /cut\.btf: /, "merge", paths.base, paths.cut],
    "dedup of a file without BTF": [3, /none\.o: .*\.BTF/, "dedup", paths.elf],
    "dedup of a split without its base": [3, /split\.btf: .*-B FILE/, "dedup", paths.split],
    "dedup of a split on a base that does not fit": [
      3,
      /split\.btf: .*does it belong to the base .*other\.btf/,
      "dedup",
      paths.split,
      "-B",
      paths.other,
    ],
    "a base that is none": [3, /text: /, "dedup", paths.split, "-B", paths.text],
    "a base that is not there": [3, /no such file/, "dedup", paths.split, "-B", join(folder, "gone")],
    "rebase onto a kernel that lost a type": [
      1,
      /has no .*used by/,
      "rebase",
      paths.split,
      "-B",
      paths.base,
      "-N",
      file("empty.btf", encode(built(["float f 4"]))),
    ],
    "rebase without a new base": [2, /--new-base/, "rebase", paths.split, "-B", paths.base],
    "a file's own base, onto a kernel that lost a type": [3, /own\.ko: /, "dedup", paths.own, "-B", paths.other],
    "convert to no byte order": [2, /middle.*little, big/, "convert", paths.base, "--endian", "middle"],
    "sanitize for no kernel": [2, /--kernel/, "sanitize", paths.base],
    "sanitize for what is no version": [3, /new/, "sanitize", paths.base, "--kernel", "new"],
    "verify for what is no version": [3, /new/, "verify", paths.base, "--kernel", "new"],
  };
  for (const [name, [code, error, ...args]] of Object.entries(cases)) {
    test(name, () => {
      const place = mkdtempSync(join(folder, "out-"));
      const result = run(...args, "-o", join(place, "target"));
      expect(result).toEqual({ code, out: "", error: expect.stringMatching(error) });
      expect(result.error).toMatch(/^btfkit: [^\n]+\n$/);
      expect(result.error).not.toMatch(/ at .*\.[cm]?js:\d|undefined|\[object|a bug/);
      expect(readdirSync(place)).toEqual([]);
    });
  }

  test("distill needs a place for both results", () => {
    expect(run("distill", paths.split, "-B", paths.base, "-o", join(folder, "alone"))).toMatchObject({ code: 2 });
    expect(existsSync(join(folder, "alone"))).toBe(false);
  });

  for (const command of [
    ["convert", KERNEL, "--endian", "big"],
    ["dedup", KERNEL],
    ["dump", KERNEL],
  ]) {
    test(`a full disk: ${command[0]}`, () => {
      const full = spawnSync("sh", [
        "-c",
        `"$0" "$@" > /dev/full`,
        process.execPath,
        "dist/cli/btfkit.cjs",
        ...command,
      ]);
      expect([full.status, full.stderr.toString()]).toEqual([
        3,
        expect.stringMatching(/standard output.*no space left/i),
      ]);
      const named = run(...command, "-o", "/dev/full");
      expect(named).toMatchObject({
        code: 3,
        error: expect.stringMatching(/^btfkit: \/dev\/full.*no space left[^\n]*\n$/i),
      });
      expect(statSync("/dev/full").isCharacterDevice()).toBe(true);
    });
  }

  test("a device stays one, a link leads to the file that is replaced", () => {
    expect(run("dump", paths.base, "-o", "/dev/null")).toEqual({ code: 0, out: "", error: "" });
    expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
    const target = file("linked", "old");
    symlinkSync(target, join(folder, "link"));
    expect(run("dump", paths.base, "-o", join(folder, "link")).code).toBe(0);
    expect(readFileSync(target, "latin1")).toMatch(/^\[1\] INT/);
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test("a folder where nothing can be made", () => {
    const place = mkdtempSync("/tmp/btfkit-closed-");
    execFileSync("cp", ["-r", "dist/cli", join(place, "cli")]);
    execFileSync("cp", [paths.base, join(place, "in.btf")]);
    execFileSync("chmod", ["-R", "a+rX", place]);
    chmodSync(place, 0o555);
    const { status, stderr } = spawnSync(
      process.execPath,
      [join(place, "cli/btfkit.cjs"), "dedup", join(place, "in.btf"), "-o", join(place, "out")],
      process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {},
    );
    expect([status, stderr.toString()]).toEqual([
      3,
      expect.stringMatching(/^btfkit: .*out.*permission denied[^\n]*\n$/i),
    ]);
    expect(readdirSync(place).sort()).toEqual(["cli", "in.btf"]);
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    test(`${signal} while a file is written`, async () => {
      const place = mkdtempSync(join(folder, "stopped-"));
      writeFileSync(join(place, "header.h"), "old");
      const child = spawn(process.execPath, [
        "dist/cli/btfkit.cjs",
        "dump",
        KERNEL,
        "-f",
        "c",
        "-o",
        join(place, "header.h"),
      ]);
      const ended = new Promise((resolve) => child.on("exit", (code, by) => resolve(by ?? code)));
      // As soon as the file beside it is there.
      while (readdirSync(place).length < 2 && child.exitCode === null)
        await new Promise((later) => setTimeout(later, 1));
      child.kill(signal);
      const end = await ended;
      expect(readdirSync(place)).toEqual(["header.h"]);
      if (end === signal) expect(readFileSync(join(place, "header.h"), "utf8")).toBe("old");
      else expect(end).toBe(0); // It was faster.
    });
  }
});
