// The site: the reference of every entry, and the documents of this folder.
import { readdirSync } from "node:fs";
import { entries } from "../scripts/entries.mjs";

/** Documents in the order in which a reader wants them; what is not named here follows. */
const FIRST = [
  "cookbook/library.md",
  "cookbook/command-line.md",
  "cookbook/editing.md",
  "cookbook/data.md",
  "cookbook/browser.md",
  "cookbook/kernels.md",
  "cookbook/ci.md",
  "cookbook/runtimes.md",
  "cookbook/live.md",
  "explorer.md",
  "errors.md",
  "headers.md",
  "dedup.md",
  "objects.md",
  "data.md",
  "live.md",
  "containers.md",
  "runtimes.md",
  "compatibility.md",
];

/** api.md is the reference once more, for readers of the repository. */
const documents = readdirSync(import.meta.dirname).filter((file) => file.endsWith(".md") && file !== "api.md");

export default {
  name: "btfkit",
  includeVersion: true,
  entryPoints: entries.map(({ name }) => `../dist/types/${name}.d.ts`),
  tsconfig: "tsconfig.json",
  out: "site",
  readme: "../README.md",
  projectDocuments: [...FIRST, ...documents.filter((file) => !FIRST.includes(file))],
  disableSources: true,
  ignoredHighlightLanguages: ["http", "mermaid", "sql"],
  treatWarningsAsErrors: true,
  intentionallyNotExported: [
    // Tables that a type lists the values of.
    ...["ATTACH_TYPES", "ERRNO", "GENERATORS", "LINK_TYPE_NAMES", "NAMES", "PROGRAM_TYPES", "Rules", "SINCE"],
    // Parts of a type that stands in the documents, and what is only handed on.
    ...["CompiledModule", "NativeBuffer", "NumberArray", "ObjectContents", "System", "Unmodified"],
  ],
};
