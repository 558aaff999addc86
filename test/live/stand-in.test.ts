// A map without a kernel beside a map of the kernel: the same calls come to the same, errno and all.
import { Kernel, type MapSurface, StandInMap, type StandInOptions } from "btfkit/live";
import { describe, expect, test } from "vitest";
import { needing } from "../support/needs.js";
import { type Random, seeded } from "../support/random.js";

const KINDS: readonly StandInOptions[] = [
  { type: "hash", keyByteSize: 4, valueByteSize: 8, maxEntries: 5 },
  { type: "array", keyByteSize: 4, valueByteSize: 8, maxEntries: 5 },
  { type: "queue", keyByteSize: 0, valueByteSize: 8, maxEntries: 5 },
  { type: "stack", keyByteSize: 0, valueByteSize: 8, maxEntries: 5 },
];

type Call = (map: MapSurface) => unknown;

function someCall({ type, keyByteSize, valueByteSize }: StandInOptions, random: Random): Call {
  const key = new Uint8Array(random(20) === 0 ? 3 : keyByteSize);
  if (key.length > 0) key[0] = random(7);
  const value = Uint8Array.from({ length: random(20) === 0 ? 1 : valueByteSize }, () => random(256));
  const modes = ["any", "create", "replace"] as const;
  const mode = modes[random(3)]!;
  const replaces = random(2) === 0;
  const isList = type === "queue" || type === "stack";
  const calls: Call[] = [
    (map) => map.set(key, value, isList ? "any" : mode),
    (map) => map.set(key, value),
    (map) => map.get(key),
    (map) => map.delete(key),
    (map) => map.push(value, replaces),
    (map) => map.peek(),
    (map) => map.nextKey(),
  ];
  // Kernels before 5.14 take no key out of a hash so.
  if (isList) calls.push((map) => map.pop());
  return calls[random(calls.length)]!;
}

/** What a call comes to. */
function outcome(call: Call, map: MapSurface): unknown {
  try {
    const result = call(map);
    return result instanceof Uint8Array ? [...result] : result;
  } catch (error) {
    const { name, code, errnoName } = error as { name: string; code: string; errnoName?: string };
    return [name, code, errnoName];
  }
}

describe("beside the kernel's", () => {
  for (const options of KINDS) {
    needing("bpf(2)")(`${options.type}: 2,000 calls`, async () => {
      using kernel = await Kernel.open();
      using real = kernel.createMap({ ...options, name: "real" });
      using made = new StandInMap({ ...options, name: "real" });
      expect([made.name, made.type]).toEqual([real.name, real.type]);
      const random = seeded(`stand-in ${options.type}`);
      for (let i = 0; i < 2000; i++) {
        const call = someCall(options, random);
        const isKeyOrder = String(call).includes("nextKey") && options.type === "hash";
        const [theirs, ours] = [real, made].map((map) => outcome(call, map));
        if (!isKeyOrder) expect([i, String(call), ours]).toEqual([i, String(call), theirs]);
      }
      if (options.keyByteSize > 0) {
        const sorted = (map: MapSurface) =>
          Array.from(map.entries(), ({ key, value }) => [...key, ...value].join()).sort();
        expect(sorted(made)).toEqual(sorted(real));
      }
      for (const map of [real, made]) map.freeze();
      const key = new Uint8Array(options.keyByteSize);
      for (const call of [(map: MapSurface) => map.set(key, new Uint8Array(8)), (map: MapSurface) => map.delete(key)])
        expect(outcome(call, made)).toEqual(outcome(call, real));
    });
  }
});

test("the least recently used goes first", () => {
  const map = new StandInMap({ type: "lru_hash", keyByteSize: 1, valueByteSize: 1, maxEntries: 2 });
  for (const key of [1, 2]) map.set(Uint8Array.of(key), Uint8Array.of(key));
  map.get(Uint8Array.of(1));
  map.set(Uint8Array.of(3), Uint8Array.of(3));
  expect(Array.from(map.keys(), ([key]) => key)).toEqual([1, 3]);
});

test("entries, one turn after the other; wrong input", async () => {
  const map = new StandInMap({ type: "array", keyByteSize: 4, valueByteSize: 1, maxEntries: 2 });
  map.set(new Uint8Array(4), Uint8Array.of(9));
  const values: number[] = [];
  for await (const { value } of map) values.push(value[0]!);
  expect(values).toEqual([9, 0]);
  expect(
    () => new StandInMap({ type: "ringbuf" as never, keyByteSize: 0, valueByteSize: 0, maxEntries: 4096 }),
  ).toThrow(/no stand-in/);
  expect(() => new StandInMap({ type: "hash", keyByteSize: 0, valueByteSize: 4, maxEntries: 1 })).toThrow(/EINVAL/);
});
