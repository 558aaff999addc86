/** `btfkit` in workerd, which compiles WebAssembly with the program and not while it runs. */
import kernel from "../kernel.wasm";
import { instancesOf, provide } from "../memory/kernel.js";

export * from "../index.js";

provide(instancesOf(kernel));
