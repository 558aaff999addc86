/** ar archives, of which a Debian package (`.deb`) is one. */
import type { Reader } from "../codecs/reader.js";
import { type Entry, entry, malformed, startsWith, text } from "./entry.js";

const MAGIC = "!<arch>\n";

/** Returns whether data starts as an ar archive, and whether that is a Debian package. */
export function arAt(head: Uint8Array): "ar" | "deb" | undefined {
  if (!startsWith(head, MAGIC)) return undefined;
  return startsWith(head, "debian-binary", MAGIC.length) ? "deb" : "ar";
}

/** Yields the files of the archive. */
export async function* arEntries(input: Reader): AsyncGenerator<Entry> {
  await input.skip(8, "ar archive");
  while ((await input.peek(1)).length > 0) {
    const head = text(await input.read(60, "ar archive"));
    const size = /^\d+ *$/.test(head.slice(48, 58)) ? Number(head.slice(48, 58)) : -1;
    if (size < 0 || !head.endsWith("`\n")) throw malformed(input, "ar archive: no header where a file should start");
    yield* entry(input, head.slice(0, 16).trimEnd().replace(/\/$/, ""), size, "ar archive");
    if (size % 2 && (await input.peek(1)).length > 0) await input.skip(1, "ar archive");
  }
}
