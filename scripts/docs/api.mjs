// Makes docs/api.md from the package's declarations (dist/types), so that the
// docstrings are the only source. --check writes nothing and fails if the file
// is not what would be written. Needs `npm ci --prefix docs` and a build.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, relative, resolve } from "node:path";
import { entries, specifierOf } from "../entries.mjs";

const TYPES = "dist/types";
const OUT = "docs/api.md";

/**
 * Title, what it is about (or what tells it), and where its declarations stand; a file that is in none is an error.
 * Chapters of an entry stand in entries.json, those that entries share here.
 */
const GROUPS = [
  ...entries.flatMap(({ documents }) =>
    documents.map(({ title, about, files }) => [
      title,
      about.startsWith("@") ? () => headerOf(`${TYPES}/${about.slice(1)}`) : about,
      new RegExp(files),
    ]),
  ),
  ["Errors", "What is thrown. All codes, and what to do about each: [errors.md](errors.md).", /^errors\//],
  ["WebAssembly", "Compiled on first use; nothing has to be called.", /^memory\//],
];

for (const [what, remedy] of [
  [`${TYPES}/index.d.ts`, "npm run build"],
  ["docs/node_modules/typescript", "npm ci --prefix docs"],
]) {
  if (existsSync(what)) continue;
  console.error(`docs: no ${what}; run ${remedy}`);
  process.exit(1);
}
const ts = createRequire(resolve("docs/package.json"))("typescript");

const sources = new Map();
function sourceOf(file) {
  if (!sources.has(file)) {
    sources.set(file, ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true));
  }
  return sources.get(file);
}

const has = (node, kind) => (node.modifiers ?? []).some((modifier) => modifier.kind === kind);
const isExported = (node) => has(node, ts.SyntaxKind.ExportKeyword);

/** What an entry exports: file → names, or undefined for all of a file. */
function exportsOf(entry) {
  const files = new Map();
  for (const statement of sourceOf(entry).statements) {
    if (!ts.isExportDeclaration(statement)) {
      if (isExported(statement)) files.set(entry, undefined);
      continue;
    }
    const file = resolve(dirname(entry), statement.moduleSpecifier.text.replace(/\.js$/, ".d.ts"));
    const path = relative(".", file);
    files.set(
      path,
      statement.exportClause?.elements.map(({ name }) => name.text),
    );
  }
  return files;
}

const declaredName = (node) => (ts.isVariableStatement(node) ? node.declarationList.declarations[0] : node).name?.text;

/** The docstring right before a declaration, as it is written. */
function commentOf(node) {
  const { text } = node.getSourceFile();
  const ranges = ts.getLeadingCommentRanges(text, node.pos) ?? [];
  return ranges.map(({ pos, end }) => text.slice(pos, end)).findLast((comment) => comment.startsWith("/**"));
}

/** A docstring: its prose, its tags as [name, text], and its examples as code. */
function docOf(node) {
  const comment = commentOf(node);
  if (!comment) return { prose: "", tags: [], examples: [] };
  const text = comment
    .slice(3, -2)
    .replace(/^\s*\* ?/gm, "")
    .trim();
  const [prose, ...tags] = text.split(/(?:^|\s)@(?=(?:param|throws|returns|example)\s)/);
  const parted = tags.map((tag) => /^(\w+)\s+([\s\S]*)$/.exec(tag).slice(1));
  const of = (wanted) => parted.filter(([tag]) => (tag === "example") === wanted);
  return {
    prose: prose.trim(),
    tags: of(false).map(([tag, told]) => [tag, told.replace(/\s+/g, " ").trim()]),
    examples: of(true).map(([, code]) => code.trim()),
  };
}

/** What a file says of itself. */
const headerOf = (file) => docOf(sourceOf(file).statements[0]).prose;

function tagLine([tag, text]) {
  if (tag === "param") return text.replace(/^(\w+)\s+/, "- `$1`: ");
  return `- ${tag === "throws" ? "Throws" : "Returns"}: ${text}`;
}

/** Prose of the docstrings of a declaration and its overloads. */
function described(nodes) {
  const parts = [];
  for (const { prose, tags, examples } of nodes.map(docOf)) {
    if (prose) parts.push(prose);
    if (tags.length > 0) parts.push(tags.map(tagLine).join("\n"));
    parts.push(...examples.map(block));
  }
  return parts;
}

const block = (code) => `\`\`\`ts\n${code}\n\`\`\``;

/** A signature. An options object goes by that name, not by what it is taken apart into. */
const signature = (text) => text.replace(/\{[^{}]*\}(\??: \w+Options?\b)/g, "options$1");

/** A declaration as it is written, without what only declaration files need. */
function code(node) {
  return signature(expandCodes(node))
    .replace(/^export /, "")
    .replace(/^declare /, "")
    .replace(/ \{\s+\}$/, " {}")
    .replace(/^( {4})+/gm, (indent) => " ".repeat(indent.length / 2));
}

/** `keyof typeof TABLE` says nothing to a reader: the keys do. */
function expandCodes(node) {
  const [, table] = (ts.isTypeAliasDeclaration(node) && /keyof typeof (\w+)/.exec(node.type.getText())) || [];
  if (!table) return node.getText();
  const declared = node.getSourceFile().statements.find((one) => declaredName(one) === table);
  const keys = declared.declarationList.declarations[0].type.members.map(({ name }) => name.text);
  return `type ${node.name.text} =\n${keys.map((key) => `  | "${key}"`).join("\n")};`;
}

const full = (node) => [commentOf(node), code(node)].filter(Boolean).join("\n");

const cell = (text) => text.replace(/\s+/g, " ").replace(/\|/g, "\\|").trim();

function propertyRow(name, nodes) {
  const [first] = nodes;
  const type = first.type?.getText() ?? "";
  const settable = nodes.some(ts.isSetAccessor);
  const { prose, tags } = docOf(first);
  const told = [settable ? "Can be set." : "", prose, ...tags.map((tag) => `${tagLine(tag).slice(2)}.`)];
  return `| \`${name}${first.questionToken ? "?" : ""}\` | ${type ? `\`${cell(type)}\`` : ""} | ${cell(told.filter(Boolean).join(" "))} |`;
}

/** A class: its docs, a table of properties, a part for each method. */
function classPart(node) {
  const name = node.name.text;
  const base = node.heritageClauses?.map((clause) => clause.getText()).join(" ");
  const parts = [`### class ${name}`, ...(base ? [`\`${base}\``] : []), ...described([node])];
  const shown = node.members.filter(
    (member) =>
      !has(member, ts.SyntaxKind.PrivateKeyword) &&
      member.name &&
      !ts.isPrivateIdentifier(member.name) &&
      !ts.isConstructorDeclaration(member),
  );
  const byName = new Map();
  for (const one of shown) byName.set(one.name.getText(), [...(byName.get(one.name.getText()) ?? []), one]);
  const rows = [];
  const methods = [];
  for (const [member, nodes] of byName) {
    if (member === "name" && base) continue;
    if (!ts.isMethodDeclaration(nodes[0])) {
      rows.push(propertyRow(member, nodes));
      continue;
    }
    const isStatic = has(nodes[0], ts.SyntaxKind.StaticKeyword);
    const dot = member.startsWith("[") ? "" : ".";
    const owner = isStatic ? name : name[0].toLowerCase() + name.slice(1);
    const signatures = nodes.map((one) => signature(one.getText())).join("\n");
    methods.push([`#### ${owner}${dot}${member}()`, block(signatures), ...described(nodes)].join("\n\n"));
  }
  if (rows.length > 0) parts.push(["| property | type | what it is |", "|---|---|---|", ...rows].join("\n"));
  return [...parts, ...methods].join("\n\n");
}

