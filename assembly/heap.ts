import { checkContext } from "./c/context";
import { checkCursor } from "./emit/cursor";
import { checkAbi } from "./image";

/** The first address that is the host's to give out: static data ends here. */
export function heapBase(): usize {
  checkAbi();
  checkContext();
  checkCursor();
  return __heap_base;
}
