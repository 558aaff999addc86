// Copies the constants that kernels and host share from assembly/abi.ts to
// src/wasm/abi.ts, so that each number stands in one place.
import { readFileSync, writeFileSync } from "node:fs";

const source = readFileSync("assembly/abi.ts", "utf8");
const lines = [...source.matchAll(/((?:\/\*\*.*\*\/\n)?)export const (\w+): \w+ = (0x[0-9a-f]+|\d+);/g)].map(
  ([, doc, name, value]) => `${doc}export const ${name} = ${value};`,
);
writeFileSync("src/wasm/abi.ts", `// Made by scripts/abi.mjs from assembly/abi.ts.\n${lines.join("\n")}\n`);
