// What is published: only what belongs there, every entry with its types, and
// budgets for what a page loads, of the files as they are and bundled.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { entries, exportOf } from "../entries.mjs";
import { APPLICATIONS } from "./budgets.mjs";
import { bundle } from "./bundle.mjs";
import { closure, minified } from "./closure.mjs";

const KIB = 1024;

/** Of the files of an entry with all they load at once, minified one by one, in bytes over the wire. */
const ENTRIES = Object.fromEntries(
  entries.filter(({ budget }) => budget.files).map((entry) => [exportOf(entry), entry.budget.files * KIB]),
);

/** Code. */
const PUBLISHED =
  /^(dist\/.+\.(js|cjs|d\.ts|wasm)|dist\/man\/btfkit[\w-]*\.1|dist\/completions\/\w+(\.bash|\.fish|\.ps1)?|dist\/explorer\/(assets\/[\w.-]+\.(js|css)|[\w.-]+\.(html|js|svg|webmanifest))|dist\/THIRD-PARTY\.txt|schemas\/[\w-]+\.json|README\.md|LICENSE|package\.json)$/;

/** What README leads to. */
const DOCUMENTS =
  /^(docs\/(cookbook\/)?[\w-]+\.md|docs\/pictures\/[\w-]+\.(svg|png)|examples\/[\w./-]+|(action|bench|test\/data)\/\w+\.md|(CHANGELOG|CONTRIBUTING)\.md)$/;

const problems = [];
const { exports, bin, man } = JSON.parse(readFileSync("package.json", "utf8"));

const [{ files, size }] = JSON.parse(
  execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { encoding: "utf8" }),
);
const packed = new Set(files.map(({ path }) => path));
for (const path of packed) if (!PUBLISHED.test(path) && !DOCUMENTS.test(path)) problems.push(`${path} is published`);

const published = (path) => {
  if (!existsSync(path) || !packed.has(posix.normalize(path)))
    problems.push(`${path} is named in package.json and not published`);
};
for (const [name, target] of Object.entries(exports)) {
  if (name.includes("*")) {
    if (!files.some(({ path }) => `./${path}`.startsWith(target.split("*")[0])))
      problems.push(`nothing of ${name} is published`);
  } else if (typeof target === "string") published(target);
  else {
    if (Object.keys(target)[0] !== "types") problems.push(`the first condition of ${name} is not "types"`);
    for (const path of Object.values(target)) published(path);
  }
}
for (const path of [...Object.values(bin), ...man]) published(path);
for (const path of packed) {
  if (path.endsWith(".1") && !man.includes(path)) problems.push(`${path} is missing in "man" of package.json`);
}

// Links of what a registry shows lead to what is published beside it.
for (const document of ["README.md", "CHANGELOG.md"]) {
  for (const [, link] of readFileSync(document, "utf8").matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
    if (!packed.has(link)) problems.push(`${document} leads to ${link}, which is not published`);
  }
}

const loaded = {};
for (const [name, limit] of Object.entries(ENTRIES)) {
  loaded[name] = 0;
  for (const path of closure(posix.normalize(exports[name].default))) loaded[name] += await minified(path);
  console.log(`${name}: files of ${loaded[name]} of ${limit} bytes of brotli`);
  if (loaded[name] > limit) problems.push(`${name} takes ${loaded[name]} bytes of brotli, the limit is ${limit}`);
}

for (const { does, code, brotli, bytes } of Object.values(APPLICATIONS)) {
  const text = await bundle(code);
  const [size, limit, unit] = brotli
    ? [brotliCompressSync(text).length, brotli, "bytes of brotli"]
    : [Buffer.byteLength(text), bytes, "bytes"];
  console.log(`bundle, ${does}: ${size} of ${limit} ${unit}`);
  if (size > limit) problems.push(`a bundle (${does}) takes ${size} ${unit}, the limit is ${limit}`);
}

for (const problem of problems) console.error(problem);
console.log(
  `package: ${files.length} files, ${size} bytes; default entry ${loaded["."]} of ${ENTRIES["."]} bytes of brotli`,
);
process.exitCode = problems.length > 0 ? 1 : 0;
