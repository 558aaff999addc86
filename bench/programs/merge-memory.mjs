// Most WebAssembly memory that one instance has while kernels are merged, in a
// process of its own, where no memory is left from before: merge-memory.mjs FILE...
import process from "node:process";
import { merge } from "../../dist/edit.js";
import { openFile } from "../../dist/node.js";

const inputs = process.argv.slice(2).map((path) => openFile(path));
const { grow } = WebAssembly.Memory.prototype;
let peak = 0;
WebAssembly.Memory.prototype.grow = function (pages) {
  const before = grow.call(this, pages);
  peak = Math.max(peak, this.buffer.byteLength);
  return before;
};
merge(inputs);
console.log(JSON.stringify({ peak, input: inputs.reduce((sum, { byteLength }) => sum + byteLength, 0) }));
