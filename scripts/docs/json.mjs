// Writes docs/json.md: the shapes of --json, from schemas/. --check writes
// nothing and fails where the page is stale.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

const FILE = "docs/json.md";
const HEAD = `# JSON of the command line

\`--json\` (\`-j\`) writes a result as JSON on standard output, \`-p\` the same with indents. \`version\` numbers the shape of a command's result: it changes with each change that a reader could notice, an additional field too, and [versions.md](versions.md) says how that goes with releases. \`find\`, \`verify\` and \`archive list\` write a list of results, \`decode\`, \`encode\`, \`run\` and \`map watch\` a result on each line. The JSON of \`dump\` is bpftool's, byte for byte, and has no version; so have \`btfkit bpftool -j\` and \`generate isf\`, whose shapes others define.

The shapes are JSON schemas (draft 2020-12) in the package: \`btfkit/schemas/check.json\` and so on. The tests hold real output against them. In the tables \`[]\` follows a list, \`?\` a field that may be left out.

<!-- Written by scripts/docs/json.mjs: change schemas/ instead. -->
`;

/** A type in a few characters. */
function typeOf({ $ref, type, const: value, enum: values, anyOf, items }) {
  if ($ref) return $ref.split("/").at(-1);
  if (value !== undefined) return JSON.stringify(value);
  if (values) return values.map((one) => JSON.stringify(one)).join(", ");
  if (anyOf) return anyOf.map(typeOf).join(" or ");
  if (type === "array") return `list of ${typeOf(items)}`;
  return type === undefined ? "any" : [type].flat().join(" or ");
}

/** Rows of a schema's fields, those of nested objects too. */
function* rowsOf(schema, path = "") {
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const own = `${path}${name}`;
    const inner = field.type === "array" ? field.items : field;
    const object = [inner, ...(inner.anyOf ?? [])].find(({ properties }) => properties);
    const list = field.type === "array" ? "[]" : "";
    const optional = schema.required.includes(name) ? "" : "?";
    const shown = object ? (field.anyOf ? "object or null" : list ? "list of objects" : "object") : typeOf(field);
    yield `| \`${own}${list}${optional}\` | ${shown.replaceAll("|", "\\|")} | ${field.description ?? ""} |`;
    if (object) yield* rowsOf(object, `${own}${list}.`);
  }
}

/** Fields of an object that may be null are those of the object. */
const table = ({ anyOf = [], ...schema }) =>
  ["| field | type | |", "|---|---|---|", ...rowsOf(anyOf.find(({ properties }) => properties) ?? schema)].join("\n");

let text = HEAD;
for (const file of readdirSync("schemas").sort()) {
  const schema = JSON.parse(readFileSync(`schemas/${file}`, "utf8"));
  const parts = schema.oneOf ?? [schema.items ?? schema];
  text += `\n## ${schema.title.replace(/btfkit [\w -]*?(?= of\b|:|$)/, "`$&`")}\n`;
  for (const part of parts) text += `\n${part.description ? `${part.description}\n\n` : ""}${table(part)}\n`;
  for (const [name, part] of Object.entries(schema.$defs ?? {})) {
    text += `\n\`${name}\`${part.description ? `: ${part.description}` : ""}\n\n${table(part)}\n`;
  }
}

if (process.argv.includes("--check")) {
  if (readFileSync(FILE, "utf8") !== text) {
    console.error(`${FILE} is stale; run node scripts/docs/json.mjs`);
    process.exit(1);
  }
} else writeFileSync(FILE, text);
