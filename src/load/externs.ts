/** What an object expects of the kernel: `.kconfig` settings, and `.ksyms` variables and functions. */
import { Budget } from "../bpf/core-relocation/budget.js";
import { typesCompatible } from "../bpf/core-relocation/compatible.js";
import { essentialName } from "../bpf/core-relocation/essential-name.js";
import { RelocationFailure } from "../bpf/core-relocation/failure.js";
import {
  type KconfigMisfit,
  type KconfigType,
  kconfigBytes,
  kconfigNumber,
  kconfigTypeOf,
} from "../bpf/object/kconfig.js";
import type { BpfObject } from "../bpf/object/object.js";
import { alignOf, sizeOf } from "../btf/query/resolve.js";
import type { BtfType, FuncType, VarType } from "../btf/types.js";
import { fail } from "./failure.js";
import type { KernelModule, TargetKernel } from "./kernel.js";
import { skipModifiers } from "./modifiers.js";
import { LINKAGE_GLOBAL, type ObjectTypes } from "./types.js";

interface CommonExtern {
  readonly name: string;
  readonly symbolIndex: number;
  readonly isWeak: boolean;
  readonly declaration: VarType | FuncType;
}

/** A setting. */
export interface KconfigExtern extends CommonExtern {
  readonly kind: "kconfig";
  readonly type: KconfigType;
  readonly byteSize: number;
  readonly alignment: number;
  /** In the map `.kconfig`, in bytes. */
  byteOffset: number;
  isSet: boolean;
}

/** A variable or a function of the kernel. */
export interface KernelExtern extends CommonExtern {
  readonly kind: "kernel";
  /** The declared type without its modifiers; of a function the prototype. `void` without one. */
  readonly type: BtfType;
  /** In the kernel's or the module's BTF; 0 where it is not there. */
  btfId: number;
  module: KernelModule | undefined;
  /** Of a variable without a type, or without BTF of the kernel's. */
  address: bigint;
  isSet: boolean;
}

export type ExternDraft = KconfigExtern | KernelExtern;

/** All externs, kconfig ones first. Source: libbpf's bpf_object__collect_externs. */
export function collectExterns(object: BpfObject, types: ObjectTypes | undefined): ExternDraft[] {
  const externs: ExternDraft[] = [];
  // libbpf adds the variable before it looks for externs.
  const dummy = types && addDummyVariable(types);
  for (const [symbolIndex, { name, type, binding, sectionIndex }] of object.symbols.entries()) {
    if (sectionIndex !== 0 || type !== "none" || (binding !== "global" && binding !== "weak") || !name) continue;
    externs.push(describe(types, { name, symbolIndex, isWeak: binding === "weak" }));
  }
  externs.sort(compare);
  if (types) {
    layOutKernelSymbols(types, externs, dummy);
    layOutSettings(types, externs);
  }
  return externs;
}

function describe(
  types: ObjectTypes | undefined,
  { name, symbolIndex, isWeak }: Pick<CommonExtern, "name" | "symbolIndex" | "isWeak">,
): ExternDraft {
  const declaration = types && declarationOf(types, name);
  if (!declaration) {
    return fail(
      types ? "ENOENT" : "ESRCH",
      `"${name}" is defined nowhere, and the object's BTF does not declare it: link it, or declare it with __ksym or __kconfig`,
    );
  }
  const section = sectionOf(types, declaration.id);
  if (section === undefined)
    return fail("ENOENT", `extern "${name}" stands in no section: link it, or declare it with __ksym or __kconfig`);
  const common = { name: declaration.name, symbolIndex, isWeak, declaration };
  if (section === ".kconfig") {
    if (declaration.kind === "func") return fail("EOPNOTSUPP", `extern function "${name}" stands in .kconfig`);
    const byteSize = sizeOf(declaration.type);
    if (!byteSize) return fail("EINVAL", `extern "${name}" has no size`);
    const alignment = alignOf(declaration.type);
    if (!alignment) return fail("EINVAL", `extern "${name}" has no alignment`);
    const type = kconfigTypeOf(declaration.type);
    if (!type) return fail("EOPNOTSUPP", `extern "${name}" is of a type that .kconfig does not have`);
    return { ...common, kind: "kconfig", type, byteSize, alignment, byteOffset: 0, isSet: false };
  }
  if (section !== ".ksyms") return fail("EOPNOTSUPP", `extern "${name}" stands in section "${section}"`);
  const type = declaration.kind === "func" ? declaration.proto : skipModifiers(declaration.type);
  return { ...common, kind: "kernel", type, btfId: 0, module: undefined, address: 0n, isSet: false };
}

