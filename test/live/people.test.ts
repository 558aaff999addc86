// `btfkit ps` and `btfkit map watch`: what a person sees of programs and maps that this process made.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { Kernel } from "btfkit/live";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { needing } from "../support/needs.js";
import { compileSource } from "../support/objects.js";

const test = needing("bpf(2)", "clang-19");
const CLI = resolve("dist/cli/btfkit.cjs");
const GETPGID = 121;

const SOURCE = `
#define SEC(name) __attribute__((section(name), used))
struct visit { unsigned int count; char who[4]; };
struct { int (*type)[1]; int (*max_entries)[8]; unsigned int *key; struct visit *value; } visits SEC(".maps");
SEC("raw_tp/sys_enter") int people_program(void *ctx) { return 0; }
char gpl[] SEC("license") = "GPL";`;

let kernel: Kernel;
beforeAll(async () => {
  kernel = await Kernel.open().catch(() => undefined as never);
});
afterAll(() => kernel?.[Symbol.dispose]());

const btfkit = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { encoding: "utf8" });
  return { code: status, out: stdout, error: stderr };
};

interface Listed {
  readonly programs: readonly {
    readonly id: number;
    readonly type: string;
    readonly name: string;
    readonly attachedTo: readonly string[];
    readonly runCount: string;
    readonly maps: readonly number[];
    readonly holders: readonly { readonly pid: number; readonly name: string }[];
  }[];
}

describe("btfkit ps", () => {
  test("a program, what it hangs on, who holds it, and how often it ran", async () => {
    using app = await kernel.load(compileSource("people", SOURCE));
    const program = app.programs["people_program"]!;
    using _link = program.attach();
    const { id } = program.program.info;
    const listed = JSON.parse(btfkit("ps", "--json").out) as Listed;
    const mine = listed.programs.find((one) => one.id === id);
    expect(mine).toMatchObject({
      type: "raw_tracepoint",
      name: "people_program",
      attachedTo: [expect.stringContaining("sys_enter")],
      holders: expect.arrayContaining([expect.objectContaining({ pid: process.pid })]),
    });
    const lines = btfkit("ps").out.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^ID +TYPE +NAME +ATTACHED TO +RUNS +AVERAGE +SIZE +HELD BY$/);
    expect(lines.find((line) => line.startsWith(`${id} `))).toMatch(
      new RegExp(`raw_tracepoint +people_program +.*sys_enter.*\\(${process.pid}\\)`),
    );
    // The command itself makes calls enough.
    const measured = JSON.parse(btfkit("ps", "--measure", "0.2", "--json").out) as Listed;
    expect(Number(measured.programs.find((one) => one.id === id)!.runCount)).toBeGreaterThan(0);
    kernel.system.ffi.syscall(GETPGID, process.pid);
  });

  test("wrong input", () => {
    expect(btfkit("ps", "extra").code).toBe(2);
    expect(btfkit("ps", "--measure", "soon").code).toBe(2);
  });
});

describe("btfkit map watch", () => {
  test("what is added, changed and removed, by the map's types", async () => {
    using app = await kernel.load(compileSource("people", SOURCE));
    const { map } = app.maps["visits"]!;
    const key = Uint8Array.of(7, 0, 0, 0);
    map.set(key, Uint8Array.of(1, 0, 0, 0, 97, 98, 99, 0));
    const child = spawn(process.execPath, [CLI, "map", "watch", String(map.info.id), "--interval", "0.05", "--json"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const looks = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async (): Promise<unknown[]> => {
      for (;;) {
        const { changes } = JSON.parse((await looks.next()).value as string) as { changes: unknown[] };
        if (changes.length > 0) return changes;
      }
    };
    const [first, second] = [
      { count: 1, who: "abc" },
      { count: 2, who: "abc" },
    ];
    expect(await next()).toEqual([{ change: "added", key: 7, value: first }]);
    map.set(key, Uint8Array.of(2, 0, 0, 0, 97, 98, 99, 0));
    expect(await next()).toEqual([{ change: "changed", key: 7, value: second, before: first }]);
    map.delete(key);
    expect(await next()).toEqual([{ change: "removed", key: 7, before: second }]);
    child.kill("SIGINT");
    await once(child, "close");
  });

  test("for people, with colours on request; and what is wrong", async () => {
    using app = await kernel.load(compileSource("people", SOURCE));
    const { map } = app.maps["visits"]!;
    map.set(Uint8Array.of(7, 0, 0, 0), new Uint8Array(8));
    const watch = (...args: string[]) => btfkit("map", "watch", String(map.info.id), "--count", "1", ...args);
    expect(watch()).toEqual({ code: 0, out: '+ 7: {"count":0,"who":""}\n', error: "" });
    expect(watch("--color", "always").out).toBe('\x1b[32m+ 7: {"count":0,"who":""}\x1b[0m\n');
    expect(watch("--interval", "0").code).toBe(2);
    expect(watch("--count", "none").code).toBe(2);
    expect(btfkit("map", "watch", "no_such_map", "--count", "1")).toMatchObject({
      code: 1,
      error: expect.stringMatching(/no map named/),
    });
    expect(btfkit("map", "watch", "/sys/fs/bpf/none", "--count", "1").code).toBe(3);
    expect(btfkit("map", "show").code).toBe(2);
  });
});
