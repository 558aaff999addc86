// Copies the constants that kernels and host share from assembly/format/abi.ts to
// src/memory/generated/abi.ts, so that each number stands in one place. What makes BTF gets
// a file with its own added, so that its chunk wants none from the default one.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

mkdirSync("src/memory/generated", { recursive: true });
for (const [name, ...more] of [["abi"], ["edit-abi", "abi"]]) {
  const source = [name, ...more].map((file) => readFileSync(`assembly/format/${file}.ts`, "utf8")).join("\n");
  const lines = [...source.matchAll(/((?:\/\*\*.*\*\/\n)?)export const (\w+): \w+ = (0x[0-9a-f]+|\d+);/g)].map(
    ([, doc, name, value]) => `${doc}export const ${name} = ${value};`,
  );
  writeFileSync(
    `src/memory/generated/${name}.ts`,
    `// Made by scripts/build/abi.mjs from assembly/format/${name}.ts.\n${lines.join("\n")}\n`,
  );
}
