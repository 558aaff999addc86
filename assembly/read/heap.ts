import { checkContext } from "../text/c/context";
import { checkCursor } from "../text/cursor";
import { checkAbi } from "../format/image";

/** The first address that is the host's to give out: static data ends here. */
export function heapBase(): usize {
  checkAbi();
  checkContext();
  checkCursor();
  return __heap_base;
}
