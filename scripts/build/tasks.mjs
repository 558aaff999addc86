// The build as a graph: what each task makes, of what. make.mjs runs it.
import { readdirSync } from "node:fs";
import { kernels } from "../kernels.mjs";

/**
 * @typedef {object} Task
 * @property {string[]} [needs] tasks that come first
 * @property {string[]} inputs files and folders; a change in one of them runs the task again
 * @property {string[]} outputs files and folders; it runs again too where one is not as it left it
 * @property {string[]} [clears] what an earlier run may have left, which must not be published
 * @property {string[][]} [command] programs with their arguments, one after the other
 */

const node = (script, ...args) => [process.execPath, script, ...args];
/** Tools are as their versions are. */
const tool = (name) => `node_modules/${name}/package.json`;

const TRANSFORMS = ["scripts/build/asc-no-inline.mjs", "scripts/build/asc-bare-literals.mjs"];

function compile({ source, shrinkLevel }, output, target, transforms) {
  const level = target === "debug" ? [] : ["--shrinkLevel", String(shrinkLevel)];
  const flags = transforms.flatMap((file) => ["--transform", `./${file}`]);
  const asc = ["node_modules/assemblyscript/bin/asc.js", source, "--target", target, "--outFile", output];
  return {
    needs: ["constants"],
    inputs: ["assembly", "asconfig.json", "entries.json", tool("assemblyscript"), ...transforms],
    outputs: [output],
    command: [node(...asc, ...level, ...flags)],
  };
}

/** Three modules of each kernel, and two files in src/ that are made of them. */
const kernelTasks = kernels.flatMap((kernel) => [
  [`${kernel.name}.wasm`, compile(kernel, kernel.wasm, "release", TRANSFORMS)],
  [`${kernel.name}.plain.wasm`, compile(kernel, kernel.plain, "plain", TRANSFORMS)],
  [`${kernel.name}.debug.wasm`, compile(kernel, kernel.debug, "debug", [])],
  [
    `${kernel.name}.inline`,
    {
      needs: [`${kernel.name}.wasm`],
      inputs: ["scripts/build/inline.mjs", kernel.wasm],
      outputs: [kernel.inline],
      command: [node("scripts/build/inline.mjs", kernel.wasm, kernel.inline, kernel.constant)],
    },
  ],
  [
    `${kernel.name}.script`,
    {
      needs: [`${kernel.name}.plain.wasm`],
      inputs: ["scripts/build/wasm2js.mjs", "scripts/kernels.mjs", kernel.plain, tool("binaryen")],
      outputs: [kernel.script],
      command: [node("scripts/build/wasm2js.mjs", kernel.name)],
    },
  ],
]);

const XZ_PACKAGE = "node_modules/xz-decompress/dist/package/xz-decompress.js";
const XZ_MODULE = "build/xz.wasm";

/** Decoders that packages bring as WebAssembly, as strings in src/. */
const decoderTasks = Object.entries({
  zstd: "node_modules/zstddec/dist/zstddec-stream.mjs",
  xz: XZ_MODULE,
}).map(([name, from]) => {
  const file = `src/image/codecs/generated/inline-${name}.ts`;
  const command = [node("scripts/build/inline.mjs", from, file, name.toUpperCase())];
  const needs = from === XZ_MODULE ? ["xz.wasm"] : [];
  return [`${name}.inline`, { needs, inputs: ["scripts/build/inline.mjs", from], outputs: [file], command }];
});
decoderTasks.push([
  "xz.wasm",
  {
    inputs: ["scripts/build/xz.mjs", XZ_PACKAGE],
    outputs: [XZ_MODULE],
    command: [node("scripts/build/xz.mjs", XZ_PACKAGE, XZ_MODULE)],
  },
]);

const inlined = [...kernels, { name: "zstd" }, { name: "xz" }].map(({ name }) => `${name}.inline`);
const scripts = kernels.map(({ name }) => `${name}.script`);

const rollup = (config) => node("node_modules/rollup/dist/bin/rollup", "-c", "--silent", config);
const bundler = ["rollup.config.js", "entries.json", "scripts/entries.mjs", tool("rollup"), tool("rolldown")];

/** What lies in dist/ beside folders. */
const entryFiles = () => {
  const names = readdirSync("src").filter((name) => /^\w+\.ts$/.test(name));
  return names.map((name) => `dist/${name.replace(/\.ts$/, ".js")}`);
};

