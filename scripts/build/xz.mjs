// xz.mjs FROM TO: takes the decoder out of the package xz-decompress, and lets it have dictionaries of up to 1 GiB, which
// is what btfkit unpacks at most by default; the package stops at 64 MiB, and kernels are packed with 128 MiB today.
import { writeFileSync } from "node:fs";
import binaryen from "binaryen";
import { moduleIn } from "./package-module.mjs";

/** The only such number in the module: what `xz_dec_init` is called with. */
const PACKAGE_LIMIT = `(i32.const ${64 << 20})`;
const LIMIT = `(i32.const ${1 << 30})`;

const [from, to] = process.argv.slice(2);
const text = binaryen.readBinary(moduleIn(from)).emitText();
if (text.split(PACKAGE_LIMIT).length !== 2) throw new Error(`${from}: the limit of dictionaries is not where it was`);
writeFileSync(to, binaryen.parseText(text.replace(PACKAGE_LIMIT, LIMIT)).emitBinary());
