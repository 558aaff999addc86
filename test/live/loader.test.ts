// Objects loaded into the running kernel, attached, and their events read: our
// own programs, and those of the corpus beside bpftool's verdict.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BtfError } from "btfkit";
import { type AnyApp, BtfVerifierError, EventWriter, Kernel, type LoadedObject, type LoadOptions } from "btfkit/live";
import { BtfLoadError } from "btfkit/load";
import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";
import { bpfDescriptors, ours } from "../support/live.js";
import { corpusPath, needing } from "../support/needs.js";
import { compileObject, objectNames } from "../support/objects.js";

const GETPGID = 121;
const GETSID = 124;
const test = (name: string, body: () => Promise<void>) => needing("bpf(2)", "tracefs", "clang-19")(name, body);

let kernel: Kernel;
let open = 0;
beforeAll(async () => {
  if (process.getuid?.() === 0 && !existsSync("/sys/kernel/tracing/events"))
    spawnSync("mount", ["-t", "tracefs", "tracefs", "/sys/kernel/tracing"]);
  kernel = await Kernel.open().catch(() => undefined as never);
  open = bpfDescriptors();
});
afterAll(() => kernel?.[Symbol.dispose]());
afterEach(() => expect(bpfDescriptors()).toBe(open));

const call = (number: number): number => kernel.system.ffi.syscall(number, 0);

async function loaded(options: LoadOptions = {}): Promise<LoadedObject<AnyApp>> {
  const globals = { only_pid: process.pid, ...options.globals };
  return await kernel.load(compileObject("events"), { ...options, globals });
}

describe("events", () => {
  test("come from a tracepoint by a ring buffer, typed, in order, with the cookie", async () => {
    using app = await loaded({ globals: { first_number: 100 } });
    using link = app.programs["on_tracepoint"]!.attach({ cookie: 77n });
    const events = app.maps["ring"]!.read({ timeout: 500 });
    for (let i = 0; i < 500; i++) call(GETPGID);
    const found = [];
    for await (const event of events) found.push(event);
    expect(found.length).toBe(500);
    expect(found[0]).toEqual({ pid: process.pid, number: 100, cookie: 77n, comm: expect.any(String) });
    expect(found.map((event) => (event as { number: number }).number)).toEqual(found.map((_, i) => 100 + i));
    expect(events.reason).toBe("the object has a struct event");
    expect(link.link?.info.type).toBe("perf_event");
    link[Symbol.dispose]();
    call(GETPGID);
    expect(events.consume(() => {})).toBe(0);
  });

  for (const program of ["on_raw_tracepoint", "on_typed_tracepoint"]) {
    test(`come from ${program}`, async () => {
      using app = await loaded({ autoload: { [program]: true } });
      using _link = app.programs[program]!.attach();
      const events = app.maps["ring"]!.read();
      call(GETPGID);
      expect(events.consume(() => {})).toBe(1);
    });
  }

  test("come from a function of a library", async () => {
    using app = await kernel.load(compileObject("events"), { autoload: { on_function: true } });
    using _link = app.programs["on_function"]!.attach({ target: "libc.so.6:getpgid", cookie: 9n });
    const events = app.maps["ring"]!.read<{ cookie: bigint; comm: string }>();
    execFileSync("python3", ["-c", "import os; os.getpgid(0)"]);
    const found: { cookie: bigint; comm: string }[] = [];
    events.consume((event) => void found.push(event));
    expect(found).toContainEqual(expect.objectContaining({ cookie: 9n, comm: "python3" }));
  });

  test("come by perf buffers, and what programs build on their stack has its type found", async () => {
    using app = await loaded({ autoload: { on_stack: true } });
    using _link = app.programs["on_stack"]!.attach();
    const events = app.maps["perf"]!.read({ timeout: 500 });
    for (let i = 0; i < 20; i++) call(GETSID);
    const found = [];
    for await (const event of events) found.push(event);
    expect(found.length).toBe(20);
    expect(found[3]).toMatchObject({ pid: process.pid, comm: expect.any(String) });
  });

  test("end with the signal, are bytes on request, and none are lost of a flood", async () => {
    using app = await loaded({ autoload: { flood: true } });
    const stop = new AbortController();
    const events = app.maps["ring"]!.read<Uint8Array>({ raw: true, signal: stop.signal });
    let expected = 0n;
    for (let round = 0; round < 50; round++) {
      const { returnValue } = app.programs["flood"]!.run({ context: new Uint8Array(4) });
      expect(returnValue).toBe(7);
      events.consumeRaw((bytes, at, length) => {
        const view = new DataView(bytes.buffer, bytes.byteOffset + at, length);
        if (length !== 24 || view.getBigUint64(0, true) !== expected || view.getBigUint64(8, true) !== expected * 3n)
          throw new Error(`event ${expected} is not in order`);
        expected++;
      });
    }
    expect(expected).toBe(50_000n);
    setTimeout(() => stop.abort(), 50);
    for await (const _event of events) throw new Error("nothing is left");
  });

  test("a full ring buffer drops the newest, and goes on once there is room", async () => {
    using app = await loaded({ autoload: { flood: true } });
    const events = app.maps["ring"]!.read({ raw: true });
    for (let i = 0; i < 5; i++) app.programs["flood"]!.run({ context: new Uint8Array(4) });
    // 64 KiB hold 2048 records of 24 bytes with their headers; the kernel never fills the last byte.
    expect(events.consume(() => {})).toBe(2047);
    app.programs["flood"]!.run({ context: new Uint8Array(4) });
    expect(events.consume(() => {})).toBe(1000);
  });
});

