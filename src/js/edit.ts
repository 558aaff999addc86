/** `btfkit/edit` without WebAssembly. */
import { provideEdit } from "../memory/edit-kernel.js";
import { makeEditKernel } from "../memory/generated/js-edit-kernel.js";
import { refusing } from "../memory/js-memory.js";
import "./index.js";

export * from "../edit.js";

provideEdit(refusing(makeEditKernel));
