/** The archives, recognised by their first bytes: files that hold files, which a stream brings one after the other. */
import type { Reader } from "../codecs/reader.js";
import { arAt, arEntries } from "./ar.js";
import { cpioEntries, isCpio } from "./cpio.js";
import type { Entry } from "./entry.js";
import { isRpm, rpmPayload } from "./rpm.js";
import { isTar, TAR_HEAD, tarEntries } from "./tar.js";

/** Files that hold files. */
export type ArchiveKind = "deb" | "ar" | "tar" | "cpio" | "rpm";

/** Bytes of a head in which `archiveAt` finds what it looks for. */
export const ARCHIVE_HEAD = TAR_HEAD;

/** Returns the kind of archive that data starts as, or `undefined`. */
export function archiveAt(head: Uint8Array): ArchiveKind | undefined {
  if (isCpio(head)) return "cpio";
  if (isRpm(head)) return "rpm";
  if (isTar(head)) return "tar";
  return arAt(head);
}

type Entries = (input: Reader) => AsyncGenerator<Entry>;

const READERS: Readonly<Record<ArchiveKind, Entries>> = {
  deb: arEntries,
  ar: arEntries,
  tar: tarEntries,
  cpio: cpioEntries,
  rpm: rpmPayload,
};

/** Yields the regular files of an archive; of an rpm its compressed payload, as one. */
export function entriesOf(kind: ArchiveKind, input: Reader): AsyncGenerator<Entry> {
  return READERS[kind](input);
}
