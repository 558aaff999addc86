/** `btfkit/inspect` without WebAssembly. */
import { makeInspectKernel } from "../memory/generated/js-inspect-kernel.js";
import { provideInspect } from "../memory/inspect-kernel.js";
import { refusing } from "../memory/js-memory.js";
import "./index.js";

export * from "../inspect.js";

provideInspect(refusing(makeInspectKernel));
