/** BTF in bytes that do not say where it is: found by its magic, proven by opening it. */
import { Btf } from "../../btf/btf.js";
import { MAGIC } from "../../btf/header.js";
import { BtfError, BtfInternalError } from "../../errors/error.js";

const HEADER_LENGTH = 24;
/** Candidates that are opened before the search is given up: each costs its length. */
const MOST_TRIED = 32;

interface Candidate {
  readonly offset: number;
  readonly length: number;
}

/** Where each byte of a value is, in turn. */
function* occurrences(bytes: Uint8Array, byte: number): Generator<number> {
  for (let at = bytes.indexOf(byte); at >= 0; at = bytes.indexOf(byte, at + 1)) yield at;
}

/** A header at `offset` whose sections lie inside, with strings that start and end as strings do. */
function candidateAt(bytes: Uint8Array, view: DataView, offset: number, little: boolean): Candidate | undefined {
  if (offset + HEADER_LENGTH > bytes.length) return undefined;
  const field = (at: number): number => view.getUint32(offset + at, little);
  const [headerLength, typesOffset, typesLength] = [field(4), field(8), field(12)];
  const [stringsOffset, stringsLength] = [field(16), field(20)];
  const length = headerLength + stringsOffset + stringsLength;
  if (bytes[offset + 2] !== 1 || bytes[offset + 3] !== 0) return undefined;
  if (headerLength < HEADER_LENGTH || headerLength > 64 || headerLength % 4) return undefined;
  if (typesLength === 0 || typesLength % 4 || typesOffset + typesLength > stringsOffset) return undefined;
  if (stringsLength === 0 || length > bytes.length - offset) return undefined;
  const strings = offset + headerLength + stringsOffset;
  if (bytes[strings] !== 0 || bytes[strings + stringsLength - 1] !== 0) return undefined;
  return { offset, length };
}

/** The largest BTF in `bytes` that opens, in either byte order. */
export function scanForBtf(bytes: Uint8Array): Candidate | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [low, high] = [MAGIC & 255, MAGIC >> 8];
  const found: Candidate[] = [];
  for (const at of occurrences(bytes, low)) {
    const little = bytes[at + 1] === high;
    const candidate = little
      ? candidateAt(bytes, view, at, true)
      : at > 0 && bytes[at - 1] === high && candidateAt(bytes, view, at - 1, false);
    if (candidate) found.push(candidate);
  }
  found.sort((a, b) => b.length - a.length);
  return found.slice(0, MOST_TRIED).find(({ offset, length }) => !refusalOf(bytes.subarray(offset, offset + length)));
}

/** Why BTF does not open by itself, as a module's split one does not; `undefined` for what does. */
export function refusalOf(bytes: Uint8Array): BtfError | undefined {
  try {
    Btf.parse(bytes)[Symbol.dispose]();
    return undefined;
  } catch (error) {
    if (error instanceof BtfError && !(error instanceof BtfInternalError)) return error;
    throw error;
  }
}