test("records for programs that do not fit, or come too late, are refused", async () => {
  const map = kernel.createMap({ type: "user_ringbuf", keyByteSize: 0, valueByteSize: 0, maxEntries: 4096 });
  const writer = new EventWriter(map);
  expect(() => writer.write(new Uint8Array(4089))).toThrow(/a record of 4089 bytes never fits into 4096 bytes/);
  expect(() => writer.write({ number: 1 })).toThrow(/give bytes/);
  expect(writer.write(new Uint8Array(4088))).toBe(true);
  expect(writer.write(new Uint8Array(0))).toBe(false);
  expect(await writer.send(new Uint8Array(0), { timeout: 20 })).toBe(false);
  expect(await writer.send(new Uint8Array(0), { signal: AbortSignal.timeout(20) })).toBe(false);
  writer[Symbol.dispose]();
  writer[Symbol.dispose]();
  expect(() => writer.write(new Uint8Array(1))).toThrow(/it is closed/);
  map[Symbol.dispose]();
  using app = await loaded();
  expect(() => app.maps["ring"]!.writer()).toThrow(/a map of type ringbuf takes no records/);
  expect(() => app.maps["ring"]!.writer("none9")).toThrow(/no type "none9"/);
});

test("samples of the processor are counted in a map", async () => {
  using app = await loaded({ autoload: { on_sample: true } });
  const link = app.programs["on_sample"]!.attach({ frequency: 999 });
  const until = Date.now() + 300;
  while (Date.now() < until);
  link[Symbol.dispose]();
  const count = app.maps["counts"]!.map.get(new Uint8Array(4))!;
  expect(new DataView(count.buffer).getBigUint64(0, true)).toBeGreaterThan(10n);
});

test("an XDP program counts packets on a veth pair in a namespace of its own", async () => {
  const space = `btfkit-${process.pid}`;
  const ip = (...args: string[]): void => void execFileSync("ip", args);
  ip("netns", "add", space);
  try {
    ip("-n", space, "link", "add", "left", "type", "veth", "peer", "name", "right");
    for (const end of ["left", "right"]) ip("-n", space, "link", "set", end, "up");
    const script = `
      import { Kernel } from "btfkit/live";
      import { execFileSync } from "node:child_process";
      const kernel = await Kernel.open();
      const app = await kernel.load(process.argv[2], { autoload: { on_packet: true, on_tracepoint: false } });
      const link = app.programs.on_packet.attach({ interface: "right" });
      execFileSync("ip", ["addr", "add", "10.99.0.1/24", "dev", "left"]);
      execFileSync("bash", ["-c", "for i in 1 2 3; do echo x > /dev/udp/10.99.0.2/9 || true; done"], { stdio: "ignore" });
      await new Promise((resolve) => setTimeout(resolve, 500));
      const bytes = app.maps.counts.map.get(new Uint8Array([1, 0, 0, 0]));
      console.log(new DataView(bytes.buffer).getBigUint64(0, true) > 0n, link.link.info.type);`;
    const path = join("build", `xdp-${process.pid}.mjs`);
    writeFileSync(path, script);
    const out = execFileSync("ip", ["netns", "exec", space, process.execPath, path, compileObject("events")], {
      encoding: "utf8",
    });
    rmSync(path);
    expect(out.trim()).toBe("true xdp");
  } finally {
    ip("netns", "del", space);
  }
});

