/** `btfkit/inspect` in workerd. */
import kernel from "../inspect.wasm";
import { provideInspect } from "../memory/inspect-kernel.js";
import { instancesOf } from "../memory/kernel.js";
import "./index.js";

export * from "../inspect.js";

provideInspect(instancesOf(kernel));
