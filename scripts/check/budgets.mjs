// What an application that bundles btfkit may take, by what it imports: bytes
// over the wire (`brotli`), or bytes of code where that is next to nothing.
// What is loaded on demand does not count. Each keeps what it imports: a
// bundler has to think that all of it is used.
import { entries, specifierOf } from "../entries.mjs";

const KIB = 1024;

const all = (entry) => `import * as btfkit from "${entry}";\nglobalThis.btfkit = btfkit;\n`;

/** Entries that a page can import. */
const inPages = entries.filter(({ importsNode }) => !importsNode);

export const APPLICATIONS = {
  reader: {
    does: "open, look up, dump",
    code: `import { Btf, dumpC, dumpJson, dumpRaw } from "btfkit";
globalThis.btfkit = { Btf, dumpC, dumpJson, dumpRaw };
`,
    brotli: 24 * KIB,
  },
  ...Object.fromEntries(
    inPages.map((entry) => [
      entry.name,
      { does: `all of ${specifierOf(entry)}`, code: all(specifierOf(entry)), brotli: entry.budget.bundle * KIB },
    ]),
  ),
  kinds: {
    does: "one constant",
    code: 'import { KINDS } from "btfkit";\nconsole.log(KINDS.length);\n',
    bytes: KIB,
  },
  resolve: {
    does: "one function",
    code: 'import { resolve } from "btfkit";\nglobalThis.kindBehind = (type) => resolve(type).kind;\n',
    bytes: KIB,
  },
};

/** Imports that nothing uses: a bundle of them is one of an empty file. */
export const UNUSED = inPages.map((entry, i) => `import * as unused${i} from "${specifierOf(entry)}";\n`).join("");