/** @type {Record<string, Task>} */
export const tasks = {
  // Kinds, records and structs that kernels and host share.
  constants: {
    inputs: ["scripts/build/format.mjs", "format"],
    outputs: [
      "assembly/format/generated/abi.ts",
      "assembly/format/generated/edit-abi.ts",
      "assembly/format/generated/inspect-abi.ts",
      "assembly/text/generated/kind-name.ts",
      "src/memory/generated/abi.ts",
      "src/memory/generated/edit-abi.ts",
      "src/memory/generated/inspect-abi.ts",
      "src/format/generated/kinds.ts",
      "src/format/generated/records.ts",
    ],
    command: [node("scripts/build/format.mjs")],
  },
  ...Object.fromEntries(kernelTasks),
  ...Object.fromEntries(decoderTasks),

  // What `npm start` shows, bundled of the sources as they are: no types, no package.
  "first-look": {
    needs: ["constants", "kernel.inline", "xz.inline", "zstd.inline"],
    inputs: ["scripts/build/first-look.mjs", "examples/first-look.mjs", "src", tool("rolldown")],
    outputs: ["build/first-look.mjs"],
    command: [node("scripts/build/first-look.mjs")],
  },

  // TypeScript as JavaScript, and its declarations.
  types: {
    needs: ["constants", ...inlined, ...scripts],
    inputs: ["src", "tsconfig.json", tool("typescript")],
    outputs: ["build/js", "build/types"],
    clears: ["build/js", "build/types"],
    command: [node("node_modules/typescript/bin/tsc", "-p", ".")],
  },
  library: {
    needs: ["types"],
    inputs: ["build/js", ...bundler],
    outputs: [...entryFiles(), "dist/chunks", "dist/js", "dist/workerd"],
    clears: [...entryFiles(), "dist/chunks", "dist/js", "dist/workerd"],
    command: [rollup("--configLibrary")],
  },
  executable: {
    needs: ["types"],
    inputs: ["build/js", "package.json", ...bundler],
    outputs: ["dist/cli"],
    clears: ["dist/cli"],
    command: [rollup("--configExecutable")],
  },
  // The executable in one file.
  single: {
    needs: ["types"],
    inputs: ["build/js", "package.json", ...bundler],
    outputs: ["build/btfkit.cjs"],
    command: [rollup("--configSingle")],
  },
  declarations: {
    needs: ["types", "explorer.packages", ...kernels.map(({ name }) => `${name}.wasm`)],
    inputs: ["scripts/build/package.mjs", "scripts/build/licences", "build/types", "package.json", "package-lock.json"],
    outputs: ["dist/types", "dist/THIRD-PARTY.txt", ...kernels.map(({ name }) => `dist/${name}.wasm`)],
    clears: ["dist/types"],
    command: [node("scripts/build/package.mjs")],
  },
  manual: {
    needs: ["executable"],
    inputs: ["scripts/build/man.mjs", "build/js/cli", "package.json"],
    outputs: ["dist/man", "dist/completions"],
    clears: ["dist/man", "dist/completions"],
    command: [node("scripts/build/man.mjs")],
  },

  // The page for browsers: its packages, which the library does without, and the page itself.
  "explorer.packages": {
    inputs: ["explorer/package.json", "explorer/package-lock.json"],
    outputs: ["explorer/node_modules/.package-lock.json"],
    command: [["npm", "ci", "--prefix", "explorer", "--no-audit", "--no-fund", "--silent"]],
  },
  explorer: {
    needs: ["library", "explorer.packages"],
    inputs: [
      ...["src", "public", "build.mjs", "vite.config.js", "index.html", "service-worker.js", "tsconfig.json"].map(
        (file) => `explorer/${file}`,
      ),
      ...["dist/chunks", "dist/js", ...entryFiles()],
      ...["entries.json", "scripts/entries.mjs", tool("vite")],
    ],
    outputs: ["dist/explorer"],
    clears: ["dist/explorer"],
    command: [node("explorer/build.mjs")],
  },

  // What is published, which the tests are about.
  package: { needs: ["library", "executable", "declarations", "manual", "explorer"] },
  debug: { needs: kernels.map(({ name }) => `${name}.debug.wasm`) },
  jsr: {
    needs: ["package"],
    inputs: ["scripts/build/jsr.mjs", "dist"],
    outputs: ["build/jsr"],
    command: [node("scripts/build/jsr.mjs")],
  },
};

export const ALL = ["package", "debug"];
