// What btfkit/live has to do in every runtime, run as a process of its own:
// suite.mjs PATH-OF-LIVE.JS. It prints a line a check, and exits with 1 if one fails.
import { deepStrictEqual, ok, strictEqual, throws } from "node:assert";
import { mkdirSync, readdirSync, readlinkSync, rmSync } from "node:fs";

const { BpfMap, Kernel, Mapping, pageSize, possibleCpus } = await import(process.argv[2]);

/** Descriptors of the BPF subsystem that this process has open. */
function descriptors() {
  const targets = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return "";
    }
  });
  return targets.filter((target) => /bpf|btf/.test(target)).length;
}

let failures = 0;

async function check(name, body) {
  const before = descriptors();
  try {
    await body(await Kernel.open());
    strictEqual(descriptors(), before, "descriptors left open");
    console.log(`ok ${name}`);
  } catch (error) {
    failures++;
    console.log(`not ok ${name}: ${error?.stack ?? error}`);
  }
}

/** Runs `use` and disposes of what it was given, also after a failure: `using` is no syntax of Node 20. */
async function using(object, use) {
  try {
    return await use(object);
  } finally {
    object[Symbol.dispose]();
  }
}

const u32 = (value) => new Uint8Array(Uint32Array.of(value).buffer);
const code = (wanted) => (error) => error.code === wanted;
const make = (kernel, type, more = {}) =>
  kernel.createMap({ type, keyByteSize: 4, valueByteSize: 4, maxEntries: 8, name: "suite", ...more });

await check("a hash is written, read, listed and emptied", (kernel) =>
  using(make(kernel, "hash"), async (map) => {
    for (let i = 0; i < 8; i++) map.set(u32(i), u32(i * i));
    throws(
      () => map.set(u32(99), u32(0)),
      (error) => error.errnoName === "E2BIG",
    );
    throws(
      () => map.set(u32(1), u32(0), "create"),
      (error) => error.errnoName === "EEXIST",
    );
    deepStrictEqual(map.get(u32(3)), u32(9));
    strictEqual(map.get(u32(77)), undefined);
    const all = Array.from(map.entries(), ({ key, value }) => [key[0], value[0]]).sort(([a], [b]) => a - b);
    deepStrictEqual(
      all,
      Array.from({ length: 8 }, (_, i) => [i, i * i]),
    );
    const later = [];
    for await (const { key } of map) later.push(key[0]);
    strictEqual(later.length, 8);
    strictEqual([...map.keys()].length, 8);
    strictEqual(map.delete(u32(3)), true);
    strictEqual(map.delete(u32(3)), false);
    deepStrictEqual(map.pop(u32(4)), u32(16));
    strictEqual(map.info.type, "hash");
    strictEqual(map.keyType, undefined);
    strictEqual(map.status.isFrozen, false);
  }),
);

await check("maps with a value for each CPU", (kernel) =>
  using(make(kernel, "percpu_array"), (map) => {
    map.set(u32(1), u32(5));
    strictEqual(map.get(u32(1)).length, 8 * possibleCpus());
    deepStrictEqual(map.get(u32(1)).subarray(0, 4), u32(5));
    strictEqual([...map.entries()].length, 8);
  }),
);

await check("queues, prefixes, maps of maps", async (kernel) => {
  await using(make(kernel, "queue", { keyByteSize: 0 }), (map) => {
    map.push(u32(1));
    map.push(u32(2));
    deepStrictEqual(map.peek(), u32(1));
    deepStrictEqual(map.pop(), u32(1));
    deepStrictEqual(map.pop(), u32(2));
    strictEqual(map.pop(), undefined);
    throws(() => [...map.keys()], code("ERR_LIVE_MAP_TYPE"));
  });
  await using(make(kernel, "lpm_trie", { keyByteSize: 8, flags: 1 }), (map) => {
    map.set(Uint8Array.of(8, 0, 0, 0, 10, 0, 0, 0), u32(1));
    deepStrictEqual(map.get(Uint8Array.of(32, 0, 0, 0, 10, 1, 2, 3)), u32(1));
    strictEqual([...map.entries()].length, 1);
  });
  await using(make(kernel, "array"), (inner) =>
    using(make(kernel, "hash_of_maps", { innerMap: inner }), (outer) => {
      outer.set(u32(1), inner);
      deepStrictEqual(outer.get(u32(1)), u32(inner.id));
    }),
  );
});

await check("many entries come in batches", (kernel) =>
  using(make(kernel, "hash", { maxEntries: 20000 }), (map) => {
    for (let i = 0; i < 20000; i++) map.set(u32(i), u32(i));
    const seen = new Uint8Array(20000);
    for (const { key, value } of map.entries()) {
      const at = key[0] | (key[1] << 8) | (key[2] << 16);
      strictEqual(value[1], key[1]);
      seen[at]++;
    }
    ok(seen.every((count) => count === 1));
  }),
);

await check("a ring buffer has no keys", (kernel) =>
  using(make(kernel, "ringbuf", { keyByteSize: 0, valueByteSize: 0, maxEntries: pageSize() }), (map) => {
    throws(() => map.get(new Uint8Array()), code("ERR_LIVE_MAP_TYPE"));
    throws(() => [...map.entries()], code("ERR_LIVE_MAP_TYPE"));
  }),
);

