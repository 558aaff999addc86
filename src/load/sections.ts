/** What each section of an object is for a loader. Source: libbpf's bpf_object__elf_collect. */
import { SHT_PROGBITS } from "../bpf/elf/file.js";
import { SHF_EXECINSTR, SHT_NOBITS, SHT_SYMTAB } from "../bpf/elf/section-types.js";
import type { BpfObject } from "../bpf/object/object.js";
import { fail } from "./failure.js";
import type { MapOrigin } from "./maps.js";

const STRUCT_OPS = /^\??\.struct_ops(\.link)?$/;

/** Indices of sections; -1 for one that the object does not have. */
export interface ObjectSections {
  /** `.maps` */
  readonly maps: number;
  /** `.text`: subprograms. */
  readonly text: number;
  readonly globalData: readonly { readonly index: number; readonly origin: MapOrigin }[];
  readonly structOps: readonly number[];
  readonly arena: number;
  readonly jumpTables: number;
  readonly symbolTable: number;
  readonly license: string;
  /** From the section `version`, in place of the kernel's. */
  readonly version: number | undefined;
}

/** @throws LoadFailure where libbpf refuses the object */
export function readSections(object: BpfObject): ObjectSections {
  const { sections } = object;
  const tables = sections.filter(({ type }) => type === SHT_SYMTAB);
  if (tables.length > 1) fail("FORMAT", "the ELF file has several symbol tables");
  if (tables.length === 0) fail("ENOENT", "the ELF file has no symbol table: it was stripped");
  const first = (name: string): number => sections.findIndex((section) => section.name === name);
  if (first("maps") >= 0)
    fail("EOPNOTSUPP", `maps are defined in a section "maps", as libbpf 0.x took them: define them in ".maps"`);
  const globalData: { index: number; origin: MapOrigin }[] = [];
  const structOps: number[] = [];
  let [text, arena, jumpTables] = [-1, -1, -1];
  for (const [index, { name, type, flags, byteSize }] of sections.entries()) {
    if (index === 0 || byteSize === 0) continue;
    if (type === SHT_NOBITS && isPart(name, ".bss")) globalData.push({ index, origin: "bss" });
    if (type !== SHT_PROGBITS) continue;
    if (flags & SHF_EXECINSTR) {
      if (name === ".text") text = index;
    } else if (isPart(name, ".data")) globalData.push({ index, origin: "data" });
    else if (isPart(name, ".rodata")) globalData.push({ index, origin: "rodata" });
    else if (isPart(name, ".percpu")) globalData.push({ index, origin: "percpu" });
    else if (STRUCT_OPS.test(name)) structOps.push(index);
    else if (name === ".addr_space.1") arena = index;
    else if (name === ".jumptables") jumpTables = index;
  }
  return {
    maps: first(".maps"),
    text,
    globalData,
    structOps,
    arena,
    jumpTables,
    symbolTable: sections.indexOf(tables[0]!),
    license: object.license ?? "",
    version: versionOf(object),
  };
}

const isPart = (name: string, section: string): boolean => name === section || name.startsWith(`${section}.`);

function versionOf(object: BpfObject): number | undefined {
  const section = object.section("version");
  if (!section) return undefined;
  const data = object.dataOf(section);
  if (data.length !== 4) fail("FORMAT", `section version has ${data.length} bytes, not 4`);
  return new DataView(data.buffer, data.byteOffset, 4).getUint32(0, object.endian === "little");
}
