// Times a process's first call of one kind, without Node's start and import:
// node first-call.mjs parse|open|find|header FILE [NAME]
import { readFileSync } from "node:fs";
import process from "node:process";
import { Btf, dumpC } from "../../dist/index.js";
import { openFile } from "../../dist/node.js";

const [, , call, file, name] = process.argv;

/** Reads the first `count` bytes of a dump. */
async function firstBytes(dump, count) {
  let length = 0;
  for await (const chunk of dump) {
    length += chunk.length;
    if (length >= count) return;
  }
}

/** What runs before the clock starts, and returns what it measures. */
const prepare = {
  parse: () => {
    const bytes = readFileSync(file);
    return () => Btf.parse(bytes);
  },
  open: () => () => openFile(file),
  find: () => {
    const btf = openFile(file);
    return () => btf.find(name, "struct");
  },
  header: () => {
    const btf = openFile(file);
    return () => firstBytes(dumpC(btf, { sorted: false }), 64 << 10);
  },
};

const measured = prepare[call]();
const start = process.hrtime.bigint();
await measured();
console.log(JSON.stringify({ ns: Number(process.hrtime.bigint() - start) }));
