/** Memory of kernels that are JavaScript: an array, copied into a larger one when it grows. */
import type { Make } from "./kernel.js";

const PAGE = 65536;
/** Addresses are signed there. */
const LIMIT = 2 ** 31;

/** Wraps a maker of instances, so that their memory throws where WebAssembly's would: wasm2js's memory silently keeps its size. */
export function refusing<K extends { readonly memory: WebAssembly.Memory }>(make: Make<K>): Make<K> {
  return () => {
    const kernel = make();
    const { memory } = kernel;
    return {
      ...kernel,
      memory: {
        get buffer() {
          return memory.buffer;
        },
        grow(pages: number) {
          if (memory.buffer.byteLength + pages * PAGE > LIMIT) throw new RangeError(`more than ${LIMIT} bytes`);
          return memory.grow(pages);
        },
      },
    };
  };
}
