/** Maps that implement a struct of function pointers of the kernel's (struct_ops). */

import { essentialName } from "../bpf/core-relocation/essential-name.js";
import { PROGRAM_TYPES } from "../bpf/elf/section-names.js";
import { INSN_SIZE } from "../bpf/instruction.js";
import type { BpfObject } from "../bpf/object/object.js";
import { resolve, sizeOf } from "../btf/query/resolve.js";
import type { BtfType, Member, StructType } from "../btf/types.js";
import { findInKernel } from "./externs.js";
import { fail } from "./failure.js";
import type { TargetKernel } from "./kernel.js";
import { type DraftMap, draftMap, MAP_TYPE } from "./maps.js";
import { skipModifiers } from "./modifiers.js";
import type { DraftProgram, ProgramIndex } from "./programs.js";
import type { ObjectSections } from "./sections.js";
import type { ObjectTypes } from "./types.js";

const STRUCT_OPS = /* @__PURE__ */ PROGRAM_TYPES.indexOf("struct_ops");
/** Before the name of the struct, the name of the value that the kernel stores. */
const VALUE_PREFIX = "bpf_struct_ops_";
const BPF_F_LINK = 0x2000;
const BPF_F_VTYPE_BTF_OBJ_FD = 0x8000;

/** A program's place in the value of a struct_ops map. */
export interface StructOpsSlot {
  /** Name of the program whose descriptor goes there. */
  readonly program: string;
  /** In bytes. */
  readonly byteOffset: number;
}

/** A struct_ops map while the plan is made. */
export interface StructOpsDraft {
  readonly map: DraftMap;
  readonly type: StructType;
  /** As the object has the struct. */
  readonly data: Uint8Array;
  /** By the index of the member. */
  readonly programs: (DraftProgram | undefined)[];
  /** Module that has the struct. */
  module: string | undefined;
  /** The value that the kernel takes, without the programs. */
  value: Uint8Array;
  slots: StructOpsSlot[];
}

/** Source: libbpf's init_struct_ops_maps. */
export function structOpsMaps(
  object: BpfObject,
  types: ObjectTypes | undefined,
  sections: ObjectSections,
): StructOpsDraft[] {
  return sections.structOps.flatMap((index) => {
    const section = object.sections[index]!;
    const datasec = types?.btf.find(section.name, "datasec");
    if (!types || datasec?.kind !== "datasec") return fail("EINVAL", `the object's BTF has no DATASEC ${section.name}`);
    const bytes = object.dataOf(section);
    return types.entries(datasec.id).map(({ typeId, byteOffset }) => {
      const variable = types.btf.get(typeId);
      if (variable?.kind !== "var") return fail("EINVAL", `section ${section.name} holds type [${typeId}], not a VAR`);
      const type = resolve(variable.type);
      if (type.name === "") fail("EOPNOTSUPP", `struct_ops "${variable.name}" is of a type without a name`);
      if (type.kind !== "struct")
        return fail("EINVAL", `struct_ops "${variable.name}" is a ${type.kind}, not a struct`);
      if (byteOffset + type.byteSize > bytes.length)
        fail("EINVAL", `struct_ops "${variable.name}" ends beyond section ${section.name}`);
      const map = draftMap(variable.name, "struct_ops", index, byteOffset);
      map.autocreate = !section.name.startsWith("?");
      map.type = MAP_TYPE.STRUCT_OPS;
      map.keySize = 4;
      map.valueSize = type.byteSize;
      map.maxEntries = 1;
      map.flags = section.name.endsWith(".link") ? BPF_F_LINK : 0;
      map.valueTypeId = type.id;
      return {
        map,
        type,
        data: bytes.slice(byteOffset, byteOffset + type.byteSize),
        programs: [],
        module: undefined,
        value: new Uint8Array(0),
        slots: [],
      };
    });
  });
}

/** Reads which member points to which program. Source: libbpf's bpf_object__collect_st_ops_relos. */
export function collectStructOpsReferences(
  object: BpfObject,
  drafts: readonly StructOpsDraft[],
  index: ProgramIndex,
): void {
  const sections = new Set(drafts.map(({ map }) => map.sectionIndex));
  for (const { sectionIndex, byteOffset, symbolIndex } of object.relocations) {
    if (!sections.has(sectionIndex)) continue;
    const draft = drafts.find(
      ({ map, type }) =>
        map.sectionIndex === sectionIndex &&
        byteOffset >= map.sectionOffset &&
        byteOffset < map.sectionOffset + type.byteSize,
    );
    if (!draft) fail("EINVAL", `no struct_ops variable lies at byte ${byteOffset} of its section`);
    const { map, type } = draft;
    const refuse: (errno: "EINVAL" | "RELOC" | "FORMAT", note: string) => never = (errno, note) =>
      fail(errno, `struct_ops "${map.name}": ${note}`);
    const symbol = object.symbols[symbolIndex];
    if (!symbol) refuse("FORMAT", `a relocation names symbol ${symbolIndex}, which does not exist`);
    if (symbol.sectionIndex >= 0xff00) refuse("RELOC", `"${symbol.name}" is not a function of the object`);
    if (symbol.byteOffset % INSN_SIZE)
      refuse("FORMAT", `"${symbol.name}" starts at byte ${symbol.byteOffset}, where no instruction does`);
    const memberOffset = byteOffset - map.sectionOffset;
    const memberIndex = type.members.findIndex(({ bitOffset }) => bitOffset === memberOffset * 8);
    const member = type.members[memberIndex];
    if (!member) refuse("EINVAL", `no member starts at byte ${memberOffset}`);
    if (!isFunctionPointer(member.type)) refuse("EINVAL", `member "${member.name}" is no pointer to a function`);
    const program = index.at(symbol.sectionIndex, symbol.byteOffset / INSN_SIZE);
    if (!program) refuse("EINVAL", `member "${member.name}" points to no program`);
    if (program.type !== STRUCT_OPS)
      refuse("EINVAL", `member "${member.name}" points to "${program.name}", which is not in a struct_ops section`);
    draft.programs[memberIndex] = program;
  }
}

