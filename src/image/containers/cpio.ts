/** cpio archives in the newc format, as an initramfs is. */
import type { Reader } from "../codecs/reader.js";
import { type Entry, entry, malformed, NAME_LIMIT, remainder, startsWith, text, upToNul } from "./entry.js";

const MAGIC_LENGTH = 6;

export function isCpio(head: Uint8Array): boolean {
  return startsWith(head, "070701") || startsWith(head, "070702");
}

const CPIO_HEAD = 110;
const CPIO_END = "TRAILER!!!";
/** Of a mode: what kind of file. */
const TYPE_MASK = 0xf000;
const REGULAR = 0x8000;

/** Archives may follow each other, with zeros between them. */
export async function* cpioEntries(input: Reader): AsyncGenerator<Entry> {
  const what = "cpio archive";
  for (;;) {
    const head = text(await input.read(CPIO_HEAD, what));
    const field = (number: number): number => Number.parseInt(head.slice(6 + number * 8, 14 + number * 8), 16);
    const [mode, size, nameLength] = [field(1), field(6), field(11)];
    if (!/^07070[12][0-9a-fA-F]{104}$/.test(head) || nameLength > NAME_LIMIT) {
      throw malformed(input, "cpio archive: no header where a file should start");
    }
    const path = upToNul(await input.read(nameLength, what));
    await input.skip(-(CPIO_HEAD + nameLength) & 3, what);
    if (path === CPIO_END) {
      if (await atNextCpio(input)) continue;
      // Early microcode comes before the initramfs proper, which is packed.
      if ((await input.peek(1)).length > 0) yield remainder(input);
      return;
    }
    if ((mode & TYPE_MASK) === REGULAR) yield* entry(input, path, size, what);
    else await input.skip(size, what);
    await input.skip(-size & 3, what);
  }
}

/** Skips zeros to what follows an archive; returns whether that is another one. */
async function atNextCpio(input: Reader): Promise<boolean> {
  for (;;) {
    const chunk = await input.chunk();
    if (!chunk) return false;
    const at = chunk.findIndex((byte) => byte !== 0);
    if (at < 0) continue;
    input.unread(chunk.subarray(at));
    return isCpio(await input.peek(MAGIC_LENGTH));
  }
}
