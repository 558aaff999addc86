/** Makes the smallest BTF that objects need on a target. Source: bpftool's `gen min_core_btf` (btfgen). */
import type { Btf } from "../../btf/btf.js";
import { isComposite } from "../../btf/traverse.js";
import type { BtfType, StructType, UnionType } from "../../btf/types.js";
import { ERR_CORE_RECORD, ERR_CORE_RELOCATION } from "../../errors/bpf.js";
import { BtfFormatError } from "../../errors/error.js";
import type { BpfObject } from "../object/object.js";
import { Budget } from "./budget.js";
import { BtfRelocationError } from "./error.js";
import { libbpf } from "./loaders/libbpf.js";
import { encodeMarked, encodeMarkedSplit, type Marked } from "./marked.js";
import { targetOf } from "./relocate.js";
import type { RelocationTarget } from "./relocation.js";
import type { CoreTarget } from "./resolution.js";
import { Resolver } from "./resolve.js";
import { type Spec, subjectOf } from "./spec.js";
import { memberAt, skipModifiers } from "./types.js";

/**
 * Returns the BTF, as bytes, of only those types and members of the target that the
 * objects' CO-RE relocations need: relocating on it gives the same values as on
 * the whole. Ids are new, so that target_type_id names the same type by another
 * id.
 *
 * Members keep their offsets and structs their sizes. Everything else is left
 * out, and references to it become void. Types of modules stand behind those of
 * vmlinux, in one BTF without a base, in the target's byte order. For a target
 * with pointers of 4 bytes the type that tells so is kept too.
 *
 * @throws BtfFormatError ERR_OBJECT_SECTION, ERR_EXT, ERR_CORE_RECORD for an
 *   object, BtfRelocationError ERR_CORE_RELOCATION for a relocation that the
 *   target has no answer for, BtfLimitError ERR_CORE_WORK
 * @example
 * console.log(minimize([object], btf).length); // 138
 */
export function minimize(objects: readonly BpfObject[], target: RelocationTarget): Uint8Array<ArrayBuffer> {
  const minimizer = new Minimizer(target);
  for (const object of objects) minimizer.add(object);
  return minimizer.toBytes();
}

/** A minimised kernel and its modules. */
export interface SplitBytes {
  readonly base: Uint8Array<ArrayBuffer>;
  /** In the order of the target's modules. */
  readonly modules: readonly (Uint8Array<ArrayBuffer> | undefined)[];
}

/**
 * Does what `minimize` does, one object after the other: no object has to be kept.
 *
 * @example
 * const minimizer = new Minimizer(btf);
 * minimizer.add(object);
 * const small = Btf.parse(minimizer.toBytes());
 * console.log(small.require("task_struct", "struct").members[0]?.name); // pid
 */
export class Minimizer {
  readonly #target: CoreTarget;
  readonly #marks = new Marks();

  constructor(target: RelocationTarget) {
    this.#target = targetOf(target);
  }

