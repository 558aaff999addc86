/** The archives, recognised by their first bytes: files that hold files, which a stream brings one after the other. */
import type { Budget } from "../codecs/budget.js";
import type { Reader } from "../codecs/reader.js";
import { arAt, arEntries } from "./ar.js";
import { cpioEntries, isCpio } from "./cpio.js";
import type { Entry } from "./entry.js";
import { ISO_HEAD, isIso, isoEntries } from "./iso.js";
import { isRpm, rpmPayload } from "./rpm.js";
import { isTar, tarEntries } from "./tar.js";
import { isZip, zipEntries } from "./zip.js";

/** Files that hold files. */
export type ArchiveKind = "deb" | "ar" | "tar" | "cpio" | "rpm" | "zip" | "ISO 9660";

/** Bytes of a head in which `archiveAt` finds what it looks for. */
export const ARCHIVE_HEAD = ISO_HEAD;

/** Returns the kind of archive that data starts as, or `undefined`. */
export function archiveAt(head: Uint8Array): ArchiveKind | undefined {
  if (isCpio(head)) return "cpio";
  if (isRpm(head)) return "rpm";
  if (isTar(head)) return "tar";
  if (isZip(head)) return "zip";
  if (isIso(head)) return "ISO 9660";
  return arAt(head);
}

type Entries = (input: Reader, budget: Budget) => AsyncGenerator<Entry>;

const READERS: Readonly<Record<ArchiveKind, Entries>> = {
  deb: arEntries,
  ar: arEntries,
  tar: tarEntries,
  cpio: cpioEntries,
  rpm: rpmPayload,
  zip: zipEntries,
  "ISO 9660": isoEntries,
};

/** Yields the regular files of an archive; of an rpm its compressed payload, as one. */
export function entriesOf(kind: ArchiveKind, input: Reader, budget: Budget): AsyncGenerator<Entry> {
  return READERS[kind](input, budget);
}
