// Writes the release kernel into src/wasm/inline.ts, so that any bundler
// carries it without a loader and no host has to fetch it. A character a byte:
// as base64 it takes 30% more once compressed, for base64 hides what repeats.
import { readFileSync, writeFileSync } from "node:fs";

const ESCAPES = { "\0": "\\x00", "\n": "\\n", "\r": "\\r", '"': '\\"', "\\": "\\\\" };

const kernel = readFileSync("build/kernel.wasm", "latin1").replace(/[\0\n\r"\\]/g, (char) => ESCAPES[char]);
writeFileSync(
  "src/wasm/inline.ts",
  `// Made by scripts/inline.mjs from build/kernel.wasm.\nexport const KERNEL =\n  "${kernel}";\n`,
);
