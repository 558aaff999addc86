/** The BTF of an object as it is loaded: a copy of its records, in which the loader fills in what compilers leave open. */
import type { BpfObject } from "../bpf/object/object.js";
import type { Btf } from "../btf/btf.js";
import { assemble, frameOf, sectionsOf } from "../edit/build/encode.js";
import { recordWords } from "../edit/build/record.js";
import { StringTable } from "../edit/build/string-table.js";
import * as abi from "../memory/generated/edit-abi.js";
import { fail } from "./failure.js";

export const LINKAGE_STATIC = 0;
export const LINKAGE_GLOBAL = 1;

/** Words of a record behind its name: info, size or type; then what the kind has. */
const INFO = 1;
const SIZE_OR_TYPE = 2;
const EXTRA = 3;
/** Words of a DATASEC's entry: type, offset, size. */
const ENTRY = 3;
/** Words of a parameter: name, type. */
const PARAM = 2;

/** Sections whose entries the loader lays out itself. */
const EXTERN_SECTIONS = [".kconfig", ".ksyms"];

/** One variable of a section, as it is now. */
export interface SectionEntry {
  readonly typeId: number;
  readonly byteOffset: number;
  readonly byteSize: number;
}

export class ObjectTypes {
  /** The types as the object has them. */
  readonly btf: Btf;
  #words: Uint32Array;
  /** Records that were added behind the object's own. */
  #added: number[] = [];
  readonly #strings: StringTable;
  #addedCount = 0;

  constructor(btf: Btf) {
    this.btf = btf;
    const { types, strings } = sectionsOf(btf.image);
    this.#words = new Uint32Array(types.buffer, types.byteOffset, types.length / 4).slice();
    this.#strings = StringTable.over(strings, undefined);
  }

  #at(id: number): number {
    const { image } = this.btf;
    return (image.record(id) - image.types) / 4;
  }

  get #nextId(): number {
    return this.btf.size + this.#addedCount;
  }

  /** The linkage of a VAR. */
  linkageOfVar(id: number): number {
    return this.#words[this.#at(id) + EXTRA]!;
  }

  setVar(id: number, linkage: number, typeId?: number): void {
    const at = this.#at(id);
    this.#words[at + EXTRA] = linkage;
    if (typeId !== undefined) this.#words[at + SIZE_OR_TYPE] = typeId;
  }

  setFuncLinkage(id: number, linkage: number): void {
    const at = this.#at(id) + INFO;
    this.#words[at] = ((this.#words[at]! & ~abi.VLEN_MASK) | linkage) >>> 0;
  }

  linkageOfFunc(id: number): number {
    return this.#words[this.#at(id) + INFO]! & abi.VLEN_MASK;
  }

  /** Gives parameters of a FUNC_PROTO that have a type and no name the name at `offset`. */
  nameParams(protoId: number, offset: number): void {
    const at = this.#at(protoId);
    const end = at + recordWords(this.#words[at + INFO]!);
    for (let param = at + EXTRA; param < end; param += PARAM) {
      if (this.#words[param + 1] && !this.#words[param]) this.#words[param] = offset;
    }
  }

  /** Adds a VAR behind all types; returns its id and the offset of its name. */
  addVar(name: string, linkage: number, typeId: number): { readonly id: number; readonly nameOffset: number } {
    const nameOffset = this.#strings.add(name);
    this.#added.push(nameOffset, abi.KIND_VAR << abi.KIND_SHIFT, typeId, linkage);
    this.#addedCount++;
    return { id: this.#nextId - 1, nameOffset };
  }

  /** How large a section is, in bytes. */
  sectionSize(id: number): number {
    return this.#words[this.#at(id) + SIZE_OR_TYPE]!;
  }

  /** The variables of a section, in their present order. */
  entries(id: number): SectionEntry[] {
    const words = this.#entryWords(id);
    return Array.from({ length: words.length / ENTRY }, (_, i) => ({
      typeId: words[i * ENTRY]!,
      byteOffset: words[i * ENTRY + 1]!,
      byteSize: words[i * ENTRY + 2]!,
    }));
  }

  setSection(id: number, byteSize: number, entries: readonly SectionEntry[]): void {
    this.#words[this.#at(id) + SIZE_OR_TYPE] = byteSize;
    this.#entryWords(id).set(entries.flatMap(({ typeId, byteOffset, byteSize: size }) => [typeId, byteOffset, size]));
  }

  #entryWords(id: number): Uint32Array {
    const at = this.#at(id);
    return this.#words.subarray(at + EXTRA, at + recordWords(this.#words[at + INFO]!));
  }

  /**
   * Fills in sizes of sections and offsets of their variables, makes hidden
   * variables static, and sorts the variables. Source: libbpf's btf_fixup_datasec.
   */
  fixSections(object: BpfObject): void {
    const symbols = new Map(
      object.symbols
        .filter(({ type, binding }) => type === "object" && (binding === "global" || binding === "weak"))
        .reverse()
        .map((symbol) => [symbol.name, symbol]),
    );
    for (const { id, name } of this.btf.ofKind("datasec")) {
      let size = this.sectionSize(id);
      let entries = this.entries(id);
      if (!EXTERN_SECTIONS.includes(name)) {
        const withOffsets = size === 0;
        if (withOffsets) {
          size = object.section(name)?.byteSize ?? 0;
          if (size === 0) fail("ENOENT", `the ELF file has no section ${name}, or an empty one, for the DATASEC`);
        }
        entries = entries.map((entry) => {
          const variable = this.btf.get(entry.typeId);
          if (variable?.kind !== "var")
            return fail("EINVAL", `section ${name} holds type [${entry.typeId}], not a VAR`);
          if (this.linkageOfVar(variable.id) !== LINKAGE_GLOBAL) return entry;
          const symbol = symbols.get(variable.name);
          if (!symbol)
            return fail("ENOENT", `section ${name}: no symbol is called "${variable.name}" as a variable is`);
          if (symbol.isHidden) this.setVar(variable.id, LINKAGE_STATIC);
          return withOffsets ? { ...entry, byteOffset: symbol.byteOffset } : entry;
        });
      }
      this.setSection(
        id,
        size,
        entries.sort((a, b) => a.byteOffset - b.byteOffset),
      );
    }
  }

  /** The image as it is loaded. */
  toBytes(): Uint8Array<ArrayBuffer> {
    const { image } = this.btf;
    const types = new Uint8Array(this.#words.byteLength + this.#added.length * 4);
    types.set(new Uint8Array(this.#words.buffer, 0, this.#words.byteLength));
    types.set(new Uint8Array(Uint32Array.from(this.#added).buffer), this.#words.byteLength);
    const { layout } = sectionsOf(image);
    const sections = { ...frameOf(image), types, strings: this.#strings.content };
    return assemble(sections, image.header.headerLength < 32 ? 24 : 32, layout, "little");
  }
}
