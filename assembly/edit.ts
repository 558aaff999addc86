// What the second WebAssembly module exports: kernels that make and reshape
// BTF. It has a memory of its own and is loaded when one of them is needed.
export { status } from "./status";
export { take } from "./dedup/flatten";
export { markList, rankNames, renameList, uniteNames } from "./dedup/strings";
export { hashShapes, hashTypes, redirect } from "./dedup/hash";
export { findDefinitions, findWitnesses, makeOpaque } from "./dedup/forward";
export { choose, judgeForwards, settle } from "./dedup/choice";
export { checkClasses, listParents, refine, restoreClasses, separate, startClasses } from "./dedup/classes";
export { findLoop } from "./dedup/loop";
export { assignIds, compact } from "./dedup/compact";
export { fingerprint, hashNames, hashRecords } from "./fingerprint";
export { listFieldHolders, listFieldTypes } from "./verify/fields";
export { checkRecords } from "./verify/record";
export { checkReferences, checkTags } from "./verify/resolve";
export { editHeapBase as heapBase } from "./edit-heap";
