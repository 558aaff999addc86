// What the second WebAssembly module exports: kernels that make and reshape
// BTF. It has a memory of its own and is loaded when one of them is needed.
export { status } from "./status";
export { measure, shift } from "./dedup/flatten";
export { markList, markNames, rankNames, renameList, uniteNames } from "./dedup/strings";
export { hashShapes, hashTypes, link } from "./dedup/hash";
export {
  applyForwards, countForwards, endOpaque, findDefinitions, findWitnesses, judgeForwards, makeOpaque,
} from "./dedup/forward"; // prettier-ignore
export { checkClasses, refine, separate, startClasses, touchAll } from "./dedup/classes";
export { findLoop } from "./dedup/loop";
export { assignIds, compact } from "./dedup/compact";
export { fingerprint, hashNames, hashRecords } from "./fingerprint";
export { listFieldHolders, listFieldTypes } from "./verify/fields";
export { checkRecords } from "./verify/record";
export { checkReferences, checkTags } from "./verify/resolve";
export { editHeapBase as heapBase } from "./edit-heap";
