/** Reads what an iterator program writes. */
import { systemError } from "../error.js";
import type { Kernel } from "../kernel.js";
import type { Link } from "../link.js";

const CHUNK = 1 << 16;

/**
 * Runs an iterator once, from its start to its end.
 *
 * @throws BtfSystemError
 */
export function* readIterator(kernel: Kernel, link: Link): Generator<Uint8Array, void, undefined> {
  const { system } = kernel;
  const fd = system.bpf("ITER_CREATE", { "iter_create.link_fd": link.fd });
  const buffer = system.allocate(CHUNK);
  try {
    for (;;) {
      const count = system.call("read", fd, buffer.address, CHUNK);
      if (count === 0) return;
      if (count < 0) throw systemError("read", -count, { note: "an iterator" });
      yield buffer.bytes.slice(0, count);
    }
  } finally {
    system.close(fd);
  }
}
