/** tar archives: ustar, with the long names of GNU and pax. */
import type { Reader } from "../codecs/reader.js";
import { type Entry, entry, malformed, NAME_LIMIT, startsWith, text, upToNul } from "./entry.js";

const TAR_BLOCK = 512;

/** Bytes of a head in which `isTar` finds what it looks for. */
export const TAR_HEAD = TAR_BLOCK;

export function isTar(head: Uint8Array): boolean {
  return head.length >= TAR_BLOCK && startsWith(head, "ustar", 257);
}

/** Octal, or with the highest bit set a big-endian number. */
function tarNumber(field: Uint8Array): number {
  if (field[0]! & 0x80) return field.reduce((value, byte, i) => value * 256 + (i ? byte : byte & 0x7f), 0);
  const digits = upToNul(field).trim();
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : digits === "" ? 0 : Number.NaN;
}

/** Yields the regular files of the archive. */
export async function* tarEntries(input: Reader): AsyncGenerator<Entry> {
  let longPath: string | undefined;
  let longSize: number | undefined;
  for (;;) {
    if ((await input.peek(1)).length === 0) return;
    const head = await input.read(TAR_BLOCK, "tar archive");
    if (head.every((byte) => byte === 0)) return;
    const sum = head.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
    let size = tarNumber(head.subarray(124, 136));
    if (tarNumber(head.subarray(148, 156)) !== sum || !Number.isSafeInteger(size)) {
      throw malformed(input, "tar archive: a header's checksum does not match");
    }
    const type = String.fromCharCode(head[156]!);
    const what = "tar archive";
    if (type === "L" || type === "x") {
      if (size > NAME_LIMIT) throw malformed(input, `tar archive: a name of ${size} bytes`);
      const told = await input.read(size, what);
      if (type === "L") longPath = upToNul(told);
      else {
        const fields = paxFields(text(told));
        longPath = fields.get("path") ?? longPath;
        longSize = fields.has("size") ? Number(fields.get("size")) : longSize;
      }
    } else {
      size = longSize ?? size;
      if (!Number.isSafeInteger(size) || size < 0) throw malformed(input, "tar archive: a size that is not a number");
      const prefix = startsWith(head, "ustar\0", 257) ? upToNul(head.subarray(345, 500)) : "";
      const path = longPath ?? (prefix ? `${prefix}/` : "") + upToNul(head.subarray(0, 100));
      if (type === "0" || type === "\0" || type === "7") yield* entry(input, path, size, what);
      else await input.skip(size, what);
      longPath = undefined;
      longSize = undefined;
    }
    await input.skip(-size & (TAR_BLOCK - 1), what);
  }
}

/** Lines `LENGTH KEY=VALUE\n`. */
function paxFields(told: string): Map<string, string> {
  return new Map(Array.from(told.matchAll(/^\d+ ([^=\n]+)=(.*)$/gm), ([, key, value]) => [key!, value!]));
}
