import { checkGraph } from "./dedup/graph";

/** The first address that is the host's to give out: static data ends here. */
export function editHeapBase(): usize {
  checkGraph();
  return __heap_base;
}
