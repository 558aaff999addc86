// `btfkit bpftool` beside Debian's bpftool, on the same live ids: output and
// exit codes are compared byte for byte.
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { Kernel } from "../../src/live/kernel.js";
import type { MapType } from "../../src/live/types.js";
import { bpfDescriptors, compiledBpf, ours, Pinned, theirs } from "../support/live.js";
import { needing } from "../support/needs.js";

const test = (name: string, body: () => Promise<void>) => needing("bpf(2)", "clang-19")(name, body);
const pinned = new Pinned("bpftool");
const map = (name: string): string[] => ["pinned", pinned.path(`maps/${name}`)];

/** Others make objects too: what both say of all of them is compared in a quiet moment. */
const ATTEMPTS = 20;

/** Compares a command line in all its outputs. */
async function expectSame(args: readonly string[], options = ["", "-j", "-p"]): Promise<void> {
  for (const option of options) await expectSameOnce(option ? [option, ...args] : args);
}

/** As `expectSame`, for what changes while others work. */
async function expectSameList(args: readonly string[], options = ["", "-j", "-p", "-f", "-jf", "-pf"]): Promise<void> {
  for (const option of options) {
    const all = option ? [option, ...args] : args;
    for (let attempt = 1; attempt < ATTEMPTS; attempt++) {
      const before = theirs(...all);
      const our = await ours("bpftool", ...all);
      const after = theirs(...all);
      if (our.out === after.out || before.out === after.out) break;
    }
    await expectSameOnce(all);
  }
}

async function expectSameOnce(args: readonly string[]): Promise<void> {
  const [their, our] = [theirs(...args), await ours("bpftool", ...args)];
  expect({ args, code: our.code, out: our.out }).toEqual({ args, code: their.code, out: their.out });
  // The usage is of what is there.
  if (!their.error.startsWith("Usage")) expect(our.error).toBe(their.error);
}

beforeAll(() => pinned.load("values"));
afterAll(() => pinned.remove());

let open = 0;
beforeAll(() => {
  open = bpfDescriptors();
});
afterEach(() => expect(bpfDescriptors()).toBe(open));

const hex = (bytes: Uint8Array): string[] => [
  "hex",
  ...Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")),
];
const u32 = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);

for (const object of ["map", "prog", "link", "btf"]) {
  test(`lists every ${object}`, async () => {
    await expectSameList([object, "list"]);
    await expectSameList([object], [""]);
    await expectSame([object, "show", "id", "999999999"]);
  });
}

test("shows one map by id, name and path", async () => {
  await expectSame(["map", "show", ...map("hashes")]);
  await expectSame(["map", "show", "name", "each_cpu"]);
  await expectSame(["m", "s", "name", "no_such_name"]);
});

test("dumps maps with values of every kind", async () => {
  const size = JSON.parse(theirs("-j", "map", "show", ...map("hashes")).out).bytes_value as number;
  for (let i = 0; i < 6; i++) {
    const value = Uint8Array.from({ length: size }, (_, at) => [0, 255, at, at * 37 + i, 0x41 + (at % 26), at % 2][i]!);
    const key = Uint8Array.of(i, 0, 0, 0, 0x41, i % 2 ? 0x42 : 0, 0, 0);
    expect(theirs("map", "update", ...map("hashes"), "key", ...hex(key), "value", ...hex(value)).error).toBe("");
  }
  await expectSame(["map", "dump", ...map("hashes")]);
  await expectSame(["map", "lookup", ...map("hashes"), "key", ...hex(Uint8Array.of(3, 0, 0, 0, 0x41, 0x42, 0, 0))]);
});

test("dumps arrays, per-CPU maps, floats, sections, slots of programs, queues", async () => {
  for (let i = 0; i < 3; i++) {
    const value = Uint8Array.from({ length: 8 }, (_, at) => at * i + 1);
    theirs("map", "update", ...map("counts"), "key", ...hex(u32(i)), "value", ...hex(value));
    theirs("map", "update", ...map("waiting"), "value", ...hex(value));
    theirs("map", "update", ...map("recent"), "key", ...hex(u32([0, 5, -3][i]! >>> 0)), "value", ...hex(value));
  }
  theirs(
    "map",
    "update",
    ...map("tails"),
    "key",
    ...hex(u32(1)),
    "value",
    "pinned",
    pinned.path("long_name_of_a_filter"),
  );
  for (const name of ["points", "counts", "each_cpu", "floating", "recent", "tails", "waiting"]) {
    await expectSame(["map", "dump", ...map(name)]);
    await expectSame(["map", "lookup", ...map(name), "key", "0", "0", "0", "0"]);
    await expectSame(["map", "getnext", ...map(name)]);
    await expectSame(["map", "getnext", ...map(name), "key", "0", "0", "0", "0"]);
    await expectSame(["map", "lookup", ...map(name), "key", "hex", "99", "0", "0", "0"], ["", "-j"]);
    await expectSame(["map", "peek", ...map(name)]);
    await expectSame(["btf", "dump", "map", ...map(name)]);
    await expectSame(["btf", "dump", "map", ...map(name), "key"], [""]);
    await expectSame(["btf", "dump", "map", ...map(name), "value"], ["-j"]);
    await expectSame(["btf", "dump", "map", ...map(name), "all"], ["-p"]);
  }
  for (const name of ["values.bss", "values.data", "values.rodata"]) await expectSame(["map", "dump", "name", name]);
});

