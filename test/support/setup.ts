// BTFKIT_KERNEL runs the tests on other kernels: "debug" on the one that asserts, "js" on those without WebAssembly.
import { readFileSync } from "node:fs";
import { init } from "btfkit";
import { initEdit } from "btfkit/edit";

if (process.env["BTFKIT_KERNEL"] === "debug") {
  await init(readFileSync("build/kernel.debug.wasm"));
  await initEdit(readFileSync("build/edit.debug.wasm"));
}
if (process.env["BTFKIT_KERNEL"] === "js") await import("btfkit/js/edit");
