// What the module of btfkit/inspect exports: the kernels that write the layouts
// of a whole kernel, and that compare types. They have a memory of their own.
export { status } from "./format/status";
export { turnRound } from "./inspect/graph";
export { identify } from "./inspect/identity";
export { lacking, listDiffering, tabulate, writeNames } from "./inspect/table";
export { adopt, start } from "./inspect/state";
export { begin, layouts, position, skip } from "./inspect/text";

/** The first address that is the host's to give out: static data ends here. */
export function heapBase(): usize {
  return __heap_base;
}
