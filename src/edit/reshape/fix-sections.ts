/** Fills in the parts of an object's BTF that compilers leave to loaders (libbpf's btf_fixup_datasec). */

import type { BpfObject } from "../../bpf/object/object.js";
import { Btf } from "../../btf/btf.js";
import * as abi from "../../memory/generated/edit-abi.js";
import { assemble, frameOf, sectionsOf } from "../build/encode.js";
import { kindOf, recordWords } from "../build/record.js";
import { checkKinds } from "./transfer.js";

/** Sections without a place in the object: what they hold, the kernel has. */
const EXTERN_SECTIONS = [".kconfig", ".ksyms"];
const LINKAGE_STATIC = 0;
const LINKAGE_GLOBAL = 1;
/** Words of a DATASEC's entry: type, offset, size. */
const ENTRY = 3;

/**
 * The types of an object as a kernel takes them: sizes of sections and offsets
 * of their variables, which compilers leave 0, come from the file; variables
 * that are hidden become static; those of a section stand in the order of their
 * offsets. `.kconfig` and `.ksyms`, and a section that the file does not have,
 * are only sorted. Without types to change it is the object's own Btf.
 *
 * @throws as `object.btf` and `object.symbols`; BtfEnvironmentError
 *   ERR_UNSUPPORTED for a kind unknown to us. Source: btf_fixup_datasec.
 * @example
 * console.log(fixSections(object) === object.btf); // true
 */
export function fixSections(object: BpfObject): Btf {
  const { btf } = object;
  const { image } = btf;
  if (btf.ofKind("datasec").next().done) return btf;
  checkKinds(image);
  const symbols = new Map(
    object.symbols
      .filter(({ type, binding }) => type === "object" && (binding === "global" || binding === "weak"))
      .map((symbol) => [symbol.name, symbol]),
  );
  const sections = sectionsOf(image);
  const words = new Uint32Array(sections.types.buffer);
  const wordOf = (id: number): number => (image.record(id) - image.types) / 4;
  for (const { id, name, byteSize } of btf.ofKind("datasec")) {
    const at = wordOf(id);
    const entries = words.subarray(at + 3, at + recordWords(words[at + 1]!));
    const found = EXTERN_SECTIONS.includes(name) ? undefined : object.section(name);
    if (found) {
      if (byteSize === 0) words[at + 2] = found.byteSize;
      for (let entry = 0; entry < entries.length; entry += ENTRY) {
        const variable = wordOf(entries[entry]!);
        const symbol = symbols.get(btf.nameAt(entries[entry]!));
        if (kindOf(words[variable + 1]!) !== abi.KIND_VAR || words[variable + 3] !== LINKAGE_GLOBAL || !symbol)
          continue;
        if (byteSize === 0) entries[entry + 1] = symbol.byteOffset;
        if (symbol.isHidden) words[variable + 3] = LINKAGE_STATIC;
      }
    }
    const sorted = Array.from({ length: entries.length / ENTRY }, (_, i) => entries.slice(i * ENTRY, (i + 1) * ENTRY));
    sorted.sort((a, b) => a[1]! - b[1]!).forEach((entry, i) => void entries.set(entry, i * ENTRY));
  }
  const headerLength = image.header.headerLength < 32 ? 24 : 32;
  const bytes = assemble({ ...frameOf(image), ...sections }, headerLength, sections.layout, btf.endian);
  const made = Btf.parse(bytes);
  made.pointerSize = btf.pointerSize;
  return made;
}
