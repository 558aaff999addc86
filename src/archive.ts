/**
 * btfkit/archive: many kernels in one place, shared, searched without opening them.
 *
 * @module btfkit/archive
 */

export { Archive, type ArchiveOptions, type ArchiveReport } from "./archive/archive.js";
export type { Fetch } from "./archive/http-store.js";
export type { ArchivedDefinition, DefinitionsOptions } from "./archive/query/definitions.js";
export type { ArchiveQuery, FoundDefinition } from "./archive/query/find.js";
export type { ArchivedTarget, Seen, TargetsOptions } from "./archive/query/targets.js";
export type { ArchivedImage, KernelRecord } from "./archive/records.js";
export type { ArchivedKernel } from "./archive/root.js";
export type { ArchiveStore, ByteRange, WritableArchiveStore } from "./archive/store.js";
export { ArchiveWriter, type KernelToAdd } from "./archive/writer.js";
