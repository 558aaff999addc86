// Programs on static probes of an executable and a library of our own: the
// arguments are read by libbpf's header.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { BtfError } from "btfkit";
import { type AnyApp, Kernel, type LoadedObject, type LoadOptions } from "btfkit/live";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { SPEC_SIZE, usdtSpec } from "../../src/live/attach/usdt-arguments.js";
import { bpfDescriptors } from "../support/live.js";
import { needing } from "../support/needs.js";
import { compileObject } from "../support/objects.js";

const folder = mkdtempSync(join(tmpdir(), "btfkit-usdt-"));
const FLAGS = ["-D__TARGET_ARCH_x86", "-I/usr/include/x86_64-linux-gnu"];
const live = (name: string, body: () => Promise<void>) =>
  needing("bpf(2)", "clang-19", "gcc and libbpf-dev")(name, body);

let kernel: Kernel;
let open = 0;
beforeAll(async () => {
  kernel = await Kernel.open().catch(() => undefined as never);
  open = bpfDescriptors();
});
afterAll(() => kernel?.[Symbol.dispose]());
afterEach(() => expect(bpfDescriptors()).toBe(open));

function compile(name: string, ...flags: string[]): string {
  const path = join(folder, name);
  execFileSync("gcc", ["-O2", ...flags, "-o", path, "test/native/usdt.c"]);
  return path;
}

const load = async (options?: LoadOptions): Promise<LoadedObject<AnyApp>> =>
  await kernel.load(compileObject("usdt", "bpfel", ...FLAGS), options);

/** A process that fires the probes for each line, and answers with the semaphore. */
async function fired(path: string): Promise<{ fire(): Promise<string>; end(): Promise<void> } & { pid: number }> {
  const child = spawn(path, [], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    pid: child.pid!,
    async fire() {
      child.stdin.write("\n");
      return (await lines.next()).value as string;
    },
    async end() {
      child.stdin.end();
      await once(child, "close");
    },
  };
}

function taken(app: LoadedObject<AnyApp>): unknown[] {
  const events: unknown[] = [];
  using stream = app.maps["ring"]!.read();
  stream.consume((event) => void events.push(event));
  return events;
}

const EVENTS = [
  { number: -5n, constant: -77n, small: 200n, count: 4, unknown: -2, text: "registers" },
  { number: 6n, constant: -77n, small: 201n, count: 4, unknown: -2, text: "memory" },
];

describe("a program on a static probe", () => {
  live("gets the arguments of every place, and the semaphore is counted", async () => {
    const path = compile("fired");
    const child = await fired(path);
    using app = await load({ maps: { __bpf_usdt_specs: { maxEntries: 4 } } });
    const program = app.programs["on_probe"]!;
    expect(await child.fire()).toBe("0");
    const link = program.attach({ target: `${path}:btfkit:fired`, cookie: 42n });
    expect(link.target).toBe(`static probe ${path}:btfkit:fired`);
    // Both places count the one semaphore.
    expect(Number(await child.fire())).toBeGreaterThan(0);
    expect(taken(app)).toEqual(EVENTS.map((event) => ({ ...event, cookie: 42n })));
    link[Symbol.dispose]();
    expect(await child.fire()).toBe("0");
    expect(taken(app)).toEqual([]);
    // The specs' places are free again.
    for (let i = 0; i < 4; i++) program.attach({ target: `${path}:btfkit:fired` })[Symbol.dispose]();
    using _again = program.attach({ target: `${path}:btfkit:fired`, pid: child.pid });
    await child.fire();
    expect(taken(app)).toEqual(EVENTS.map((event) => ({ ...event, cookie: 0n })));
    await child.end();
  });

  live("gets those of a library", async () => {
    const library = compile("libfired.so", "-shared", "-fPIC", "-DLIBRARY", "-Wl,-z,notext");
    const script = join(folder, "call.py");
    writeFileSync(script, `import ctypes; ctypes.CDLL("${library}").in_memory(6, b"memory", 201)`);
    using app = await load();
    using _link = app.programs["on_probe"]!.attach({ target: `${library}:btfkit:fired` });
    execFileSync("python3", [script]);
    expect(taken(app)).toEqual([{ ...EVENTS[1], cookie: 0n }]);
  });

  live("attaches with all others by its section's name", async () => {
    const path = compile("named");
    using app = await kernel.load(compileObject("usdt", "bpfel", ...FLAGS, `-DSECTION="usdt/${path}:btfkit:fired"`));
    expect(app.attachAll().map(({ target }) => target)).toEqual([`static probe ${path}:btfkit:fired`]);
    const child = await fired(path);
    await child.fire();
    await child.end();
    expect(taken(app).length).toBe(2);
  });

  for (const [what, target, message] of [
    ["a probe that is not there", ":btfkit:none", /no probe "btfkit:none"; it has btfkit:fired, btfkit:plain/],
    ["a target without a probe", "", /is not FILE:PROVIDER:PROBE/],
  ] as const) {
    live(`refuses ${what}`, async () => {
      const path = compile("refused");
      using app = await load();
      expect(() => app.programs["on_probe"]!.attach({ target: path + target })).toThrow(message);
    });
  }

  live("refuses files without probes, damaged ones, and a full map of specs", async () => {
    using app = await load({ maps: { __bpf_usdt_specs: { maxEntries: 1 } } });
    const attach = (target: string) => app.programs["on_probe"]!.attach({ target });
    expect(() => attach("/usr/bin/env:a:b")).toThrow(/has no static probes/);
    expect(() => attach("none9:a:b")).toThrow(/no file "none9" in PATH/);
    expect(() => attach("./package.json:a:b")).toThrow(/not a little-endian 64-bit ELF file/);
    const path = compile("full");
    expect(() => attach(`${path}:btfkit:fired`)).toThrow(/has room for 1 probes/);
    attach(`${path}:btfkit:plain`)[Symbol.dispose]();
  });

  live("refuses a file with any word of its tables changed, and does no harm", async () => {
    const bytes = readFileSync(compile("whole"));
    const section = execFileSync("readelf", ["-WS", join(folder, "whole")], { encoding: "utf8" });
    const [, notes = ""] = /\.note\.stapsdt +NOTE +\w+ (\w+)/.exec(section) ?? [];
    const path = join(folder, "damaged");
    using app = await load();
    const places = [...Array(64).keys(), ...Array.from({ length: 120 }, (_, i) => Number.parseInt(notes, 16) + i)];
    for (const at of places) {
      const damaged = Uint8Array.from(bytes);
      damaged[at]! ^= 0xff;
      writeFileSync(path, damaged);
      try {
        app.programs["on_probe"]!.attach({ target: `${path}:btfkit:fired` })[Symbol.dispose]();
      } catch (error) {
        if (!(error instanceof BtfError)) throw error;
      }
    }
  });
});

