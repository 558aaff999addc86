// The WebAssembly modules, from entries.json, and where their parts lie. The
// first one opens, looks up and prints; each of the others belongs to an entry
// and has its name everywhere. To add one, write assembly/NAME.ts and
// src/memory/NAME-kernel.ts, and add it to entries.json.
import { readFileSync } from "node:fs";

/**
 * @typedef {object} Kernel
 * @property {string} name `kernel` or `edit`
 * @property {string} source what asc compiles
 * @property {number} shrinkLevel of asc: 0 inlines more, which pays in what runs for each type of an image
 * @property {string} wasm the release module
 * @property {string} plain the same without SIMD, of which wasm2js makes JavaScript
 * @property {string} debug with asserts and names
 * @property {string} interfaceFile the file in src/ that names its exports, as `interfaceName`
 * @property {string} interfaceName
 * @property {string} inline the module as a string in src/, named `constant`
 * @property {string} constant
 * @property {string} script the kernel as JavaScript in src/
 * @property {{ wasm: number, script: number }} budget KiB: of the module, and of the script over the wire
 */

/** @type {Kernel[]} */
export const kernels = JSON.parse(readFileSync(new URL("../entries.json", import.meta.url), "utf8")).kernels.map(
  ({ name, budget, shrinkLevel = 0 }) => {
    const isFirst = name === "kernel";
    const file = isFirst ? "kernel" : `${name}-kernel`;
    return {
      name,
      budget,
      shrinkLevel,
      source: `assembly/${isFirst ? "index" : name}.ts`,
      wasm: `build/${name}.wasm`,
      plain: `build/${name}.plain.wasm`,
      debug: `build/${name}.debug.wasm`,
      interfaceFile: `src/memory/${file}.ts`,
      interfaceName: `${isFirst ? "" : name[0].toUpperCase() + name.slice(1)}Kernel`,
      inline: `src/memory/generated/inline${isFirst ? "" : `-${name}`}.ts`,
      constant: name.toUpperCase(),
      script: `src/memory/generated/js-${file}.ts`,
    };
  },
);