test("a control group's program denies connections, until it is detached", async () => {
  using app = await loaded({ autoload: { on_connect: true } });
  const root = mkdtempSync(join(tmpdir(), "btfkit-cgroup-"));
  execFileSync("mount", ["-t", "cgroup2", "cgroup2", root]);
  const group = `${root}/btfkit-${process.pid}`;
  mkdirSync(group);
  const connect = (): string =>
    spawnSync(
      "python3",
      [
        "-c",
        `import os, socket
open("${group}/cgroup.procs", "w").write(str(os.getpid()))
s = socket.socket()
try: s.connect(("127.0.0.1", 9))
except OSError as e: print(e.errno)
open("${root}/cgroup.procs", "w").write(str(os.getpid()))`,
      ],
      { encoding: "utf8" },
    ).stdout.trim();
  try {
    expect(connect()).toBe("111");
    const link = app.programs["on_connect"]!.attach({ cgroup: group });
    expect(connect()).toBe("1");
    link[Symbol.dispose]();
    expect(connect()).toBe("111");
  } finally {
    rmdirSync(group);
    execFileSync("umount", [root]);
    rmdirSync(root);
  }
});

test("an iterator is read", async () => {
  using app = await loaded({ autoload: { on_task: true } });
  const text = Buffer.concat([...app.programs["on_task"]!.iterate()]).toString();
  expect(text).toMatch(/^(task)+$/);
  expect(() => [...app.programs["on_tracepoint"]!.iterate()]).toThrow(/is not an iterator's/);
});

describe("what goes wrong", () => {
  test("the verifier's refusal names program, line and reason, and leaves nothing open", async () => {
    const error = await kernel.load(compileObject("events"), { autoload: { refused: true } }).catch((cause) => cause);
    expect(error).toBeInstanceOf(BtfVerifierError);
    expect(error).toMatchObject({
      program: "refused",
      errnoName: "EACCES",
      reason: expect.stringContaining("bpf_context"),
    });
    expect(error.place.source).toContain("4096");
    expect(error.log.length).toBeGreaterThan(error.message.length / 4);
  });

  for (const [what, act, message] of [
    ["an interface is not named", (app: LoadedObject) => app.programs["on_packet"]!.attach(), /give interface/],
    [
      "an interface is absent",
      (app: LoadedObject) => app.programs["on_packet"]!.attach({ interface: "none9" }),
      /no network interface "none9"/,
    ],
    [
      "a tracepoint is absent",
      (app: LoadedObject) => app.programs["on_tracepoint"]!.attach({ target: "none/none" }),
      /no tracepoint none\/none/,
    ],
    [
      "a tracepoint is no name",
      (app: LoadedObject) => app.programs["on_tracepoint"]!.attach({ target: "../x" }),
      /CATEGORY\/NAME/,
    ],
    [
      "a function is absent",
      (app: LoadedObject) => app.programs["on_function"]!.attach({ target: "libc.so.6:none9" }),
      /no function "none9"/,
    ],
    [
      "a library is absent",
      (app: LoadedObject) => app.programs["on_function"]!.attach({ target: "libnone.so.9:f" }),
      /no file "libnone.so.9"/,
    ],
    ["no target is named", (app: LoadedObject) => app.programs["on_function"]!.attach(), /which file and function/],
    ["a map has no events", (app: LoadedObject) => app.maps["counts"]!.read(), /a map of type array has no events/],
    ["a type is absent", (app: LoadedObject) => app.maps["ring"]!.read({ type: "none9" }), /no type "none9"/],
    ["a group is absent", (app: LoadedObject) => app.programs["on_connect"]!.attach({ cgroup: "/nowhere" }), /nowhere/],
  ] as const) {
    test(what, async () => {
      using app = await loaded({ autoload: { on_packet: true, on_function: true, on_connect: true } });
      expect(() => act(app)).toThrow(message);
      expect(() => act(app)).toThrow(BtfError);
    });
  }

  test("a file that is no object, and one that is not there", async () => {
    await expect(kernel.load("package.json")).rejects.toThrow(BtfError);
    await expect(kernel.load("none9.o")).rejects.toThrow(/none9.o/);
  });

  test("what was read, attached or closed is closed once", async () => {
    const app = await loaded();
    const events = app.maps["ring"]!.read();
    const link = app.programs["on_tracepoint"]!.attach();
    app[Symbol.dispose]();
    app[Symbol.dispose]();
    events[Symbol.dispose]();
    link[Symbol.dispose]();
    expect(link.isOpen).toBe(false);
  });

  test("a pinned map of another shape is not taken", async () => {
    const path = `/sys/fs/bpf/btfkit-pin-${process.pid}`;
    try {
      {
        using first = await loaded({ maps: { counts: { pin: path } } });
        first.maps["counts"]!.map.set(new Uint8Array(4), new Uint8Array(8).fill(1));
      }
      {
        using second = await loaded({ maps: { counts: { pin: path } } });
        expect(second.maps["counts"]!.map.get(new Uint8Array(4))).toEqual(new Uint8Array(8).fill(1));
      }
      await expect(loaded({ maps: { counts: { pin: path, maxEntries: 3 } } })).rejects.toThrow(
        /another shape: entries 2 instead of 3/,
      );
    } finally {
      rmSync(path, { force: true });
    }
  });
});

describe("objects of the corpus load where bpftool loads them", () => {
  for (const name of objectNames) {
    needing("bpf(2)", "the corpus in ../shared")(name, async () => {
      const path = corpusPath(`objects/${name}`);
      const folder = `/sys/fs/bpf/btfkit-all-${process.pid}`;
      const before = new Set(readdirSync("/sys/fs/bpf"));
      const { status } = spawnSync("bpftool", ["prog", "loadall", path, folder]);
      rmSync(folder, { recursive: true, force: true });
      const unpin = (): void => {
        for (const entry of readdirSync("/sys/fs/bpf"))
          if (!before.has(entry)) rmSync(`/sys/fs/bpf/${entry}`, { recursive: true });
      };
      unpin();
      try {
        using app = await kernel.load(path);
        expect(status).toBe(0);
        expect(Object.keys(app.programs).length).toBeGreaterThan(0);
      } catch (error) {
        if (!(error instanceof BtfError)) throw error;
        expect({ status, error: `${error}` }).toEqual({ status: 255, error: `${error}` });
      } finally {
        unpin();
      }
    });
  }
});

describe("btfkit run and load", () => {
  test("run prints events as JSON and ends after a count", async () => {
    const timer = setInterval(() => call(GETPGID), 5);
    const { code, out, error } = await ours(
      "run",
      compileObject("events"),
      "--set",
      `only_pid=${process.pid}`,
      "--events",
      "ring",
      "--count",
      "3",
      "--json",
    );
    clearInterval(timer);
    expect({ code, error }).toEqual({ code: 0, error: "" });
    const events = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(events.map(({ event }) => event.number)).toEqual([0, 1, 2]);
  });

  test("run says what is wrong", async () => {
    const run = async (...args: string[]) => (await ours("run", compileObject("events"), ...args)).error;
    expect(await run("--set", "none=1")).toMatch(/no global variable "none"; it has/);
    expect(await run("--set", "x")).toMatch(/write NAME=VALUE/);
    expect(await run("--events", "none")).toMatch(/the object's maps are/);
    expect(await run("--attach", "none")).toMatch(/no program "none"; it has on_tracepoint/);
    expect((await ours("run", "package.json")).code).toBe(3);
  });

  test("load pins programs and maps, or nothing", async () => {
    const folder = `/sys/fs/bpf/btfkit-load-${process.pid}`;
    try {
      const { code, out } = await ours("load", compileObject("events"), "--pin", folder);
      expect(code).toBe(0);
      expect(out.split("\n")).toContain(`${folder}/on_tracepoint`);
      expect(spawnSync("bpftool", ["map", "show", "pinned", `${folder}/maps/ring`]).status).toBe(0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    const outside = mkdtempSync(join(tmpdir(), "btfkit-pin-"));
    const { code, error } = await ours("load", compileObject("events"), "--pin", `${outside}/x`);
    expect(code).not.toBe(0);
    expect(error).toMatch(/not in a BPF file system/);
    expect(readdirSync(outside)).toEqual([]);
  });

  test("an object that does not fit is refused as a plan says", async () => {
    const error = await kernel.load(corpusPath("objects/lt026-mdflush.bpf.o")).catch((cause) => cause);
    if (existsSync(corpusPath("objects"))) expect(error).toBeInstanceOf(BtfLoadError);
  });
});
