// The examples in docstrings run as they are written, against the built
// package. They may use all that it exports, and what PRELUDE names. What
// stands behind `//` after a console.log is what it has to print.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { beforeAll, expect } from "vitest";
import { type Need, needing } from "../support/needs.js";
import { promised } from "../support/promised.js";
import { layOutSamples } from "../support/samples.js";

const FOLDER = "build/examples";

/** src/index.ts and docs/api.md tell readers of it. */
const PRELUDE = `
  const bytes = readFileSync("vmlinux.btf");
  const btf = Btf.parse(bytes);
  const module = btf.split(readFileSync("module.btf"));
  const object = readObject(readFileSync("probe.bpf.o"));
`;

interface Example {
  readonly name: string;
  readonly code: string;
}

/** What follows `@example` in a docstring, up to the next tag. */
function examplesOf(file: string): Example[] {
  const text = readFileSync(file, "utf8");
  const found = text.matchAll(/^ *\* @example\n((?: *\*(?:| (?!@).*)\n)+)/gm);
  return Array.from(found, ({ 1: code = "", index }) => ({
    name: `${file}:${text.slice(0, index).split("\n").length}`,
    code: code.replace(/^ *\* ?/gm, ""),
  }));
}

const { entries }: { entries: { name: string }[] } = JSON.parse(readFileSync("entries.json", "utf8"));

const examples = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .sort()
  .flatMap((file) => examplesOf(`src/${file}`));

/** All examples as one module, which prints what each of them prints, or throws, as JSON. */
async function program(): Promise<string> {
  const imports = ['import { readFileSync } from "node:fs";', 'import { format } from "node:util";'];
  const taken = new Set<string>();
  /** Names that an earlier entry has too: examples in the folder of this one mean this one's. */
  const shared = new Map<string, string>();
  for (const { name: entry } of entries) {
    const specifier = entry === "index" ? "btfkit" : `btfkit/${entry}`;
    const names = Object.keys(await import(specifier));
    imports.push(`import { ${names.filter((name) => !taken.has(name)).join(", ")} } from "${specifier}";`);
    const again = names.filter((name) => taken.has(name)).join(", ");
    if (again) {
      imports.push(`import * as ${entry}Entry from "${specifier}";`);
      shared.set(entry, `const { ${again} } = ${entry}Entry;`);
    }
    for (const name of names) taken.add(name);
  }
  const functions = examples.map(({ name, code }) => {
    const [, entry = ""] = /^src\/(\w+)/.exec(name) ?? [];
    return `async () => {${shared.get(entry) ?? ""}${PRELUDE}  {\n${code}  }\n}`;
  });
  return `${imports.join("\n")}
const results: unknown[] = [];
for (const example of [\n${functions.join(",\n")}\n]) {
  const lines: string[] = [];
  console.log = (...values) => void lines.push(format(...values));
  await example().catch((error) => lines.push(String(error)));
  results.push(lines);
}
process.stdout.write(JSON.stringify(results));
`;
}

let printed: string[][] = [];

beforeAll(async () => {
  layOutSamples(FOLDER);
  writeFileSync(`${FOLDER}/examples.mts`, await program());
  const inFolder = { cwd: FOLDER, encoding: "utf8", maxBuffer: 1 << 26 } as const;
  const options = ["--ignoreConfig", "--strict", "--module", "nodenext", "--target", "es2022", "--types", "node"];
  const libraries = ["--lib", "es2023,esnext.disposable,dom,dom.iterable,dom.asynciterable", "--skipLibCheck"];
  execFileSync(resolve("node_modules/.bin/tsc"), [...options, ...libraries, "examples.mts"], inFolder);
  printed = JSON.parse(execFileSync(process.execPath, ["examples.mjs"], inFolder));
});

for (const [i, { name, code }] of examples.entries()) {
  const needs: Need[] = [
    ...(code.includes("openKernel(") ? (["the running kernel's BTF"] as const) : []),
    ...(code.includes("Kernel.open(") ? (["bpf(2)"] as const) : []),
  ];
  needing(...needs)(name, () => {
    const expected = promised(code);
    expect(expected).not.toEqual([]);
    expect(printed[i]?.join("\n").split("\n")).toEqual(expected);
  });
}
