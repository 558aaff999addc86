/** Visits and rewrites the names and type ids of records (libbpf's btf_field_iter). */
import { RECORD_SHAPES } from "../../format/generated/records.js";
import {
  KIND_MASK,
  KIND_MAX,
  KIND_SHIFT,
  TYPE_INFO,
  TYPE_SIZE,
  TYPE_SIZE_OR_ID,
  VLEN_MASK,
} from "../../memory/generated/edit-abi.js";

/** Words of the record that every type starts with. */
const RECORD_WORDS = TYPE_SIZE / 4;
const INFO = TYPE_INFO / 4;
const SIZE_OR_ID = TYPE_SIZE_OR_ID / 4;

export function kindOf(info: number): number {
  return (info >>> KIND_SHIFT) & KIND_MASK;
}

/** Tells whether the fields of a kind's record are known to this toolkit. */
export function isKnownKind(kind: number): boolean {
  return kind > 0 && kind <= KIND_MAX;
}

/** Length in words of the record whose `info` this is; its kind is known. */
export function recordWords(info: number): number {
  const [, fixed, , element] = RECORD_SHAPES[kindOf(info)]!;
  return RECORD_WORDS + fixed + (element ? (info & VLEN_MASK) * element : 0);
}

/** Calls back with each type id of the record at word `at`, in libbpf's order. */
export function visitIds(words: Uint32Array, at: number, id: (id: number) => void): void {
  const info = words[at + INFO]!;
  const [refers, fixed, fixedIds, element, , elementId] = RECORD_SHAPES[kindOf(info)]!;
  if (refers) id(words[at + SIZE_OR_ID]!);
  for (let i = 0; i < fixedIds; i++) id(words[at + RECORD_WORDS + i]!);
  if (elementId < 0) return;
  const end = at + recordWords(info);
  for (let i = at + RECORD_WORDS + fixed + elementId; i < end; i += element) id(words[i]!);
}

/**
 * Rewrites all names and ids of the records in [start, end) of `words`; names
 * of a record are met in libbpf's order.
 */
export function rewriteRecords(
  words: Uint32Array,
  start: number,
  end: number,
  name: (offset: number) => number,
  id: (id: number) => number,
): void {
  for (let at = start; at < end; ) {
    const info = words[at + INFO]!;
    const [refers, fixed, fixedIds, element, elementName, elementId] = RECORD_SHAPES[kindOf(info)]!;
    words[at] = name(words[at]!);
    if (refers) words[at + SIZE_OR_ID] = id(words[at + SIZE_OR_ID]!);
    at += RECORD_WORDS;
    for (let i = 0; i < fixedIds; i++) words[at + i] = id(words[at + i]!);
    at += fixed;
    if (element === 0) continue;
    for (let left = info & VLEN_MASK; left > 0; left--) {
      if (elementName >= 0) words[at + elementName] = name(words[at + elementName]!);
      if (elementId >= 0) words[at + elementId] = id(words[at + elementId]!);
      at += element;
    }
  }
}
