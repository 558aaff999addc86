import { readFileSync } from "node:fs";

/** The one WebAssembly module that a package's script holds as base64. */
export function moduleIn(script) {
  const [, base64] = /["',]([A-Za-z0-9+/]{1000,}={0,2})["']/.exec(readFileSync(script, "utf8"));
  return Buffer.from(base64, "base64");
}
