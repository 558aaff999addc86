// The package: the library with its node entry as ES modules that share what
// they have in common, and the executable on its own. What is loaded on demand
// (commands, decompressors, shell completion) gets chunks. The library stays as
// it is written: an uncaught error shows its line, and bundlers minify.
import { chmodSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import commonjs from "@rollup/plugin-commonjs";
import { nodeResolve } from "@rollup/plugin-node-resolve";
import { minifySync } from "rolldown/experimental";
import { entries } from "./scripts/entries.mjs";
import { kernels } from "./scripts/kernels.mjs";

const { version } = JSON.parse(readFileSync("package.json", "utf8"));

/** What opens, looks up and prints: the default entry. Objects and editing have entries of their own. */
const isCore = (id) =>
  /build\/js\/(memory\/(generated\/abi|kernel|arena|struct)|btf|bpf\/elf\/(btf|file)|errors\/(btf|error|rule)|format\/(generated\/)?kinds?)(?=[/.])/.test(
    id,
  );
/** What makes and reshapes BTF, with a WebAssembly module of its own: readers do without. */
const isEdit = (id) =>
  /build\/js\/(edit\/|errors\/edit|format\/(kernel-version|generated\/records)|memory\/(generated\/)?edit)/.test(id);

/** The decoder alone of a package whose `exports` have the whole. */
const lzmaDecoder = () => ({
  name: "lzma-decoder",
  resolveId: (id) => (id === "lzma1/decoder" ? resolve("node_modules/lzma1/lib/decoder.js") : null),
});

/** `kernel-wasm`, `zstd-wasm`: WebAssembly as a string, in a file that nobody has to look at. */
function wasmChunk(id) {
  const [found, name = "kernel"] = /generated\/inline(?:-(\w+))?\./.exec(id) ?? [];
  return found && `${name}-wasm`;
}

/** A kernel as JavaScript. */
const scriptChunk = (id) =>
  /memory\/generated\/(js-[\w-]+)\./.exec(id)?.[1] ?? (/memory\/js-memory\./.test(id) ? "js-kernel" : undefined);

/** Entries, by the path below the package that they have in its `exports`; workerd's go by their condition. */
const inputs = entries.flatMap(({ name, hosts }) => [name, ...hosts.map((host) => `${host}/${name}`)]);
/** What the command line needs before it knows the command. */
const isStart = (id) =>
  /node_modules\/commander\/|build\/js\/(errors\/(error|btf|rule)|format\/(generated\/)?kinds?|btf\/query\/nearest|cli\/(commands|context|exit|main|options|output|program))\./.test(
    id,
  );
/** Text of whole files, which few commands write. */
const isDump = (id) => /build\/js\/btf\/dump\//.test(id);
/** What every command needs that opens BTF. */
const isOpening = (id) =>
  isCore(id) || /js\/node\/(?!archive)|cli\/(input|input-error|input-file|select|pattern)\./.test(id);
/** Layouts: their parts need each other, and a file takes a third of a millisecond. */
const isLayout = (id) => /inspect\/(layout\/|workspace\.|words\.)|memory\/(generated\/)?(inline-)?inspect/.test(id);

/** WebAssembly as files in place of the strings that the library carries: less to parse with each call. */
const wasmFiles = () => ({
  name: "wasm-files",
  load(id) {
    const kernel = kernels.find(({ inline }) => id === resolve(inline.replace("src", "build/js").replace(/ts$/, "js")));
    if (!kernel) return null;
    const { name, constant, wasm } = kernel;
    this.emitFile({ type: "asset", fileName: `${name}.wasm`, source: readFileSync(wasm) });
    return `import { readFileSync } from "node:fs";
      export const ${constant} = readFileSync(\`\${__dirname}/${name}.wasm\`, "latin1");`;
  },
});

/** Minifies the chunks that `chosen` says. */
const minifying = (chosen) => ({
  name: "minify",
  renderChunk(code, chunk, { format }) {
    if (!chosen(chunk)) return null;
    const { code: small, errors } = minifySync(chunk.fileName, code, {
      module: format === "es",
      mangle: { toplevel: true },
    });
    if (errors.length > 0) throw new Error(`${chunk.fileName}: ${errors[0].message}`);
    return small;
  },
});

const library = {
  input: Object.fromEntries(inputs.map((entry) => [entry, `build/js/${entry}.js`])),
  // koffi is an optional peer, and bun:ffi is in Bun alone.
  external: /^(node:|bun:|koffi$)/,
  plugins: [
    // workerd's entries lie one folder below the modules they import.
    { name: "wasm", resolveId: (id) => (id.endsWith(".wasm") ? { id, external: true } : null) },
    // package.json speaks of the files that are made here, not of those they are made of.
    lzmaDecoder(),
    nodeResolve({ ignoreSideEffectsForRoot: true }),
    commonjs(),
    // JavaScript that wasm2js made is for no reader.
    minifying(({ name }) => /^js-.*kernel$/.test(name)),
  ],
  output: {
    dir: "dist",
    format: "es",
    chunkFileNames: "chunks/[name].js",
    manualChunks: (id) => wasmChunk(id) ?? scriptChunk(id) ?? (isCore(id) ? "core" : undefined),
  },
};

const executable = {
  // A thread of `check` starts with a file of its own.
  input: { btfkit: "build/js/cli/bin.js", "check-worker": "build/js/cli/check/worker.js" },
  external: /^(node:(?!child_process)|bun:|koffi$)/,
  plugins: [
    wasmFiles(),
    lzmaDecoder(),
    nodeResolve(),
    // Commander starts programs for subcommands that are files: we have none, and the module takes time to load.
    {
      name: "no-child-process",
      resolveId: (id) => (id === "node:child_process" ? "\0none" : null),
      load: (id) => (id === "\0none" ? "export default {}" : null),
    },
    commonjs(),
    { name: "version", transform: (code) => code.replace("BTFKIT_VERSION", JSON.stringify(version)) },
    { name: "run-bit", writeBundle: ({ dir, file }) => chmodSync(file ?? `${dir}/btfkit.cjs`, 0o755) },
    // Every call reads and scans all of what it loads.
    minifying(() => true),
  ],
  output: {
    dir: "dist/cli",
    // Node 20 starts a CommonJS file some milliseconds sooner than a module.
    format: "cjs",
    entryFileNames: "[name].cjs",
    chunkFileNames: "[name].cjs",
    // Not by name, but where they are used: bare loads of built-in modules take time.
    hoistTransitiveImports: false,
    manualChunks: (id) =>
      isStart(id)
        ? "start"
        : isDump(id)
          ? "dumping"
          : isOpening(id)
            ? "shared"
            : isLayout(id)
              ? "layouts"
              : isEdit(id)
                ? "edit"
                : undefined,
  },
};

/** The executable with all its parts in one file, to copy to a machine: it starts 6 ms later, for all of it is read. */
const single = {
  ...executable,
  input: "build/js/cli/process.js",
  // Its WebAssembly is in it.
  plugins: executable.plugins.filter(({ name }) => name !== "wasm-files"),
  output: { file: "build/btfkit.cjs", format: "cjs", inlineDynamicImports: true, banner: "#!/usr/bin/env node" },
};

export default ({ configLibrary, configExecutable, configSingle }) => [
  ...(configLibrary ? [library] : []),
  ...(configExecutable ? [executable] : []),
  ...(configSingle ? [single] : []),
];
