/**
 * Search: the names that fit, exact before prefix before word before substring, filtered by kind and conditions. The
 * kernels of the library find the ids; names are read for the rows that are shown alone.
 */
import { type Btf, type BtfType, declaration, type Kind } from "btfkit";
import type { Condition, KindCount, Query, ResultRow, SearchResult } from "../protocol.js";
import { kernelOf, type OpenKernel } from "./kernels.js";
import { signature } from "./signature.js";

/** Kinds with names that people look for, in the order in which equal matches are listed. */
const KINDS: readonly Kind[] = [
  "struct",
  "union",
  "typedef",
  "enum",
  "enum64",
  "func",
  "var",
  "int",
  "float",
  "datasec",
  "fwd",
  "unknown",
];
const RANK = new Map(KINDS.map((kind, rank) => [kind, rank]));
/** Rows that come with the answer. */
const FIRST_ROWS = 60;
/** Up to here a class is sorted by the length of names too. */
const SORTED = 4000;

/** Where a type is: a key of image and id. */
const keyOf = (image: number, id: number): number => image * 2 ** 32 + id;

class Found {
  readonly token: number;
  readonly kernel: OpenKernel;
  readonly keys: Float64Array;

  constructor(token: number, kernel: OpenKernel, keys: Float64Array) {
    this.token = token;
    this.kernel = kernel;
    this.keys = keys;
  }

  rows(from: number, to: number): ResultRow[] {
    return Array.from(this.keys.subarray(from, to), (key) => this.#row(key));
  }

  #row(key: number): ResultRow {
    const image = Math.floor(key / 2 ** 32);
    const id = key % 2 ** 32;
    const type = this.kernel.images[image]!.btf.get(id)!;
    return { ref: { kernel: this.kernel.kernel, image, id }, kind: type.kind, name: type.name, detail: detailOf(type) };
  }
}

let last = 0;
let newest: Found | undefined;
/** Named types by kind, of kernels that were searched for nothing yet. */
const everything = new WeakMap<Btf, Map<Kind, Uint32Array>>();

export function search(query: Query): SearchResult {
  const start = performance.now();
  const kernel = kernelOf(query.kernel);
  const allowed = query.conditions.map((condition) => fulfilling(kernel, condition));
  const counts = new Map<Kind, number>();
  const classes: number[][] = [[], [], [], []];
  for (const [image, { btf }] of kernel.images.entries()) {
    for (const [rank, ids] of ranked(btf, query.text).entries()) {
      for (const id of ids) {
        const kind = btf.kindAt(id);
        if (!RANK.has(kind)) continue;
        const key = keyOf(image, id);
        if (!allowed.every((keys) => keys.has(key))) continue;
        counts.set(kind, (counts.get(kind) ?? 0) + 1);
        if (query.kinds.length === 0 || query.kinds.includes(kind)) classes[rank]!.push(key);
      }
    }
  }
  const keys = new Float64Array(classes.flatMap((keys) => sorted(kernel, keys)));
  newest = new Found(++last, kernel, keys);
  return {
    token: newest.token,
    total: keys.length,
    first: newest.rows(0, FIRST_ROWS),
    kinds: KINDS.flatMap((kind): KindCount[] => {
      const count = counts.get(kind);
      return count ? [{ kind, count }] : [];
    }),
    milliseconds: performance.now() - start,
  };
}

export function rows({ token, from, to }: { token: number; from: number; to: number }): readonly ResultRow[] {
  return newest?.token === token ? newest.rows(from, to) : [];
}

/** Own ids in four classes: the name itself, a prefix, the start of a word, anywhere. */
function ranked(btf: Btf, text: string): (Uint32Array | number[])[] {
  if (text === "") return [[...named(btf).values()].flatMap((ids) => Array.from(ids))];
  const anywhere = btf.searchIds(text, { own: true });
  if (anywhere.length === 0) return [];
  const exact = new Set(btf.findAll(text).map(({ id }) => id));
  const prefix = new Set(btf.searchIds(text, { match: "prefix", own: true }));
  const word = new Set(btf.searchIds(`_${text}`, { own: true }));
  const classes: number[][] = [[], [], [], []];
  for (const id of anywhere) classes[exact.has(id) ? 0 : prefix.has(id) ? 1 : word.has(id) ? 2 : 3]!.push(id);
  return classes;
}

function named(btf: Btf): Map<Kind, Uint32Array> {
  let kinds = everything.get(btf);
  if (!kinds) {
    kinds = new Map(
      KINDS.map((kind) => [kind, btf.idsOfKind(kind, { own: true }).filter((id) => btf.nameAt(id) !== "")]),
    );
    everything.set(btf, kinds);
  }
  return kinds;
}

/** The keys of one class: kinds in their order, then short names before long ones. */
function sorted({ images }: OpenKernel, keys: number[]): number[] {
  const rankOf = (key: number): number => RANK.get(images[Math.floor(key / 2 ** 32)]!.btf.kindAt(key % 2 ** 32))!;
  if (keys.length > SORTED) {
    const buckets: number[][] = KINDS.map(() => []);
    for (const key of keys) buckets[rankOf(key)]!.push(key);
    return buckets.flat();
  }
  return keys
    .map((key) => ({ key, rank: rankOf(key), name: images[Math.floor(key / 2 ** 32)]!.btf.nameAt(key % 2 ** 32) }))
    .sort(
      (a, b) => a.rank - b.rank || a.name.length - b.name.length || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
    )
    .map(({ key }) => key);
}

/** The types for which a condition holds. @throws BtfLookupError for a type that does not exist */
function fulfilling(kernel: OpenKernel, condition: Condition): ReadonlySet<number> {
  const keys = new Set<number>();
  const add = (type: BtfType): void => {
    keys.add(keyOf(kernel.refOf(type).image, type.id));
  };
  const { relations } = kernel;
  switch (condition.what) {
    case "size":
      for (const { btf } of kernel.images)
        for (const kind of ["struct", "union"] as const)
          for (const type of btf.ofKind(kind, { own: true }))
            if (type.byteSize >= condition.from && type.byteSize <= condition.to) add(type);
      break;
    case "holes":
      for (const { type, holeBytes } of relations.withHoles(condition.from)) if (holeBytes <= condition.to) add(type);
      break;
    case "embeds":
    case "points-to":
      for (const { type } of relations.holders(condition.what, condition.name)) add(type);
      break;
    case "takes":
    case "returns":
      relations.functions(condition.what, condition.name).forEach(add);
      break;
    case "member":
      for (const { type } of relations.withMember((name) => name === condition.name)) add(type);
      break;
    case "file":
      for (const { name, btf } of kernel.images)
        if (name.includes(condition.name)) for (const type of btf.types({ own: true })) add(type);
  }
  return keys;
}

function detailOf(type: BtfType): string {
  try {
    switch (type.kind) {
      case "struct":
      case "union":
      case "int":
      case "float":
      case "datasec":
        return `${type.byteSize.toLocaleString("en")} B`;
      case "enum":
      case "enum64":
        return `${type.values.length} values`;
      case "typedef":
        return declaration(type.target).split("\n", 1)[0]!.slice(0, 80);
      case "func":
        return signature(type).slice(0, 120);
      case "var":
        return declaration(type.type).split("\n", 1)[0]!.slice(0, 80);
      case "fwd":
        return `${type.forwardKind}, declared only`;
      default:
        return "";
    }
  } catch {
    return "";
  }
}
