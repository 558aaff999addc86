/** Types as texts of a comparison. */

import type { Btf } from "../../btf/btf.js";
import { declaration } from "../../btf/dump/declaration.js";
import type { BtfType } from "../../btf/types.js";
import { attempt } from "../leaves.js";

/** The texts of a Btf's types by id: most members have one of a few types. */
interface Known {
  /** What C needs for a layout depends on it. */
  readonly pointerSize: number;
  readonly texts: Map<number, string>;
}

const known = new WeakMap<Btf, Known>();

/** The texts that are known, by id. */
export function textsOf(btf: Btf): Map<number, string> {
  const { pointerSize } = btf;
  let found = known.get(btf);
  if (found?.pointerSize !== pointerSize) {
    found = { pointerSize, texts: new Map() };
    known.set(btf, found);
  }
  return found.texts;
}

/** Returns a type as C writes it, or as its kind and name where C cannot. */
export function typeText(type: BtfType): string {
  const texts = textsOf(type.btf);
  let text = texts.get(type.id);
  if (text === undefined) {
    text = attempt(() => declaration(type)) || (type.name ? `${type.kind} ${type.name}` : type.kind);
    texts.set(type.id, text);
  }
  return text;
}
