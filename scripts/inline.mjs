// Writes the release modules into src/wasm/inline*.ts, so that any bundler
// carries them without a loader and no host has to fetch them. A character a byte:
// as base64 it takes 30% more once compressed, for base64 hides what repeats.
import { readFileSync, writeFileSync } from "node:fs";

const ESCAPES = { "\0": "\\x00", "\n": "\\n", "\r": "\\r", '"': '\\"', "\\": "\\\\" };

for (const [module, file, name] of [
  ["kernel", "inline", "KERNEL"],
  ["edit", "inline-edit", "EDIT"],
]) {
  const text = readFileSync(`build/${module}.wasm`, "latin1").replace(/[\0\n\r"\\]/g, (char) => ESCAPES[char]);
  writeFileSync(
    `src/wasm/${file}.ts`,
    `// Made by scripts/inline.mjs from build/${module}.wasm.\nexport const ${name} =\n  "${text}";\n`,
  );
}
