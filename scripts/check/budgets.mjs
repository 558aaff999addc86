// What an application that bundles btfkit may take, by what it imports: bytes
// over the wire (`brotli`), or bytes of code where that is next to nothing.
// What is loaded on demand does not count. Each keeps what it imports: a
// bundler has to think that all of it is used.
const KIB = 1024;

const all = (entry) => `import * as btfkit from "${entry}";\nglobalThis.btfkit = btfkit;\n`;

export const APPLICATIONS = {
  reader: {
    does: "open, look up, dump",
    code: `import { Btf, dumpC, dumpJson, dumpRaw } from "btfkit";
globalThis.btfkit = { Btf, dumpC, dumpJson, dumpRaw };
`,
    brotli: 24 * KIB,
  },
  index: { does: "all of btfkit", code: all("btfkit"), brotli: 40 * KIB },
  bpf: { does: "all of btfkit/bpf", code: all("btfkit/bpf"), brotli: 48 * KIB },
  edit: { does: "all of btfkit/edit", code: all("btfkit/edit"), brotli: 52 * KIB },
  image: { does: "all of btfkit/image", code: all("btfkit/image"), brotli: 40 * KIB },
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
export const UNUSED = ["btfkit", "btfkit/bpf", "btfkit/edit", "btfkit/image"]
  .map((entry, i) => `import * as unused${i} from "${entry}";\n`)
  .join("");