test("shows and disassembles programs", async () => {
  for (const name of ["long_name_of_a_filter", "pass"]) {
    const program = ["pinned", pinned.path(name)];
    await expectSame(["prog", "show", ...program]);
    await expectSame(["prog", "show", "name", name]);
    for (const how of [[], ["linum"], ["opcodes"]]) {
      await expectSame(["prog", "dump", "xlated", ...program, ...how], ["", "-j"]);
    }
    await expectSame(["prog", "dump", "xlated", ...program, "visual"], [""]);
    await expectSame(["btf", "dump", "prog", ...program]);
  }
  await expectSame(["prog", "dump", "jited", "name", "pass"]);
  await expectSame(["prog", "dump", "xlated", "name", "no_such_name"]);
});

/** Types of maps that can be made without more, with the sizes of key and value and flags where these are special. */
const SIZES: Record<string, readonly [key: number, value: number, entries?: number, flags?: number]> = {
  lpm_trie: [8, 8, 4, 1],
  stack_trace: [4, 80],
  cgroup_storage: [16, 8, 0],
  percpu_cgroup_storage: [16, 8, 0],
  queue: [0, 8],
  stack: [0, 8],
  ringbuf: [0, 0, 4096],
  user_ringbuf: [0, 0, 4096],
  bloom_filter: [0, 8],
  reuseport_sockarray: [4, 8],
  sockhash: [4, 8],
  arena: [0, 0, 4, 1 << 10],
};
const TYPES = [
  ..."hash array prog_array perf_event_array percpu_hash percpu_array cgroup_array lru_hash lru_percpu_hash".split(" "),
  ..."devmap devmap_hash sockmap cpumap xskmap".split(" "),
  ...Object.keys(SIZES),
];

test("every type of map: show, update, lookup, next key, dump, delete, pop", async () => {
  const kernel = await Kernel.open();
  for (const type of TYPES) {
    const [keyByteSize, valueByteSize, maxEntries = 4, flags = 0] = SIZES[type] ?? [4, 4];
    const wanted = { type: type as MapType, keyByteSize, valueByteSize, maxEntries, flags, name: type.slice(0, 15) };
    const made = kernel.createMap(wanted);
    try {
      const id = ["id", String(made.id)];
      const key = Array<string>(keyByteSize).fill("1");
      if (type === "lpm_trie") key.splice(0, 4, "16", "0", "0", "0");
      const withKey = keyByteSize ? ["key", ...key] : [];
      const update = [
        "map",
        "update",
        ...id,
        ...withKey,
        ...(valueByteSize ? ["value", ...Array(valueByteSize).fill("2")] : []),
      ];
      await expectSame(["map", "show", ...id]);
      await expectSame(update, [""]);
      await expectSame([...update, "noexist"], [""]);
      await expectSame(["map", "dump", ...id]);
      await expectSame(["map", "lookup", ...id, ...withKey], ["", "-j"]);
      await expectSame(["map", "getnext", ...id], ["", "-j"]);
      for (const remove of [
        ["map", "delete", ...id, ...withKey],
        ["map", "pop", ...id],
      ]) {
        const their = theirs(...remove);
        theirs(...update);
        expect({ remove, ...(await ours("bpftool", ...remove)) }).toEqual({ remove, ...their });
      }
    } finally {
      made[Symbol.dispose]();
    }
  }
});

