// Writes the release kernel as base64 into src/wasm/inline.ts, so that any
// bundler carries it without a loader and no host has to fetch it.
import { readFileSync, writeFileSync } from "node:fs";

const kernel = readFileSync("build/kernel.wasm").toString("base64");
writeFileSync(
  "src/wasm/inline.ts",
  `// Made by scripts/inline.mjs from build/kernel.wasm.\nexport const KERNEL_BASE64 =\n  "${kernel}";\n`,
);
