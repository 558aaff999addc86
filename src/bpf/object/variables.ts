/** Finds the variables of a BPF object: those that it defines, and those that the kernel has to provide. */

import { sizeOf } from "../../btf/query/resolve.js";
import type { BtfType } from "../../btf/types.js";
import type { ObjectContents } from "./contents.js";

/** A variable in a data section. */
export interface Global {
  readonly name: string;
  readonly section: string;
  readonly typeId: number;
  /** The type of the variable, in the object's BTF. */
  readonly type: BtfType;
  /** From the start of the section, in bytes. */
  readonly byteOffset: number;
  readonly byteSize: number | undefined;
}

/** A symbol that the object does not define. */
export interface Extern {
  readonly name: string;
  /** `"kconfig"`: a kernel setting; `"func"`: a kernel function (kfunc); `"var"`: a kernel variable. */
  readonly kind: "kconfig" | "func" | "var";
  /** The id of the FUNC or VAR. */
  readonly typeId: number;
  /** The type of the variable, or the prototype of the function, in the object's BTF. */
  readonly type: BtfType;
  /** May be missing: it is then null or zero. */
  readonly isWeak: boolean;
}

const DATA_SECTION = /^\.(data|rodata|bss|percpu)(\.|$)/;

/** Returns the variables of data sections. Offsets come from the symbols: compilers leave them 0 in BTF (libbpf's btf_fixup_datasec). */
export function findGlobals(object: ObjectContents): Global[] {
  const found: Global[] = [];
  const offsets = new Map(object.symbols.map(({ name, byteOffset }) => [name, byteOffset]));
  for (const section of object.btf.ofKind("datasec")) {
    if (!DATA_SECTION.test(section.name)) continue;
    for (const variable of section.variables) {
      const { type } = variable;
      if (type.kind !== "var") continue;
      const byteOffset = offsets.get(type.name) ?? variable.byteOffset;
      found.push({
        name: type.name,
        section: section.name,
        typeId: type.typeId,
        type: type.type,
        byteOffset,
        byteSize: variable.byteSize || sizeOf(type),
      });
    }
  }
  return found;
}

/** Returns the externs of `.kconfig` and `.ksyms`. */
export function findExterns(object: ObjectContents): Extern[] {
  const undefinedSymbols = new Map(
    object.symbols.filter(({ sectionIndex }) => sectionIndex === 0).map((symbol) => [symbol.name, symbol]),
  );
  const found: Extern[] = [];
  for (const section of object.btf.ofKind("datasec")) {
    if (section.name !== ".kconfig" && section.name !== ".ksyms") continue;
    for (const { type } of section.variables) {
      const kind = externKind(section.name, type);
      const symbol = undefinedSymbols.get(type.name);
      if (!kind || !symbol) continue;
      const own = type.kind === "func" ? type.proto : type.kind === "var" ? type.type : type;
      found.push({ name: type.name, kind, typeId: type.id, type: own, isWeak: symbol.binding === "weak" });
    }
  }
  return found;
}

function externKind(section: string, type: BtfType): Extern["kind"] | undefined {
  if (type.kind === "func") return "func";
  if (type.kind !== "var") return undefined;
  return section === ".kconfig" ? "kconfig" : "var";
}
