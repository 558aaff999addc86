// What the module of btfkit/inspect exports: the kernel that writes the layouts
// of a whole kernel. It has a memory of its own.
export { adopt, start } from "./inspect/state";
export { begin, layouts, position, skip } from "./inspect/text";

/** The first address that is the host's to give out: static data ends here. */
export function heapBase(): usize {
  return __heap_base;
}
