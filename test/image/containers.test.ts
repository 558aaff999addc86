// What every runtime opens of packed data, and that the programs for it agree
// on what is in there.
import { execFileSync } from "node:child_process";
import * as lib from "btfkit/image";
import { expect, test } from "vitest";
import { containers } from "../suite/containers.js";
import { PACKED } from "../suite/packed.js";
import { specimen } from "../suite/specimen.js";
import { needing } from "../support/needs.js";

containers({ lib, test });

for (const [name, base64] of Object.entries(PACKED)) {
  const program = { gzip: "gzip", xz: "xz", zstd: "zstd", lz4: "lz4", lzma: "xz", bzip2: "bzip2" }[
    name.split(",")[0]!
  ]!;
  needing(program as "xz")(`${program} unpacks ${name}`, () => {
    const unpacked = execFileSync(program, ["-dc"], { input: Buffer.from(base64, "base64") });
    expect(Buffer.from(specimen().bytes).equals(unpacked)).toBe(true);
  });
}
