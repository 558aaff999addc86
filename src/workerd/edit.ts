/** `btfkit/edit` in workerd. */
import kernel from "../edit.wasm";
import { provideEdit } from "../memory/edit-kernel.js";
import { instancesOf } from "../memory/kernel.js";
import "./index.js";

export * from "../edit.js";

provideEdit(instancesOf(kernel));