  /** Adds what an object needs. @throws as `minimize` */
  add(object: BpfObject): void {
    const sections = object.ext.coreRelocations?.sections ?? [];
    const resolver = new Resolver(object.btf, this.#target, {
      endian: object.endian,
      budget: new Budget(),
      engine: libbpf,
      records: () => [],
    });
    for (const { section, records } of sections) {
      for (const [index, record] of records.entries()) {
        const { failure, matches } = resolver.resolve(record);
        if (failure) {
          const details = { name: section, value: index, note: failure.reason };
          if (failure.malformed) throw new BtfFormatError(ERR_CORE_RECORD, details);
          throw new BtfRelocationError(ERR_CORE_RELOCATION, details);
        }
        // The others that match lead to the same value.
        if (matches[0]) this.#marks.spec(matches[0].spec);
      }
    }
  }

  /** Returns the BTF of all that was added, types of modules included. */
  toBytes(): Uint8Array<ArrayBuffer> {
    this.#markPointerSize();
    return encodeMarked(this.#marks.marked, this.#target);
  }

  /**
   * Returns the BTF of all that was added in parts: the kernel's, and for each
   * module of the target one that is split on it, `undefined` where nothing of
   * the module is needed.
   */
  toSplitBytes(): SplitBytes {
    this.#markPointerSize();
    return encodeMarkedSplit(this.#marks.marked, this.#target);
  }

  #markPointerSize(): void {
    const { vmlinux } = this.#target;
    if (vmlinux.knownPointerSize === 4) markPointerSize(vmlinux, this.#marks);
  }
}

/** A reader guesses the size of pointers by an INT called `long`; without one it takes 8 bytes. */
function markPointerSize(vmlinux: Btf, marks: Marks): void {
  for (let btf: Btf | undefined = vmlinux; btf; btf = btf.base) {
    for (const type of btf.ofKind("int", { own: true })) {
      if (type.byteSize === 4 && /\blong\b/.test(type.name)) {
        marks.type(type, false);
        return;
      }
    }
  }
}

/** The types that are needed, and for structs and unions the members. */
class Marks {
  readonly marked: Marked = new Map();
  /** Types that have been followed: through pointers, and for type_matches with their members. */
  readonly #followed = { types: new Set<BtfType>(), shapes: new Set<BtfType>(), names: new Set<BtfType>() };

  spec(spec: Spec): void {
    if (subjectOf(spec.kind) === "field") this.#field(spec);
    else if (spec.kind === "type_matches") this.#shape(spec.root, false);
    else this.type(spec.root, subjectOf(spec.kind) === "type");
  }

  /** Marks a type. @returns whether it is new */
  #mark(type: BtfType): boolean {
    if (type.kind === "void" || this.marked.has(type)) return false;
    this.marked.set(type, new Set());
    return true;
  }

  #member(type: StructType | UnionType, index: number): void {
    this.#mark(type);
    this.marked.get(type)!.add(index);
  }

  /** Marks a type and its parts: targets of modifiers, elements of arrays, prototypes, and if asked for the targets of pointers. */
  type(root: BtfType, followPointers: boolean): void {
    const pending = [root];
    for (let type = pending.pop(); type; type = pending.pop()) {
      const isNew = this.#mark(type);
      if (followPointers) {
        if (this.#followed.types.has(type)) continue;
        this.#followed.types.add(type);
      } else if (!isNew) continue;
      if (type.kind !== "ptr" || followPointers) pending.push(...partsOf(type));
    }
  }

  /** Marks the path of a field: each member on it and the member's type. */
  #field({ root, path }: Spec): void {
    this.type(root, false);
    let at = root;
    for (const index of path.slice(1)) {
      at = skipModifiers(at);
      if (isComposite(at)) {
        this.#member(at, index);
        at = memberAt(at, index)!.type;
        this.type(at, false);
      } else if (at.kind === "array") at = at.element;
    }
  }

  /** Marks all that type_matches compares: members too, and behind a pointer the names of types alone. */
  #shape(root: BtfType, behind: boolean): void {
    const pending = [{ type: root, behindPointer: behind }];
    for (let next = pending.pop(); next; next = pending.pop()) {
      const { type, behindPointer } = next;
      const followed = behindPointer ? this.#followed.names : this.#followed.shapes;
      this.#mark(type);
      if (followed.has(type)) continue;
      followed.add(type);
      if (isComposite(type)) {
        if (behindPointer) continue;
        type.members.forEach((member, index) => {
          this.#member(type, index);
          pending.push({ type: member.type, behindPointer: false });
        });
        continue;
      }
      const inside = type.kind === "ptr" || (behindPointer && isTransparent(type));
      for (const part of partsOf(type)) pending.push({ type: part, behindPointer: inside });
    }
  }
}

/** Tells whether a type is its target under another name. */
function isTransparent({ kind }: BtfType): boolean {
  return kind === "const" || kind === "volatile" || kind === "restrict" || kind === "typedef" || kind === "type_tag";
}

/** Returns the types that a type is made of. Members are marked one by one, and left out here. */
function partsOf(type: BtfType): BtfType[] {
  switch (type.kind) {
    case "ptr":
    case "const":
    case "volatile":
    case "restrict":
    case "typedef":
    case "type_tag":
    case "decl_tag":
      return [type.target];
    case "array":
      return [type.element, type.index];
    case "func_proto":
      return [type.returnType, ...type.params.map((param) => param.type)];
    case "func":
      return [type.proto];
    case "var":
      return [type.type];
    default:
      return [];
  }
}
