// The documents say what the code and the bench have.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { layout, layoutSvg } from "btfkit/inspect";
import { openFile } from "btfkit/node";
import { expect, test } from "vitest";
import { corpusPath, needing } from "../support/needs.js";

/** All that src/ throws, as "CODE class". */
function thrown(): Set<string> {
  const found = new Set<string>();
  for (const file of readdirSync("src", { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".ts")) continue;
    const source = readFileSync(`src/${file}`, "utf8");
    for (const [, name, code] of source.matchAll(/new (Btf\w*Error)\(\s*(ERR_\w+)/g)) found.add(`${code} ${name}`);
    for (const [, code] of source.matchAll(/\bdemand\([^;]*?\b(ERR_\w+)/g)) found.add(`${code} BtfFormatError`);
  }
  return found;
}

test("docs/errors.md has every code, with the class that is thrown", () => {
  const rows = readFileSync("docs/errors.md", "utf8").matchAll(
    /^\| `(ERR_\w+)` \| (`\w+`(?:, `\w+`)*) \| [^|]{9,} \| [^|]{9,} \|$/gm,
  );
  const told = Array.from(rows, ([, code = "", names = ""]) => ({ code, names: names.match(/\w+/g) ?? [] }));
  const codes = ["btf", "bpf", "edit", "image", "load", "live", "data", "archive"].flatMap((file) =>
    Array.from(readFileSync(`src/errors/${file}.ts`, "utf8").matchAll(/^export const (ERR_\w+)/gm), ([, code]) => code),
  );
  expect(told.map(({ code }) => code)).toEqual(codes);
  expect(new Set(told.flatMap(({ code, names }) => names.map((name) => `${code} ${name}`)))).toEqual(thrown());
});

test("bench/figures.md has the figures of bench/results.json", () => {
  execFileSync(process.execPath, ["scripts/docs/figures.mjs", "--check"]);
});

needing("the corpus in ../shared")("the picture of sk_buff is the one that is drawn", () => {
  using btf = openFile(corpusPath("vmlinux/6.12-amd64.btf.gz"));
  const drawn = layoutSvg(layout(btf.require("sk_buff", "struct")));
  expect(readFileSync("docs/pictures/sk_buff.svg", "utf8")).toBe(drawn);
});
