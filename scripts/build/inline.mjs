// inline.mjs FROM FILE NAME: writes WebAssembly into src/ as a string constant,
// so that any bundler carries it without a loader and no host has to fetch it. A
// character a byte: as base64 it takes 30% more once compressed, for base64 hides
// what repeats. Bytes that a string can only hold escaped stand 256 characters
// higher, and the low bytes of the characters are the module: escaped they take up
// to 7% more, for bundlers write them in their own ways. FROM is a module, or a
// package's script that holds one as base64.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** The one module that a package's script holds as base64. */
function moduleIn(script) {
  const [, base64] = /["',]([A-Za-z0-9+/]{1000,}={0,2})["']/.exec(readFileSync(script, "utf8"));
  return Buffer.from(base64, "base64");
}

const [from, file, name] = process.argv.slice(2);
const bytes = from.endsWith(".wasm") ? readFileSync(from) : moduleIn(from);
if (bytes.readUInt32BE(0) !== 0x0061736d) throw new Error(`${from}: no WebAssembly`);
const isEscaped = (byte) => byte < 0x20 || byte === 0x22 || byte === 0x5c;
const text = Array.from(bytes, (byte) => String.fromCharCode(isEscaped(byte) ? byte + 256 : byte)).join("");
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `// Made by scripts/build/inline.mjs from ${from}.\nexport const ${name} =\n  "${text}";\n`);