test("what is wrong with a command line is said in bpftool's words, with its exit code", async () => {
  for (const line of [
    "map show foo",
    "map show id x",
    "map dump name averyveryverylongname",
    "map lookup id 99999999",
    "map pin",
    "map create /sys/fs/bpf/zzz",
    "map create /sys/fs/bpf/zzz type foo key 4 value 4 entries 1 name x",
    "map create /sys/fs/bpf/zzz type hash key 4 value 4 entries 1",
    "map create /sys/fs/bpf/zzz type hash key 0 value 4 entries 1 name x",
    "map show pinned /sys/fs/bpf/none",
    "map show pinned /tmp",
    "map freeze",
    "prog show tag zz",
    "prog dump foo",
    "prog run",
    "link detach",
    "link detach id 99999999",
    "btf dump id 99999999",
    "btf dump id 1 format x",
    "btf dump foo 1",
    "btf dump file /nonexistent",
  ]) {
    await expectSame(line.split(" "), ["", "-j"]);
  }
  expect(await ours("bpftool", "net", "show")).toEqual({
    code: 2,
    out: "",
    error: "btfkit: bpftool net: this drop-in does not have it\n",
  });
});

test("shows and detaches links", async () => {
  const kernel = await Kernel.open();
  using program = kernel.pinnedProgram(pinned.path("pass"));
  using link = kernel.adopt(
    "link",
    kernel.system.bpf("LINK_CREATE", {
      "link_create.prog_fd": program.fd,
      // The loopback interface, as XDP.
      "link_create.target_fd": 1,
      "link_create.attach_type": 37,
    }),
  );
  link.pin(pinned.path("link"));
  await expectSame(["link", "show", "id", String(link.id)], ["", "-j", "-p", "-f", "-jf"]);
  await expectSame(["link", "show", "pinned", pinned.path("link")]);
  await expectSame(["map", "show", "pinned", pinned.path("link")]);
  expect((await ours("bpftool", "link", "detach", "id", String(link.id))).code).toBe(0);
  await expectSame(["link", "show", "id", String(link.id)]);
});

test("runs programs", async () => {
  const packet = join(mkdtempSync(join(tmpdir(), "btfkit-")), "packet");
  writeFileSync(
    packet,
    Uint8Array.from({ length: 64 }, (_, i) => i),
  );
  const args = ["prog", "run", "pinned", pinned.path("pass"), "data_in", packet, "data_out", "-"];
  const [their, our] = [theirs(...args), await ours("bpftool", ...args)];
  const timeless = (text: string): string => text.replace(/\d+ns/, "");
  expect(timeless(our.out)).toBe(timeless(their.out));
});

/** What lies at and below a path of the BPF file system, and what bpftool says of each but ids and times. */
function pinnedAt(path: string): unknown {
  if (!existsSync(path)) return undefined;
  if (statSync(path).isDirectory()) {
    return Object.fromEntries(
      readdirSync(path)
        .sort()
        .map((name) => [name, pinnedAt(join(path, name))]),
    );
  }
  const shown = ["prog", "map"]
    .map((object) => theirs("-j", object, "show", "pinned", path))
    .find(({ code }) => code === 0)!;
  const { id, loaded_at, map_ids, btf_id, pids, ...rest } = JSON.parse(shown.out) as Record<string, unknown>;
  return { ...rest, maps: Array.isArray(map_ids) ? map_ids.length : undefined, hasBtf: btf_id !== undefined };
}

test("loads objects, and pins what it has loaded", async () => {
  const object = compiledBpf("values");
  const empty = join(mkdtempSync(join(tmpdir(), "btfkit-")), "empty.o");
  writeFileSync(empty, "no object");
  const [their, our] = [pinned.path("their"), pinned.path("our")];
  const replaced = ["map", "name", "hashes", ...map("hashes")];
  const shared = ["map", "idx", "0", ...map("points")];
  for (const args of [
    ["load", object, "PATH"],
    ["load", object, "PATH", "pinmaps", "PATH-maps"],
    ["loadall", object, "PATH", "pinmaps", "PATH/maps"],
    ["loadall", object, "PATH", ...replaced, "pinmaps", "PATH/maps"],
    ["loadall", object, "PATH", ...shared],
    ["load", object, "PATH", "map", "idx", "x", ...map("points")],
    ["load", object, "PATH", "map", "size", "1", ...map("points")],
    ["load", object, "PATH", "elsewhere"],
    ["load", object],
    ["load", empty, "PATH"],
    ["load", `${object}.none`, "PATH"],
    ["loadall", object, "/sys/fs/bpf/a.b/c/d"],
  ]) {
    for (const options of [[], ["-j"]]) {
      const placed = (path: string): string[] => [...options, "prog", ...args.map((arg) => arg.replace("PATH", path))];
      const [expected, found] = [theirs(...placed(their)), await ours("bpftool", ...placed(our))];
      expect({ args, code: found.code, out: found.out }).toEqual({ args, code: expected.code, out: expected.out });
      for (const suffix of ["", "-maps"]) {
        expect(pinnedAt(our + suffix), args.join(" ")).toEqual(pinnedAt(their + suffix));
        for (const path of [their, our]) rmSync(path + suffix, { recursive: true, force: true });
      }
    }
  }
});