await check("wrong sizes, ids and closed descriptors are refused", async (kernel) => {
  await using(make(kernel, "hash"), (map) => {
    throws(() => map.get(new Uint8Array(3)), code("ERR_LIVE_SIZE"));
    throws(() => map.set(u32(1), new Uint8Array(5)), code("ERR_LIVE_SIZE"));
    throws(() => map.pin("/tmp/not-there"), code("ERR_LIVE_BPFFS"));
  });
  for (const open of ["map", "program", "link", "btfObject"]) {
    throws(() => kernel[open](0x7ffffff0), code("ERR_LIVE_NOT_FOUND"));
  }
  const map = make(kernel, "hash");
  map[Symbol.dispose]();
  map[Symbol.dispose]();
  for (const use of [() => map.get(u32(1)), () => map.info, () => map.pin("/sys/fs/bpf/x"), () => [...map.entries()]]) {
    throws(use, code("ERR_LIVE_CLOSED"));
  }
  throws(
    () => kernel.createMap({ type: "hash", keyByteSize: 0, valueByteSize: 4, maxEntries: 1 }),
    code("ERR_LIVE_SYSCALL"),
  );
});

await check("pins are opened as what they are", async (kernel) => {
  const folder = `/sys/fs/bpf/btfkit-suite-${process.pid}`;
  mkdirSync(folder);
  try {
    await using(make(kernel, "hash"), async (map) => {
      map.pin(`${folder}/map`);
      throws(
        () => map.pin(`${folder}/map`),
        (error) => error.errnoName === "EEXIST",
      );
      await using(kernel.pinned(`${folder}/map`), (same) => {
        ok(same instanceof BpfMap);
        strictEqual(same.id, map.id);
      });
      throws(() => kernel.pinnedProgram(`${folder}/map`), code("ERR_LIVE_KIND"));
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

await check("all objects are listed", (kernel) => {
  for (const list of ["maps", "programs", "links", "btfObjects"]) {
    for (const object of kernel[list]()) {
      ok(object.info.id > 0);
      object[Symbol.dispose]();
    }
  }
  const vmlinux = kernel.btf(1);
  ok(vmlinux.find("task_struct", "struct"));
  kernel[Symbol.dispose]();
});

await check("mapped memory is read, and a view that is left does no harm", (kernel) =>
  using(make(kernel, "array", { valueByteSize: 8, flags: 1 << 10 }), (map) => {
    const mapping = new Mapping(kernel.system, map.fd, pageSize(), { isWritable: true });
    const words = new Int32Array(mapping.buffer);
    words[0] = 42;
    deepStrictEqual(map.get(u32(0)).subarray(0, 4), u32(42));
    let sum = 0;
    for (let i = 0; i < 100000; i++) sum += kernel.system.ffi.loadAcquire(words, 0);
    strictEqual(sum, 4200000);
    mapping[Symbol.dispose]();
    mapping[Symbol.dispose]();
    // Undefined where the runtime detaches the view, 0 where it cannot.
    ok(!words[0]);
    const readOnly = new Mapping(kernel.system, map.fd, pageSize());
    const shown = new Int32Array(readOnly.buffer);
    for (let i = 0; i < 100000; i++) sum += kernel.system.ffi.loadAcquire(shown, 0);
    strictEqual(sum, 8400000);
    readOnly[Symbol.dispose]();
  }),
);

await check("waiting ends with data, time, or a signal", async (kernel) => {
  const { ffi } = kernel.system;
  await using(make(kernel, "ringbuf", { keyByteSize: 0, valueByteSize: 0, maxEntries: pageSize() }), async (map) => {
    strictEqual(await ffi.wait(map.fd, { timeout: 20 }), false);
    strictEqual(await ffi.wait(map.fd, { signal: AbortSignal.timeout(20) }), false);
    strictEqual(await ffi.wait(map.fd, { signal: AbortSignal.abort() }), false);
  });
  const event = kernel.system.must("eventfd2", 1, 0);
  strictEqual(await ffi.wait(event, { timeout: 5000 }), true);
  kernel.system.close(event);
});

await check("interrupted calls are made again, and ids that vanish are left out", async () => {
  const { ffi } = (await Kernel.open()).system;
  const calls = new Map();
  const flaky = {
    ...ffi,
    syscall(number, ...args) {
      // close(2) closes also when it is interrupted.
      if (number === (process.arch === "x64" ? 3 : 57)) return ffi.syscall(number, ...args);
      // Every second call is interrupted; no map can be opened by its id.
      const count = (calls.get(number) ?? 0) + 1;
      calls.set(number, count);
      if (count % 2) return -4;
      if (args[0] === 14) return -2;
      return ffi.syscall(number, ...args);
    },
  };
  const kernel = await Kernel.open({ ffi: flaky });
  await using(make(kernel, "hash"), (map) => {
    map.set(u32(1), u32(2));
    deepStrictEqual(map.get(u32(1)), u32(2));
    deepStrictEqual([...kernel.maps()], []);
  });
});

process.exitCode = failures ? 1 : 0;
