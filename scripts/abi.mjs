// Copies the constants that kernels and host share from assembly/abi.ts to
// src/wasm/abi.ts, so that each number stands in one place. What makes BTF gets
// a file with its own added, so that its chunk wants none from the default one.
import { readFileSync, writeFileSync } from "node:fs";

for (const [name, ...more] of [["abi"], ["edit-abi", "abi"]]) {
  const source = [name, ...more].map((file) => readFileSync(`assembly/${file}.ts`, "utf8")).join("\n");
  const lines = [...source.matchAll(/((?:\/\*\*.*\*\/\n)?)export const (\w+): \w+ = (0x[0-9a-f]+|\d+);/g)].map(
    ([, doc, name, value]) => `${doc}export const ${name} = ${value};`,
  );
  writeFileSync(`src/wasm/${name}.ts`, `// Made by scripts/abi.mjs from assembly/${name}.ts.\n${lines.join("\n")}\n`);
}
