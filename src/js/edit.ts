/** `btfkit/edit` without WebAssembly. */
import { provideEdit } from "../wasm/edit-kernel.js";
import { makeEditKernel } from "../wasm/js-edit-kernel.js";
import { refusing } from "../wasm/js-memory.js";
import "./index.js";

export * from "../edit.js";

provideEdit(refusing(makeEditKernel));
