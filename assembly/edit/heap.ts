import { checkGraph } from "./dedup/graph";
import { checkVerify } from "./verify/state";

/** The first address that is the host's to give out: static data ends here. */
export function editHeapBase(): usize {
  checkGraph();
  checkVerify();
  return __heap_base;
}
