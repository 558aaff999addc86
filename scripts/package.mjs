// What rollup leaves to do: the kernel beside the code, the executable's run bit.
import { chmodSync, copyFileSync } from "node:fs";

copyFileSync("build/kernel.wasm", "dist/kernel.wasm");
chmodSync("dist/cli/btfkit.cjs", 0o755);
