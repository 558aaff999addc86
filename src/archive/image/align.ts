/** Which types of two images are the same thing: by shallow identity, then by kind and name. */

import type { Btf } from "../../btf/btf.js";
import { identities } from "../../inspect/identity.js";

/** Returns for each own type of `btf` the id of its counterpart among the own types of `other`, 0 for none. */
export function counterparts(btf: Btf, other: Btf): Int32Array {
  const [now, old] = [identities(btf), identities(other)];
  const found = new Int32Array(btf.image.count);
  const taken = new Uint8Array(other.image.count);
  match(now.own, old.own);
  const [names, oldNames] = [namesOf(btf, now.names), namesOf(other, old.names)];
  match(names, oldNames);
  for (let i = 0; i < found.length; i++) if (found[i] !== 0) found[i] = found[i]! - 1 + other.firstId;
  return found;

  /** Pairs equal keys in their order; the expected successor first. */
  function match(keys: Int32Array, oldKeys: Int32Array): void {
    const table = new Map<number, number[]>();
    for (let i = taken.length - 1; i >= 0; i--) {
      if (taken[i] === 1 || (oldKeys[i * 2] === 0 && oldKeys[i * 2 + 1] === 0)) continue;
      const key = keyOf(oldKeys, i);
      const list = table.get(key);
      if (list) list.push(i);
      else table.set(key, [i]);
    }
    for (let i = 0; i < found.length; i++) {
      if (found[i] !== 0 || (keys[i * 2] === 0 && keys[i * 2 + 1] === 0)) continue;
      const list = table.get(keyOf(keys, i));
      if (!list || list.length === 0) continue;
      const expected = i > 0 && found[i - 1] !== 0 ? found[i - 1]! : -1;
      const at = list.lastIndexOf(expected);
      const [place] = at >= 0 ? list.splice(at, 1) : [list.pop()!];
      found[i] = place! + 1;
      taken[place!] = 1;
    }
  }
}

/** 53 of 64 bits: a wrong pair costs compression alone. */
function keyOf(halves: Int32Array, i: number): number {
  return (halves[i * 2 + 1]! >>> 11) * 2 ** 32 + (halves[i * 2]! >>> 0);
}

function namesOf(btf: Btf, names: Int32Array): Int32Array {
  const { kinds, count } = btf.image;
  const keys = names.slice();
  for (let i = 0; i < count; i++) {
    if (names[i * 2] !== 0 || names[i * 2 + 1] !== 0)
      keys[i * 2] = names[i * 2]! ^ Math.imul(kinds[i]! + 1, 0x9e3779b1);
  }
  return keys;
}