/** Source: libbpf's find_extern_btf_id. */
function declarationOf(types: ObjectTypes, name: string): VarType | FuncType | undefined {
  const found = types.btf.findAll(name).find(({ kind }) => kind === "var" || kind === "func");
  if (found?.kind !== "var" && found?.kind !== "func") return undefined;
  if (found.linkage !== "extern")
    fail("EINVAL", `"${name}" is undefined in the ELF file, and ${found.linkage} in the object's BTF`);
  return found;
}

function sectionOf({ btf }: ObjectTypes, id: number): string | undefined {
  for (const section of btf.ofKind("datasec")) {
    if (section.variables.some(({ typeId }) => typeId === id)) return section.name;
  }
  return undefined;
}

/** Kconfig first, by falling alignment and rising size; then by name. Source: libbpf's cmp_externs. */
function compare(a: ExternDraft, b: ExternDraft): number {
  if (a.kind !== b.kind) return a.kind === "kconfig" ? -1 : 1;
  if (a.kind === "kconfig" && b.kind === "kconfig") {
    const order = b.alignment - a.alignment || a.byteSize - b.byteSize;
    if (order !== 0) return order;
  }
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** Id of the first INT of 32 bits, 0 without one. */
function intOf32Bits({ btf }: ObjectTypes): number {
  for (const { id, bitSize } of btf.ofKind("int")) if (bitSize === 32) return id;
  return 0;
}

/** A section may hold variables alone: this one stands for each function in `.ksyms`. Source: add_dummy_ksym_var. */
function addDummyVariable(types: ObjectTypes): { readonly id: number; readonly nameOffset: number } | undefined {
  const section = types.btf.find(".ksyms", "datasec");
  if (section?.kind !== "datasec") return undefined;
  if (!section.variables.some(({ type }) => type.kind === "func")) return undefined;
  return types.addVar("dummy_ksym", LINKAGE_GLOBAL, intOf32Bits(types));
}

/** Makes `.ksyms` a section of variables of 4 bytes, as the kernel takes it. */
function layOutKernelSymbols(
  types: ObjectTypes,
  externs: readonly ExternDraft[],
  dummy: { readonly id: number; readonly nameOffset: number } | undefined,
): void {
  const last = externs.findLast(({ kind }) => kind === "kernel");
  if (!last) return;
  const section = sectionWith(types, ".ksyms", externs, "kernel");
  if (section === undefined) return;
  const byteSize = 4;
  const int = intOf32Bits(types);
  const entries = types.entries(section).map(({ typeId }, i) => {
    const declaration = types.btf.get(typeId)!;
    if (!externs.some(({ name }) => name === declaration.name))
      fail("ESRCH", `.ksyms declares "${declaration.name}", which no symbol of the ELF file is called`);
    const byteOffset = i * byteSize;
    if (declaration.kind === "func" && dummy) {
      types.nameParams(declaration.protoId, dummy.nameOffset);
      types.setFuncLinkage(typeId, LINKAGE_GLOBAL);
      return { typeId: dummy.id, byteOffset, byteSize };
    }
    types.setVar(typeId, LINKAGE_GLOBAL, int);
    return { typeId, byteOffset, byteSize };
  });
  types.setSection(section, entries.length * byteSize, entries);
}

/** Gives each setting its place in the map. */
function layOutSettings(types: ObjectTypes, externs: readonly ExternDraft[]): void {
  let end = 0;
  for (const extern of externs) {
    if (extern.kind !== "kconfig") continue;
    extern.byteOffset = Math.ceil(end / extern.alignment) * extern.alignment;
    end = extern.byteOffset + extern.byteSize;
  }
  const section = end > 0 ? sectionWith(types, ".kconfig", externs, "kconfig") : undefined;
  if (section === undefined) return;
  const entries = types.entries(section).map((entry) => {
    const { name } = types.btf.get(entry.typeId)!;
    const extern = externs.find((candidate) => candidate.name === name);
    if (!extern) return fail("ESRCH", `.kconfig declares "${name}", which no symbol of the ELF file is called`);
    types.setVar(entry.typeId, LINKAGE_GLOBAL);
    return { ...entry, byteOffset: extern.kind === "kconfig" ? extern.byteOffset : 0 };
  });
  types.setSection(section, end, entries);
}

/** The DATASEC that declares the last extern of a kind, as libbpf remembers it. */
function sectionWith(
  { btf }: ObjectTypes,
  name: string,
  externs: readonly ExternDraft[],
  kind: ExternDraft["kind"],
): number | undefined {
  const ids = new Set(externs.filter((extern) => extern.kind === kind).map(({ declaration }) => declaration.id));
  for (const section of btf.ofKind("datasec")) {
    if (section.name === name && section.variables.some(({ typeId }) => ids.has(typeId))) return section.id;
  }
  return undefined;
}

/** How many bytes the map `.kconfig` has; 0 without a setting. */
export function settingsSize(externs: readonly ExternDraft[]): number {
  const last = externs.findLast((extern): extern is KconfigExtern => extern.kind === "kconfig");
  return last ? last.byteOffset + last.byteSize : 0;
}

/**
 * Finds what the kernel has for each extern, and writes settings into `data`.
 * Source: libbpf's bpf_object__resolve_externs.
 */
export function resolveExterns(
  externs: readonly ExternDraft[],
  kernel: TargetKernel,
  data: Uint8Array | undefined,
  little: boolean,
): void {
  const settings = externs.filter((extern): extern is KconfigExtern => extern.kind === "kconfig");
  const symbols = externs.filter((extern): extern is KernelExtern => extern.kind === "kernel");
  for (const extern of settings) {
    if (!extern.name.startsWith("CONFIG_")) place(extern, virtualSetting(extern, kernel, little), data);
  }
  if (kernel.presumesExterns && kernel.kconfig === undefined) for (const extern of settings) extern.isSet = true;
  const open = settings.filter(({ isSet, name }) => !isSet && name.startsWith("CONFIG_"));
  if (open.length > 0) readSettings(open, kernel, data, little);
  for (const extern of symbols) {
    if (extern.type.kind !== "void") continue;
    if (!kernel.kallsyms && kernel.presumesExterns) {
      extern.isSet = true;
      continue;
    }
    if (!kernel.kallsyms)
      fail("EINVAL", `"${extern.name}" has no type: the kernel's symbols (kallsyms) are needed to find it`);
    const address = kernel.kallsyms.get(extern.name);
    if (address === undefined) continue;
    extern.address = address;
    extern.isSet = true;
  }
  for (const extern of symbols) if (extern.type.kind !== "void") resolveSymbol(extern, kernel);
  const missing = externs.find(({ isSet, isWeak }) => !isSet && !isWeak);
  if (missing) {
    const where = missing.kind === "kconfig" ? "the kernel's configuration does not set" : "the kernel does not have";
    fail("ESRCH", `${where} "${missing.name}"; where it may be absent, declare it __weak`);
  }
}

function place(extern: KconfigExtern, value: Uint8Array | KconfigMisfit, data: Uint8Array | undefined): void {
  if (!(value instanceof Uint8Array)) fail(value.errno, `extern "${extern.name}": ${value.reason}`);
  data?.set(value.subarray(0, extern.byteSize), extern.byteOffset);
  extern.isSet = true;
}

/** Settings that libbpf provides itself. */
function virtualSetting(
  { name, isWeak, type }: KconfigExtern,
  kernel: TargetKernel,
  little: boolean,
): Uint8Array | KconfigMisfit {
  const number = (value: bigint): Uint8Array | KconfigMisfit => kconfigNumber(value, type, little);
  switch (name) {
    case "LINUX_KERNEL_VERSION":
      return number(BigInt(kernel.version));
    case "LINUX_HAS_BPF_COOKIE":
      return number(kernel.has("bpf_cookie") ? 1n : 0n);
    case "LINUX_HAS_SYSCALL_WRAPPER":
      return number(kernel.has("syscall_wrapper") ? 1n : 0n);
    default:
      if (!name.startsWith("LINUX_") || !isWeak)
        return { errno: "EINVAL", reason: "neither a CONFIG_ setting nor one that loaders know" };
      return number(0n);
  }
}

function readSettings(
  externs: readonly KconfigExtern[],
  { kconfig }: TargetKernel,
  data: Uint8Array | undefined,
  little: boolean,
): void {
  if (kconfig === undefined)
    fail("EINVAL", `"${externs[0]!.name}" is needed, and the kernel's configuration is not given`);
  const byName = new Map(externs.map((extern) => [extern.name, extern]));
  for (const line of kconfig.split("\n")) {
    if (!line.startsWith("CONFIG_")) continue;
    const at = line.indexOf("=");
    if (at < 0 || at === line.length - 1) fail("EINVAL", `the configuration has a line without a value: ${line}`);
    const extern = byName.get(line.slice(0, at));
    if (!extern || extern.isSet) continue;
    const value = kconfigBytes(line.slice(at + 1), extern.type, little);
    // libbpf answers EINVAL, whatever is wrong with a line.
    place(extern, value instanceof Uint8Array ? value : { ...value, errno: "EINVAL" }, data);
  }
}

/** Source: libbpf's bpf_object__resolve_ksym_var_btf_id and …_func_btf_id. */
function resolveSymbol(extern: KernelExtern, kernel: TargetKernel): void {
  const { declaration, isWeak } = extern;
  const name = declaration.kind === "func" ? essentialName(extern.name) : extern.name;
  const found = findInKernel(kernel, name, declaration.kind);
  if (!found) {
    if (isWeak) return;
    // libbpf answers EINVAL for each symbol that is not found by its type.
    const what = declaration.kind === "func" ? "function" : "variable";
    fail("EINVAL", `the kernel and its modules have no ${what} "${name}"; where it may be absent, declare it __weak`);
  }
  const { type, module } = found;
  const theirs = type.kind === "func" ? type.proto : skipModifiers((type as VarType).type);
  if (!compatible(extern.type, theirs)) {
    if (declaration.kind === "func" && isWeak) return;
    fail(
      "EINVAL",
      `"${name}" is declared in another way than ${module ? `module ${module.name}` : "the kernel"} has it`,
    );
  }
  extern.btfId = type.id;
  extern.module = module;
  extern.isSet = true;
}

function compatible(local: BtfType, target: BtfType): boolean {
  try {
    return typesCompatible(local, target, new Budget());
  } catch (cause) {
    if (cause instanceof RelocationFailure) return false;
    throw cause;
  }
}

/** The first type of a name in the kernel's BTF, then among the modules' own. Source: libbpf's find_ksym_btf_id. */
export function findInKernel(
  { vmlinux, modules }: TargetKernel,
  name: string,
  kind: "var" | "func" | "struct" | "typedef",
): { readonly type: BtfType; readonly module: KernelModule | undefined } | undefined {
  const type = vmlinux?.find(name, kind);
  if (type) return { type, module: undefined };
  for (const module of modules) {
    const type = module.btf.findAll(name, kind).find(({ id }) => id >= module.btf.firstId);
    if (type) return { type, module };
  }
  return undefined;
}