function isFunctionPointer(type: BtfType): boolean {
  const pointer = skipModifiers(type);
  return pointer.kind === "ptr" && skipModifiers(pointer.target).kind === "func_proto";
}

/** Bytes of a value that is made: real ones have a few hundred. */
const VALUE_LIMIT = 1 << 20;

/** Fits a struct to the kernel's. Source: libbpf's bpf_map__init_kern_struct_ops. */
export function fitStructOps(draft: StructOpsDraft, kernel: TargetKernel): void {
  const { map, type, data, programs } = draft;
  const refuse: (errno: "EINVAL" | "EOPNOTSUPP" | "ESRCH" | "ENOENT", note: string) => never = (errno, note) =>
    fail(errno, `struct_ops "${map.name}": ${note}`);
  const name = essentialName(type.name);
  const value = findInKernel(kernel, `${VALUE_PREFIX}${name}`, "struct");
  if (value?.type.kind !== "struct")
    refuse("ESRCH", `the kernel has no struct ${VALUE_PREFIX}${name}: it cannot be implemented in BPF there`);
  const btf = value.module?.btf ?? kernel.vmlinux!;
  const theirs = btf.find(name, "struct");
  if (theirs?.kind !== "struct") refuse("ENOENT", `the kernel has no struct ${name}`);
  const place = value.type.members.find(({ typeId }) => typeId === theirs.id);
  if (!place) refuse("EINVAL", `struct ${VALUE_PREFIX}${name} has no member of type struct ${name}`);
  draft.module = value.module?.name;
  map.valueSize = value.type.byteSize;
  map.vmlinuxValueTypeId = value.type.id;
  if (value.module) map.flags |= BPF_F_VTYPE_BTF_OBJ_FD;
  if (value.type.byteSize > VALUE_LIMIT)
    refuse("EINVAL", `struct ${VALUE_PREFIX}${name} has ${value.type.byteSize} bytes`);
  draft.value = new Uint8Array(value.type.byteSize);
  const base = place.bitOffset / 8;
  for (const [i, member] of type.members.entries()) {
    const from = member.bitOffset / 8;
    const size = sizeOf(member.type);
    if (size === undefined) refuse("EINVAL", `member "${member.name}" has no size`);
    const bytes = data.subarray(from, from + size);
    const their = theirs.members.find((candidate) => candidate.name === member.name);
    if (!their) {
      if (bytes.some((byte) => byte !== 0))
        refuse("EOPNOTSUPP", `the kernel's struct ${name} has no member "${member.name}", which is set`);
      if (programs[i]) {
        programs[i].autoload = false;
        programs[i] = undefined;
      }
      continue;
    }
    if (member.bitfieldSize || their.bitfieldSize) refuse("EOPNOTSUPP", `member "${member.name}" is a bitfield`);
    const to = base + their.bitOffset / 8;
    if (to + size > draft.value.length) refuse("EINVAL", `member "${member.name}" of struct ${name} passes its end`);
    const [local, target] = [skipModifiers(member.type), skipModifiers(their.type)];
    if (local.kind !== target.kind)
      refuse("EOPNOTSUPP", `member "${member.name}" is a ${local.kind}, and a ${target.kind} in the kernel`);
    if (local.kind === "ptr" && target.kind === "ptr") {
      const program = programs[i];
      if (program)
        attach(draft, { program, member: their, index: theirs.members.indexOf(their), to, structId: theirs.id });
      continue;
    }
    const theirSize = sizeOf(target);
    if (theirSize !== size)
      refuse("EOPNOTSUPP", `member "${member.name}" has ${size} bytes, and ${theirSize} in the kernel`);
    draft.value.set(bytes, to);
  }
}

function attach(
  draft: StructOpsDraft,
  {
    program,
    member,
    index,
    to,
    structId,
  }: { program: DraftProgram; member: Member; index: number; to: number; structId: number },
): void {
  const pointer = skipModifiers(member.type);
  if (pointer.kind !== "ptr" || skipModifiers(pointer.target).kind !== "func_proto")
    fail(
      "EOPNOTSUPP",
      `struct_ops "${draft.map.name}": the kernel's member "${member.name}" is no pointer to a function`,
    );
  if (draft.module !== undefined) program.attachModule = draft.module;
  if (program.attachBtfId === 0) {
    program.attachBtfId = structId;
    program.expectedAttachType = index;
  }
  if (program.attachBtfId !== structId || program.expectedAttachType !== index)
    fail("EINVAL", `program "${program.name}" implements two members that differ`);
  draft.slots.push({ program: program.name, byteOffset: to });
}

/** Programs of struct_ops are loaded where a map that is created uses them. Source: bpf_object_adjust_struct_ops_autoload. */
export function adjustAutoload(programs: readonly DraftProgram[], drafts: readonly StructOpsDraft[]): void {
  for (const program of programs) {
    if (program.type !== STRUCT_OPS) continue;
    const users = drafts.filter((draft) => draft.programs.includes(program));
    if (users.length > 0) program.autoload = users.some(({ map }) => map.autocreate);
  }
}
