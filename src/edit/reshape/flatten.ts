/** A split BTF and its base as one that stands alone. */
import { Btf } from "../../btf/btf.js";
import { assemble, type Sections, sectionsOf } from "../build/encode.js";

/**
 * One Btf of a split one and all that is under it: the base's types, then the own ones, with the same ids.
 * A Btf without a base is copied.
 *
 * @throws BtfLimitError ERR_MEMORY
 * @example
 * const alone = flatten(module);
 * console.log(alone.base, alone.size === module.size); // undefined true
 */
export function flatten(btf: Btf): Btf {
  const parts: Sections[] = [];
  for (let at: Btf | undefined = btf; at; at = at.base) parts.unshift(sectionsOf(at.image));
  // Ids and offsets of a split BTF go on where its base's end.
  const sections = { ...parts[0]!, types: joined(parts, "types"), strings: joined(parts, "strings") };
  const made = Btf.parse(assemble(sections, sections.layout ? 32 : 24, sections.layout, btf.endian));
  made.pointerSize = btf.pointerSize;
  return made;
}

function joined(parts: readonly Sections[], section: "types" | "strings"): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part[section].length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part[section], at);
    at += part[section].length;
  }
  return bytes;
}
