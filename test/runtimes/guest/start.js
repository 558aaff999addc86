/** Starts a guest in a runtime with files: `start.js GUEST [ARGUMENT]`. */
import { readFile } from "node:fs/promises";

const [name, argument] = process.argv.slice(2);
const { main } = await import(`./${name}.js`);
await main({
  read: async (path) => new Uint8Array(await readFile(new URL(`../${path}`, import.meta.url))),
  print: (line) => console.log(line),
  argument,
});
console.log("done");
