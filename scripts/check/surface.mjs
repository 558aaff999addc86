// The public surface: nothing in the declarations is `any`; all that an entry
// exports, and all that a class has, says what it is; functions, classes and
// constants have an example (which test/examples.test.ts runs). Needs
// `npm ci --prefix docs` and a build.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const ts = createRequire(resolve("docs/package.json"))("typescript");

const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
const entries = Object.values(exports).flatMap(({ types }) => (types ? [resolve(types)] : []));
const program = ts.createProgram(entries, {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.dom.asynciterable.d.ts"],
  types: [],
  strict: true,
});
const checker = program.getTypeChecker();

const problems = [];
const placeOf = (node) => {
  const file = node.getSourceFile();
  return `${file.fileName.replace(/^.*\/dist\//, "dist/")}:${file.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
};

/** Declarations have each type written out: what is not is `any`. */
function findAny(node) {
  const untyped =
    (ts.isParameter(node) || ts.isPropertyDeclaration(node) || ts.isPropertySignature(node)) &&
    !node.type &&
    !ts.isPrivateIdentifier(node.name) &&
    !ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword);
  if (node.kind === ts.SyntaxKind.AnyKeyword || untyped) problems.push(`${placeOf(node)}: any`);
  ts.forEachChild(node, findAny);
}
for (const file of program.getSourceFiles()) if (/\/dist\/types\//.test(file.fileName)) findAny(file);

const isPrivate = ({ declarations: [first] = [] }) =>
  !first ||
  ts.isPrivateIdentifier(first.name ?? first) ||
  ts.getModifiers(first)?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword);
const isDocumented = (symbol) => symbol.getDocumentationComment(checker).length > 0 || symbol.getJsDocTags().length > 0;
const hasExample = (symbol) => symbol.getJsDocTags(checker).some(({ name }) => name === "example");

let count = 0;
function checkSymbol(symbol, path, isValue = symbol.flags & ts.SymbolFlags.Value) {
  count++;
  const place = placeOf(symbol.declarations[0]);
  if (!isDocumented(symbol)) problems.push(`${place}: ${path} has no docstring`);
  if (isValue && !path.includes(".") && !hasExample(symbol)) problems.push(`${place}: ${path} has no example`);
  for (const declaration of symbol.declarations) {
    // What an interface's fields hold their names say, with the unit; what they do not say is told there.
    if (!ts.isClassDeclaration(declaration)) continue;
    for (const member of [...(symbol.members?.values() ?? []), ...(symbol.exports?.values() ?? [])]) {
      if (member.name === "name") continue;
      if (member.flags & (ts.SymbolFlags.Constructor | ts.SymbolFlags.Prototype | ts.SymbolFlags.TypeParameter))
        continue;
      if (!isPrivate(member)) checkSymbol(member, `${path}.${member.name}`);
    }
  }
}
for (const entry of entries) {
  for (const symbol of checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(entry)))) {
    if (!(symbol.flags & ts.SymbolFlags.Alias)) checkSymbol(symbol, symbol.name);
    else {
      const [specifier] = symbol.declarations;
      const isType = specifier.isTypeOnly || specifier.parent.parent?.isTypeOnly;
      checkSymbol(checker.getAliasedSymbol(symbol), symbol.name, isType ? false : undefined);
    }
  }
}

for (const problem of problems) console.error(problem);
console.log(`surface: ${count} public items, ${problems.length} problems`);
process.exitCode = problems.length > 0 ? 1 : 0;
