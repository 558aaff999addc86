// BTFKIT_KERNEL=debug runs the tests on the kernel that asserts.
import { readFileSync } from "node:fs";
import { init } from "btfkit";

if (process.env["BTFKIT_KERNEL"] === "debug") await init(readFileSync("build/kernel.debug.wasm"));
