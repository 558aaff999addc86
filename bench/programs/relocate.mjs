// Opens and relocates an object COUNT times on a kernel that is open already:
// node relocate.mjs OBJECT KERNEL COUNT
import process from "node:process";
import { readObject, relocate } from "../../dist/bpf.js";
import { openFile, readBytes } from "../../dist/node.js";

const [, , path, kernel, count] = process.argv;
const target = openFile(kernel);
for (let i = 0; i < Number(count); i++) {
  const start = process.hrtime.bigint();
  const object = readObject(readBytes(path));
  relocate(object, target);
  console.log(JSON.stringify({ ns: Number(process.hrtime.bigint() - start) }));
  object[Symbol.dispose]();
}