/** All of one file that is exported, and what that refers to in the same file. */
function filePart(file, names) {
  const statements = sourceOf(file).statements.filter((node) => declaredName(node));
  const wanted = (node) => isExported(node) && (names === undefined || names.includes(declaredName(node)));
  const parts = [];
  const shapes = [];
  const hidden = [];
  for (const node of statements) {
    const shape = ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) || ts.isVariableStatement(node);
    if (shape && !ts.isVariableStatement(node) && !isExported(node)) {
      hidden.push(`\`${declaredName(node)}\``);
      shapes.push(full(node));
    } else if (!wanted(node)) continue;
    else if (ts.isClassDeclaration(node)) parts.push(classPart(node));
    else if (shape) shapes.push(full(node));
  }
  const functions = statements.filter((node) => ts.isFunctionDeclaration(node) && wanted(node));
  for (const [i, node] of functions.entries()) {
    const name = declaredName(node);
    if (i > 0 && declaredName(functions[i - 1]) === name) continue;
    const overloads = functions.filter((one) => declaredName(one) === name);
    parts.push([`### ${name}()`, block(overloads.map(code).join("\n")), ...described(overloads)].join("\n\n"));
  }
  if (hidden.length > 0) shapes.unshift(`// Not exported: ${hidden.join(", ").replaceAll("`", "")}.`);
  if (shapes.length > 0) parts.push(block(shapes.join("\n\n")));
  return parts.join("\n\n");
}

function make() {
  const files = new Map(entries.flatMap(({ name }) => [...exportsOf(`${TYPES}/${name}.d.ts`)]));
  const left = new Set(files.keys());
  const sections = GROUPS.map(([title, about, pattern]) => {
    const mine = [...files].filter(([file]) => pattern.test(relative(TYPES, file)));
    for (const [file] of mine) left.delete(file);
    const told = typeof about === "string" ? about : about();
    return [`## ${title}`, told, ...mine.map(([file, names]) => filePart(file, names))].join("\n\n");
  });
  if (left.size > 0) throw new Error(`in no group of scripts/docs/api.mjs: ${[...left].join(", ")}`);
  const links = GROUPS.map(([title]) => `[${title}](#${title.toLowerCase()})`).join(" · ");
  return `<!-- Made by scripts/docs/api.mjs from the docstrings in src/. -->
# API

| entry | what it holds |
|---|---|
${entries.map((entry) => `| \`${specifierOf(entry)}\` | ${entry.about} |`).join("\n")}

In examples, \`bytes\` are those of a kernel's BTF and \`btf\` is that opened; \`module\` is a module's BTF on it, and
\`object\` a BPF object that reads \`pid\` of \`struct task_struct\`.

${links}

${sections.join("\n\n")}
`;
}

const made = make();
if (process.argv.includes("--check")) {
  if (!existsSync(OUT) || readFileSync(OUT, "utf8") !== made) {
    console.error(`docs: ${OUT} is stale; run npm run docs`);
    process.exit(1);
  }
} else writeFileSync(OUT, made);
