// What btfkit takes to load an object and to read its events: the modes of
// bench/native/loader.c, in whichever runtime this is started.
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import process from "node:process";
import { Kernel } from "../../dist/live.js";

const [, , mode, path, ...rest] = process.argv;
const RING_SIZE = 1 << 24;
const RUNS_TO_FILL = 500;
/** The first, and others in the same process. */
const ATTACHES = 5;
const now = () => process.hrtime.bigint();

const flooded = async () => {
  const kernel = await Kernel.open();
  return await kernel.load(path, { maps: { ring: { maxEntries: RING_SIZE } } });
};

const modes = {
  async attach() {
    const kernel = await Kernel.open();
    for (let i = 0; i < ATTACHES; i++) {
      const start = now();
      const app = await kernel.load(path);
      app.attachAll();
      console.log(JSON.stringify({ ns: Number(now() - start) }));
      app[Symbol.dispose]();
    }
  },

  async consume(count, how) {
    const app = await flooded();
    const copied = new Int32Array(6);
    let events = 0;
    let memory;
    let words;
    // All six words of a record: a loop over them takes twice as long.
    const copy = (bytes, at) => {
      if (bytes !== memory) {
        memory = bytes;
        words = new Int32Array(bytes.buffer);
      }
      const from = words;
      const start = at >> 2;
      copied[0] = from[start];
      copied[1] = from[start + 1];
      copied[2] = from[start + 2];
      copied[3] = from[start + 3];
      copied[4] = from[start + 4];
      copied[5] = from[start + 5];
      events++;
    };
    const context = new Uint8Array(4);
    const isTyped = how === "typed";
    for (let i = 0; i < Number(count); i++) {
      const stream = app.maps.ring.read(isTyped ? { type: "event" } : { raw: true });
      for (let run = 0; run < RUNS_TO_FILL; run++) app.programs.flood.run({ context });
      events = 0;
      const start = now();
      if (isTyped) stream.consume(() => void events++);
      else stream.consumeRaw(copy);
      console.log(JSON.stringify({ ns: Number(now() - start), events }));
      stream[Symbol.dispose]();
    }
    app[Symbol.dispose]();
  },

  async stream(runs, pace, producer) {
    const app = await flooded();
    const pin = `/sys/fs/bpf/btfkit-flood-${process.pid}`;
    app.programs.flood.program.pin(pin);
    const stop = new AbortController();
    const events = app.maps.ring.read({ raw: true, signal: stop.signal });
    let [consumed, unordered] = [0, 0];
    const take = (bytes) => {
      const number = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
      if (number < consumed) unordered++;
      consumed++;
    };
    try {
      spawn(producer, ["produce", pin, runs, pace], { stdio: "inherit" }).once("close", () => stop.abort());
      await events.each(take);
      events.consume(take);
      console.log(JSON.stringify({ lost: Number(runs) * 1000 - consumed, unordered }));
    } finally {
      rmSync(pin);
      app[Symbol.dispose]();
    }
  },
};
await modes[mode](...rest);
