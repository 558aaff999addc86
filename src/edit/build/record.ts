/** Where names and type ids stand in a type record, so that they can be rewritten (libbpf's btf_field_iter). */
import { KIND_MASK, KIND_SHIFT, VLEN_MASK } from "../../memory/generated/edit-abi.js";

/** Record, fixed part and elements in words of 4 bytes; -1 where a part holds no name or id. */
interface Shape {
  /** The third word is a type id (and no size). */
  readonly refers: boolean;
  /** Words between the record's three and the elements. */
  readonly fixed: number;
  /** How many of these words, from the first on, are type ids. */
  readonly fixedIds: number;
  /** Words of an element; 0: `vlen` counts none. */
  readonly element: number;
  readonly elementName: number;
  readonly elementId: number;
}

const shape = (refers: boolean, fixed = 0, fixedIds = 0, element = 0, elementName = -1, elementId = -1): Shape => ({
  refers,
  fixed,
  fixedIds,
  element,
  elementName,
  elementId,
});

const size = /* @__PURE__ */ shape(false);
const reference = /* @__PURE__ */ shape(true);
const composite = /* @__PURE__ */ shape(false, 0, 0, 3, 0, 1);
const refersWithWord = /* @__PURE__ */ shape(true, 1);

/** By kind number, 0 to 19. */
const SHAPES: readonly Shape[] = /* @__PURE__ */ [
  size,
  /* INT */ /* @__PURE__ */ shape(false, 1),
  /* PTR */ reference,
  /* ARRAY */ /* @__PURE__ */ shape(false, 3, 2),
  /* STRUCT */ composite,
  /* UNION */ composite,
  /* ENUM */ /* @__PURE__ */ shape(false, 0, 0, 2, 0),
  /* FWD */ size,
  /* TYPEDEF */ reference,
  /* VOLATILE */ reference,
  /* CONST */ reference,
  /* RESTRICT */ reference,
  /* FUNC */ reference,
  /* FUNC_PROTO */ /* @__PURE__ */ shape(true, 0, 0, 2, 0, 1),
  /* VAR */ refersWithWord,
  /* DATASEC */ /* @__PURE__ */ shape(false, 0, 0, 3, -1, 0),
  /* FLOAT */ size,
  /* DECL_TAG */ refersWithWord,
  /* TYPE_TAG */ reference,
  /* ENUM64 */ /* @__PURE__ */ shape(false, 0, 0, 3, 0),
];

export function kindOf(info: number): number {
  return (info >>> KIND_SHIFT) & KIND_MASK;
}

/** Whether references of a kind are known to this toolkit. */
export function isKnownKind(kind: number): boolean {
  return kind > 0 && kind < SHAPES.length;
}

/** Length in words of the record whose `info` this is; its kind is known. */
export function recordWords(info: number): number {
  const { fixed, element } = SHAPES[kindOf(info)]!;
  return 3 + fixed + (element ? (info & VLEN_MASK) * element : 0);
}

/** Calls back with each type id of the record at word `at`, in libbpf's order. */
export function visitIds(words: Uint32Array, at: number, id: (id: number) => void): void {
  const { refers, fixed, fixedIds, element, elementId } = SHAPES[kindOf(words[at + 1]!)]!;
  if (refers) id(words[at + 2]!);
  for (let i = 0; i < fixedIds; i++) id(words[at + 3 + i]!);
  if (elementId < 0) return;
  const end = at + recordWords(words[at + 1]!);
  for (let i = at + 3 + fixed + elementId; i < end; i += element) id(words[i]!);
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
    const info = words[at + 1]!;
    const { refers, fixed, fixedIds, element, elementName, elementId } = SHAPES[kindOf(info)]!;
    words[at] = name(words[at]!);
    if (refers) words[at + 2] = id(words[at + 2]!);
    at += 3;
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
