/** rpm packages. */
import type { Reader } from "../codecs/reader.js";
import { type Entry, malformed, remainder } from "./entry.js";

export function isRpm(head: Uint8Array): boolean {
  return head[0] === 0xed && head[1] === 0xab && head[2] === 0xee && head[3] === 0xdb;
}

/** Yields the compressed archive that follows a package's lead, signature and header. */
export async function* rpmPayload(input: Reader): AsyncGenerator<Entry> {
  await input.skip(96, "rpm package");
  for (const alignment of [8, 1]) {
    const head = await input.read(16, "rpm package");
    const view = new DataView(head.buffer);
    if (view.getUint32(0) !== 0x8eade801) throw malformed(input, "rpm package: no header where one should start");
    const size = view.getUint32(8) * 16 + view.getUint32(12);
    await input.skip(size + (-size & (alignment - 1)), "rpm package");
  }
  yield remainder(input);
}