/** The words of an argument's spec: value, type, index, shift, register, sign, bits. */
function argument(text: string, architecture: "x64" | "arm64" = "x64"): unknown[] {
  const view = new DataView(usdtSpec(text, 9n, architecture).buffer);
  const word = view.getUint32(8, true);
  return [
    view.getBigInt64(0, true),
    word & 255,
    (word >> 8) & 0xfff,
    (word >> 20) & 15,
    view.getInt16(12, true),
    view.getUint8(14),
    view.getUint8(15),
  ];
}

describe("a spec of arguments", () => {
  for (const [text, expected] of [
    ["4@$-9", [-9n, 0, 0, 0, 0, 0, 32]],
    ["-8@%rax", [0n, 1, 0, 0, 80, 1, 0]],
    ["1@%sil", [0n, 1, 0, 0, 104, 0, 56]],
    ["-2@%r10w", [0n, 1, 0, 0, 56, 1, 48]],
    ["8@%ebp", [0n, 1, 0, 0, 32, 0, 0]],
    ["-4@-1204(%rbp)", [-1204n, 2, 0, 0, 32, 1, 32]],
    ["8@(%rsp)", [0n, 2, 0, 0, 152, 0, 0]],
    ["-4@-12(%rax,%rbx,4)", [-12n, 3, 40, 2, 80, 1, 32]],
    ["8@(%rax, %r9)", [0n, 3, 64, 0, 80, 0, 0]],
  ] as const)
    test(`${text} on x86-64`, () => expect(argument(text)).toEqual(expected));

  for (const [text, expected] of [
    ["-4@5", [5n, 0, 0, 0, 0, 1, 32]],
    ["8@x30", [0n, 1, 0, 0, 240, 0, 0]],
    ["-4@w1", [0n, 1, 0, 0, 8, 1, 32]],
    ["-4@[sp, 96]", [96n, 2, 0, 0, 248, 1, 32]],
    ["8@[x19]", [0n, 2, 0, 0, 152, 0, 0]],
  ] as const)
    test(`${text} on arm64`, () => expect(argument(text, "arm64")).toEqual(expected));

  test("has the cookie and the count behind the arguments", () => {
    const view = new DataView(usdtSpec("4@%eax 4@%ebx", 7n, "x64").buffer);
    expect([view.byteLength, view.getBigUint64(192, true), view.getInt16(200, true)]).toEqual([SPEC_SIZE, 7n, 2]);
    expect(usdtSpec("", 0n, "x64")).toEqual(new Uint8Array(SPEC_SIZE));
  });

  for (const text of ["3@%eax", "4@%xyz", "4@name(%rip)", "4", "4@%eax x", Array(13).fill("4@$1").join(" ")])
    test(`refuses "${text.slice(0, 20)}"`, () => expect(() => usdtSpec(text, 0n, "x64")).toThrow(RangeError));
});
