// What goes wrong around loaded objects: consumers that are slow, processes
// that are killed, permissions and types that are missing.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync, rmSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { readObject } from "btfkit/bpf";
import { EventWriter, Kernel, type LoadedMap } from "btfkit/live";
import { planObject } from "btfkit/load";
import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";
import { bpfDescriptors } from "../support/live.js";
import { needing } from "../support/needs.js";
import { compileObject, compileSource } from "../support/objects.js";

const test = needing("bpf(2)", "tracefs", "clang-19");
const LIVE = resolve("dist/live.js");
const CLI = resolve("dist/cli/btfkit.cjs");
const GETPGID = 121;

let kernel: Kernel;
let open = 0;
beforeAll(async () => {
  kernel = await Kernel.open().catch(() => undefined as never);
  open = bpfDescriptors();
});
afterAll(() => kernel?.[Symbol.dispose]());
afterEach(() => expect(bpfDescriptors()).toBe(open));

/** Runs a pinned program in a process of its own. */
const PRODUCER = `
  const { Kernel } = await import(process.argv[1]);
  const program = (await Kernel.open()).pinnedProgram(process.argv[2]);
  for (let i = 0; i < 1000; i++) program.run({ context: new Uint8Array(4) });`;

function number(map: LoadedMap, byteOffset: number): bigint {
  const bytes = map.map.get(new Uint8Array(4))!;
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(byteOffset, true);
}

describe("a million events of another process", () => {
  for (const [what, maxEntries] of [
    ["a ring buffer with room for a twentieth", 1 << 21],
    ["one that is much too small", 1 << 13],
  ] as const) {
    test(`through ${what}: consumed and lost are all, in order`, async () => {
      using app = await kernel.load(compileObject("flood"), { maps: { ring: { maxEntries } } });
      const pin = `/sys/fs/bpf/btfkit-flood-${process.pid}`;
      app.programs["flood"]!.program.pin(pin);
      const stop = new AbortController();
      const events = app.maps["ring"]!.read<{ number: bigint; triple: bigint; name: string }>({ signal: stop.signal });
      let [consumed, last] = [0n, -1n];
      const take = (event: { number: bigint; triple: bigint; name: string }): void => {
        if (event.number <= last || event.triple !== 3n * event.number || event.name !== "abc")
          throw new Error(`event ${event.number} comes after ${last}`);
        last = event.number;
        consumed++;
      };
      try {
        const child = spawn(process.execPath, ["--input-type=module", "-e", PRODUCER, LIVE, pin], { stdio: "inherit" });
        // Its end has its turn although events come all the time.
        child.once("close", () => stop.abort());
        expect(await events.each(take)).toBe(Number(consumed));
        events.consume(take);
        expect(child.exitCode).toBe(0);
      } finally {
        rmSync(pin);
      }
      const [written, lost] = [number(app.maps[".bss"]!, 0), number(app.maps[".bss"]!, 8)];
      expect(written).toBe(1_000_000n);
      expect(consumed + lost).toBe(written);
    });
  }
});

test("what is closed while it is read ends the reading", async () => {
  const app = await kernel.load(compileObject("flood"));
  const events = app.maps["ring"]!.read();
  const run = (): unknown => app.programs["flood"]!.run({ context: new Uint8Array(4) });
  run();
  let count = 0;
  for await (const _event of events) if (++count === 10) events[Symbol.dispose]();
  expect(count).toBe(10);
  // Without a limit: only the disposal ends it.
  const waiting = app.maps["ring"]!.read();
  waiting.consume(() => {});
  setTimeout(() => app[Symbol.dispose](), 20);
  expect(await waiting.each(() => {})).toBe(0);
  const map = kernel.createMap({ type: "user_ringbuf", keyByteSize: 0, valueByteSize: 0, maxEntries: 4096 });
  const writer = new EventWriter(map);
  writer.write(new Uint8Array(4088));
  setTimeout(() => writer[Symbol.dispose](), 20);
  expect(await writer.send(new Uint8Array(8))).toBe(false);
  map[Symbol.dispose]();
});

test("a killed process leaves nothing attached", async () => {
  const child = spawn(process.execPath, [CLI, "run", compileObject("events"), "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const attached = (): boolean => {
    for (const link of kernel.links()) {
      using one = link;
      using program = kernel.program(one.info.programId);
      if (program.name === "on_tracepoint") return true;
    }
    return false;
  };
  const until = async (state: boolean): Promise<void> => {
    for (let i = 0; i < 200 && attached() !== state; i++) await new Promise((wait) => setTimeout(wait, 50));
    expect(attached()).toBe(state);
  };
  await until(true);
  child.kill("SIGKILL");
  await once(child, "close");
  await until(false);
});

test("300 programs in an object", async () => {
  const programs = Array.from(
    { length: 300 },
    (_, i) =>
      `SEC("tp/syscalls/sys_enter_getpgid") int program_${i}(void *c) { __sync_fetch_and_add(&runs, 1); return 0; }`,
  );
  const source = `#define SEC(name) __attribute__((section(name), used))
    unsigned long long runs = 0; ${programs.join("\n")} char _license[] SEC("license") = "GPL";`;
  using app = await kernel.load(compileSource("many", source));
  expect(Object.keys(app.programs).length).toBe(300);
  // A tracepoint takes 64 programs.
  for (let i = 0; i < 40; i++) app.programs[`program_${i}`]!.attach();
  kernel.system.ffi.syscall(GETPGID, 0);
  expect(number(app.maps[".bss"]!, 0)).toBeGreaterThanOrEqual(40n);
});

test("without permission nothing is loaded, and the error says what is missing", () => {
  const object = compileObject("events");
  chmodSync(dirname(object), 0o755);
  const script = `
    process.setgroups([]); process.setgid(65534); process.setuid(65534);
    const { Kernel } = await import(process.argv[1]);
    const error = await (await Kernel.open()).load(process.argv[2]).catch((cause) => cause);
    console.log(error.code, error.message);`;
  const out = execFileSync(process.execPath, ["--input-type=module", "-e", script, LIVE, object], { encoding: "utf8" });
  expect(out).toMatch(/^ERR_LIVE_PERMISSION bpf\(\w+\): operation not permitted: .*CAP_/);
});

describe("a kernel without BTF", () => {
  const kernelWithout = { vmlinux: undefined, release: "4.19.0", cpus: 1, kallsyms: new Map() } as const;

  test("refuses an object with CO-RE relocations, and takes it with the types of a file", () => {
    const source = `#define SEC(name) __attribute__((section(name), used))
      struct task_struct { int pid; } __attribute__((preserve_access_index));
      SEC("raw_tp/x") int program(struct task_struct **c) { return __builtin_preserve_field_info(c[0]->pid, 0); }
      char _license[] SEC("license") = "GPL";`;
    const path = compileSource("core", source);
    const plan = (options = {}) => planObject(readObject(readFileSync(path)), kernelWithout, options);
    expect(plan().error).toMatchObject({ errnoName: "ESRCH", message: expect.stringContaining("has no BTF") });
    const target = { vmlinux: kernel.vmlinux, modules: [] };
    expect(plan({ coreTarget: target }).error).toBeUndefined();
    const { status, stdout } = spawnSync(
      process.execPath,
      [CLI, "load", path, "--plan", "--target", "/sys/kernel/btf/vmlinux", "--kernel", "4.19.0", "--cpus", "1"],
      { encoding: "utf8" },
    );
    expect([status, JSON.parse(stdout).err]).toEqual([0, 0]);
  });
});
