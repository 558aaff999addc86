// Times a process's first call of one kind, without Node's start and import:
// node first-call.mjs parse|open|find FILE [NAME]
import { readFileSync } from "node:fs";
import process from "node:process";
import { Btf } from "../../dist/index.js";
import { openFile } from "../../dist/node.js";

const [, , call, file, name] = process.argv;

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
};

const measured = prepare[call]();
const start = process.hrtime.bigint();
measured();
console.log(JSON.stringify({ ns: Number(process.hrtime.bigint() - start) }));
