/**
 * Files, for Node, Deno and Bun: the one part of the library that imports node:*.
 *
 * @module btfkit/node
 */

export { archiveFolder } from "./node/archive-folder.js";
export { type OpenOptions, openFile, readBytes } from "./node/file.js";
export { extractBtfFile, openImageFile } from "./node/image-file.js";
export { KERNEL_BTF, openKernel } from "./node/kernel.js";
