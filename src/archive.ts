/**
 * btfkit/archive: many kernels in one place, shared, searched without opening them.
 *
 * @module btfkit/archive
 */

export { Archive, type ArchiveReport } from "./archive/archive.js";
export type { ArchivedImage, KernelRecord } from "./archive/records.js";
export type { ArchivedKernel } from "./archive/root.js";
export type { ArchiveStore, ByteRange, WritableArchiveStore } from "./archive/store.js";
export { ArchiveWriter, type KernelToAdd } from "./archive/writer.js";
