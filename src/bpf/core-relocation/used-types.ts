/** Finds the types of a kernel that BPF objects name, which a header for their source has to hold. */
import type { Btf } from "../../btf/btf.js";
import { isModifier, skipModifiers } from "../../btf/traverse.js";
import type { BtfType } from "../../btf/types.js";
import type { BpfObject } from "../object/object.js";
import { candidatesIn } from "./candidates.js";
import { libbpf } from "./loaders/libbpf.js";

/** The types and functions of a kernel that objects use, as options of `dumpC`. */
export interface UsedTypes {
  /** In the order of their ids. */
  readonly types: BtfType[];
  /** Names of kernel functions that the objects call and the kernel has. */
  readonly kfuncs: string[];
}

/** Helpers hand it to every program, and from it most of a kernel can be reached. */
const CURRENT_TASK = "task_struct";

/** Types that `bpf_helpers.h`, `bpf_helper_defs.h`, `bpf_endian.h`, `bpf_tracing.h` and `usdt.bpf.h` name. */
const LIBBPF_NAMES =
  "__s8 __s16 __s32 __s64 __u8 __u16 __u32 __u64 s8 s16 s32 s64 u8 u16 u32 u64 __be16 __be32 __be64 __le16 __le32 __le64 __sum16 __wsum bool size_t pt_regs user_pt_regs".split(
    " ",
  );

/** Enumerators of the interface of BPF: map types, flags, attach types. */
const BPF_ENUMERATOR = /^BPF_/;

/** Kinds whose names are no types': a program has the name of the kernel function that it traces. */
const NO_TYPES: ReadonlySet<string> = new Set(["func", "var", "datasec", "decl_tag", "type_tag"]);

const IDENTIFIER = /[A-Za-z_]\w*/g;

/**
 * Returns what a header needs so that the sources of the objects compile with
 * it and libbpf's headers for programs, as options of `dumpC`: the root types
 * of their CO-RE relocations, the types that their BTF names, what can be
 * reached from these and from the current task through pointers, numeric
 * typedefs, typedefs that the source lines in `.BTF.ext` mention, the enumerations of BPF and those
 * that sources may use, and the kernel functions that the objects call. Types and functions
 * that the kernel lacks are left out.
 *
 * @example
 * const { types, kfuncs } = usedTypes(btf, [object]);
 * console.log(types.some(({ name }) => name === "task_struct"), kfuncs); // true []
 */
export function usedTypes(btf: Btf, objects: Iterable<BpfObject>): UsedTypes {
  const types = new Set<BtfType>();
  const kfuncs = new Set<string>();
  const words = new Set<string>();
  for (const object of objects) {
    for (const local of localTypes(object)) {
      for (const candidate of candidatesIn(btf, local, false, libbpf)) types.add(candidate);
    }
    for (const { kind, name } of object.externs) {
      if (kind === "func" && btf.find(name, "func")) kfuncs.add(name);
    }
    for (const word of sourceWords(object)) words.add(word);
  }
  for (const name of LIBBPF_NAMES) {
    const type = btf.find(name, "typedef") ?? btf.find(name, "struct");
    if (type) types.add(type);
  }
  const task = btf.find(CURRENT_TASK, "struct");
  if (task) types.add(task);
  for (const type of btf.ofKind("typedef")) if (words.has(type.name) || isScalar(type)) types.add(type);
  addReachable(types);
  for (const type of enumerations(btf, words)) types.add(type);
  return { types: [...types].sort((a, b) => a.id - b.id), kfuncs: [...kfuncs].sort() };
}

/** Typedefs and modifiers in a row that are followed. */
const CHAIN_LIMIT = 64;

/** Tells whether a type is a number, whatever its names. */
function isScalar(type: BtfType): boolean {
  const kind = skipModifiers(type, CHAIN_LIMIT)?.kind;
  return kind === "int" || kind === "float" || kind === "enum" || kind === "enum64";
}

/**
 * Enumerations that a source may use: compiled, an enumerator is a number and leaves no trace but in the source
 * lines. Those without a name are constants of their own, those that functions take belong to the kernel's interface.
 */
function* enumerations(btf: Btf, words: ReadonlySet<string>): Generator<BtfType> {
  const taken = new Set<BtfType | undefined>();
  for (const { params } of btf.ofKind("func_proto")) {
    for (const { type } of params) taken.add(skipModifiers(type, CHAIN_LIMIT));
  }
  for (const kind of ["enum", "enum64"] as const) {
    for (const type of btf.ofKind(kind)) {
      const isNamed = type.values.some(({ name }) => BPF_ENUMERATOR.test(name) || words.has(name));
      if (isNamed || type.name === "" || taken.has(type)) yield type;
    }
  }
}

/** Adds the structs and unions that members point to, at any distance. */
function addReachable(types: Set<BtfType>): void {
  const left = [...types];
  const seen = new Set<BtfType>();
  for (let type = left.pop(); type; type = left.pop()) {
    if (seen.has(type)) continue;
    seen.add(type);
    if (type.kind === "struct" || type.kind === "union") {
      if (type.name) types.add(type);
      for (const member of type.members) left.push(member.type);
    } else if (type.kind === "array") left.push(type.element);
    else if (type.kind === "ptr" || type.kind === "typedef" || isModifier(type)) left.push(type.target);
  }
}

/** The named types of an object's BTF. */
function* localTypes(object: BpfObject): Generator<BtfType> {
  if (!object.hasBtf) return;
  for (const type of object.btf) if (type.name && !NO_TYPES.has(type.kind)) yield type;
}

/** The identifiers in the lines of source that the object's instructions come from. */
function* sourceWords(object: BpfObject): Generator<string> {
  if (!object.hasBtf || !object.hasExt) return;
  for (const { records } of object.ext.lineInfo?.sections ?? []) {
    for (const { text } of records) for (const [word] of text.matchAll(IDENTIFIER)) yield word;
  }
}
