// Writes WebAssembly into src/ as strings, so that any bundler carries it
// without a loader and no host has to fetch it: our release modules, and the
// decoders that packages bring. A character a byte: as base64 it takes 30% more
// once compressed, for base64 hides what repeats.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const ESCAPES = { "\0": "\\x00", "\n": "\\n", "\r": "\\r", '"': '\\"', "\\": "\\\\" };

/** The one module that a package's script holds as base64. */
function moduleIn(script) {
  const [, base64] = /["',]([A-Za-z0-9+/]{1000,}={0,2})["']/.exec(readFileSync(script, "utf8"));
  return Buffer.from(base64, "base64");
}

for (const [from, file, name] of [
  ["build/kernel.wasm", "memory/generated/inline", "KERNEL"],
  ["build/edit.wasm", "memory/generated/inline-edit", "EDIT"],
  ["node_modules/zstddec/dist/zstddec-stream.mjs", "image/codecs/generated/inline-zstd", "ZSTD"],
  ["node_modules/xz-decompress/dist/package/xz-decompress.js", "image/codecs/generated/inline-xz", "XZ"],
]) {
  const bytes = from.endsWith(".wasm") ? readFileSync(from) : moduleIn(from);
  if (bytes.readUInt32BE(0) !== 0x0061736d) throw new Error(`${from}: no WebAssembly`);
  const text = bytes.toString("latin1").replace(/[\0\n\r"\\]/g, (char) => ESCAPES[char]);
  mkdirSync(dirname(`src/${file}.ts`), { recursive: true });
  writeFileSync(
    `src/${file}.ts`,
    `// Made by scripts/build/inline.mjs from ${from}.\nexport const ${name} =\n  "${text}";\n`,
  );
}
