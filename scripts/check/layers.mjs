// Imports in src/ point to lower layers, without cycles. Imports of types alone
// may point back: they are listed and counted, so that a new one is seen.
// node:* and packages stay where they belong, and one file alone grows memory.
import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { entries } from "../entries.mjs";

/** From the lowest up: a file imports from its own layer and from lower ones. The first place that a file belongs to counts. */
const LAYERS = [
  ["errors/"],
  ["memory/"],
  ["format/"],
  ["btf/source.ts", "btf/compression.ts", "bpf/elf/file.ts", "bpf/elf/btf.ts"],
  ["btf/"],
  ["bpf/instruction.ts", "bpf/outputs.ts"],
  ["bpf/elf/", "bpf/ext/"],
  ["bpf/object/"],
  ["bpf/core-relocation/"],
  // The folders of the other entries, in the order of entries.json.
  ...entries.filter(({ name }) => !["index", "bpf"].includes(name)).map(({ name }) => [`${name}/`]),
  ["bpf/check/"],
  entries.map(({ name }) => `${name}.ts`),
  ["js/", "workerd/"],
  ["cli/"],
];

/** Files and folders that may import node:* and packages; the decompressors are loaded on demand. */
const NODE_IMPORTERS = [
  "cli/",
  ...entries.filter(({ importsNode }) => importsNode).flatMap(({ name }) => [`${name}.ts`, `${name}/`]),
];
const PACKAGE_IMPORTERS = {
  "cli/": /./,
  "btf/compression.ts": /^fzstd$/,
  "live/ffi/": /^(koffi|bun:ffi)$/,
  "archive/deflate.ts": /^pako$/,
  "image/codecs/": /^(pako|lz4js|lzma1\/decoder|unbzip2-stream\/lib\/bzip2\.js)$/,
};

const MEMORY_OWNER = "memory/arena.ts";

/** The memory itself, where it is JavaScript. */
const MEMORY_MAKERS = /^memory\/(generated\/)?js-/;

/** WebAssembly that the host imports lies beside what is built, not beside the sources. */
const isModule = (file) => file.endsWith(".wasm");

const IMPORT =
  /^(?:import|export)\s+(?:(?<clause>[^"';]*?)\s+from\s+)?"(?<static>[^"]+)";|\bimport\("(?<dynamic>[^"]+)"\)/gm;

const problems = [];
const belongs = (file, place) => (place.endsWith("/") ? file.startsWith(place) : file === place);
const layerOf = (file) => LAYERS.findIndex((layer) => layer.some((place) => belongs(file, place)));

/** Whether all that a clause names are types. */
function isTypeOnly(clause) {
  if (/^type\b/.test(clause)) return true;
  const names = /^\{(.*)\}$/s
    .exec(clause)?.[1]
    .split(",")
    .filter((name) => name.trim());
  return names?.every((name) => /^\s*type\s/.test(name)) ?? false;
}

function importsOf(text) {
  return Array.from(text.matchAll(IMPORT), ({ groups: { clause = "", static: from, dynamic } }) => ({
    from: from ?? dynamic,
    isDynamic: dynamic !== undefined,
    isType: isTypeOnly(clause),
  }));
}

const files = readdirSync("src", { recursive: true, encoding: "utf8" })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"));
const graph = new Map();
/** Imports of types alone: [file, target]. */
const typeArrows = [];

for (const file of files) {
  const text = readFileSync(posix.join("src", file), "utf8");
  const layer = layerOf(file);
  if (layer < 0) problems.push(`${file} is in no layer`);
  if (file !== MEMORY_OWNER && !MEMORY_MAKERS.test(file) && /memory\s*\.\s*grow\b/.test(text))
    problems.push(`${file} grows memory, as only ${MEMORY_OWNER} may`);
  const inside = [];
  for (const { from, isDynamic, isType } of importsOf(text)) {
    if (isType) {
      if (from.startsWith(".")) typeArrows.push([file, posix.join(posix.dirname(file), from).replace(/\.js$/, ".ts")]);
    } else if (from.startsWith("node:")) {
      if (!NODE_IMPORTERS.some((place) => belongs(file, place))) problems.push(`${file} imports ${from}`);
    } else if (!from.startsWith(".")) {
      const allowed = Object.entries(PACKAGE_IMPORTERS).some(
        ([place, name]) => belongs(file, place) && name.test(from),
      );
      if (!allowed) problems.push(`${file} imports the package ${from}`);
    } else if (!isModule(from)) {
      const target = posix.join(posix.dirname(file), from).replace(/\.js$/, ".ts");
      if (layerOf(target) > layer) problems.push(`${file} imports ${target}, which is in a higher layer`);
      if (!isDynamic) inside.push(target);
    }
  }
  graph.set(file, inside);
}

/** Depth first; `path` are the files from the start to here. */
function findCycles(file, path, finished) {
  if (path.includes(file)) problems.push(`a cycle: ${[...path.slice(path.indexOf(file)), file].join(" → ")}`);
  else if (!finished.has(file)) {
    for (const target of graph.get(file) ?? []) findCycles(target, [...path, file], finished);
    finished.add(file);
  }
}
const finished = new Set();
for (const file of files) findCycles(file, [], finished);

/** Tells whether what `from` imports lead to `to`. */
function leadsTo(from, to, seen = new Set()) {
  if (from === to) return true;
  if (seen.has(from)) return false;
  seen.add(from);
  return (graph.get(from) ?? []).some((target) => leadsTo(target, to, seen));
}
const back = typeArrows.filter(
  ([file, target]) => layerOf(target) > layerOf(file) || (graph.has(target) && leadsTo(target, file)),
);
for (const [file, target] of back) console.log(`type only, points back: ${file} → ${target}`);

for (const problem of problems) console.error(problem);
console.log(
  `layers: ${files.length} files, ${back.length} type-only arrows that point back, ${problems.length} problems`,
);
process.exitCode = problems.length > 0 ? 1 : 0;
