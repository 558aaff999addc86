// inline.mjs FROM FILE NAME: writes WebAssembly into src/ as a string constant,
// so that any bundler carries it without a loader and no host has to fetch it. A
// character a byte: as base64 it takes 30% more once compressed, for base64 hides
// what repeats. All bytes are moved up, so that those that modules have most of
// are characters that no bundler has to escape: unmoved, they take a tenth more in
// Bun's bundles. FROM is a module, or a package's script that holds one as base64.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { moduleIn } from "./package-module.mjs";

const ESCAPES = { "\0": "\\x00", "\n": "\\n", "\r": "\\r", '"': '\\"', "\\": "\\\\" };
/** Bundles are smallest with it, of all distances from 32 to 52 in steps of four. */
const DISTANCE = 40;

const [from, file, name] = process.argv.slice(2);
const bytes = from.endsWith(".wasm") ? readFileSync(from) : moduleIn(from);
if (bytes.readUInt32BE(0) !== 0x0061736d) throw new Error(`${from}: no WebAssembly`);
const moved = Buffer.from(bytes.map((byte) => byte + DISTANCE));
const text = moved.toString("latin1").replace(/[\0\n\r"\\]/g, (char) => ESCAPES[char]);
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `// Made by scripts/build/inline.mjs from ${from}.\nexport const ${name} =\n  "${text}";\n`);
