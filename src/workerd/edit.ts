/** `btfkit/edit` in workerd. */
import kernel from "../edit.wasm";
import { provideEdit } from "../wasm/edit-kernel.js";
import { instancesOf } from "../wasm/kernel.js";
import "./index.js";

export * from "../edit.js";

provideEdit(instancesOf(kernel));
