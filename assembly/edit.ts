// The exports of the second WebAssembly module: kernels that make and reshape
// BTF. It has a memory of its own and is loaded when one of them is needed.
export { status } from "./format/status";
export { take } from "./edit/dedup/flatten";
export { markList, rankNames, renameList, uniteNames } from "./edit/dedup/strings";
export { hashShapes, hashTypes, redirect } from "./edit/dedup/hash";
export { findDefinitions, findWitnesses, makeOpaque } from "./edit/dedup/forward";
export { choose, judgeForwards, settle } from "./edit/dedup/choice";
export { checkClasses, listParents, refine, restoreClasses, separate, startClasses } from "./edit/dedup/classes";
export { findLoop } from "./edit/dedup/loop";
export { assignIds, compact } from "./edit/dedup/compact";
export { fingerprint, hashNames, hashRecords } from "./edit/fingerprint";
export { listFieldHolders, listFieldTypes } from "./edit/verify/fields";
export { checkRecords } from "./edit/verify/record";
export { checkReferences, checkTags } from "./edit/verify/resolve";
export { editHeapBase as heapBase } from "./edit/heap";
