/**
 * Struct fields that mean something to the verifier of programs: locks, list
 * heads and trees with what they contain, kernel pointers, reference counts. A
 * kernel reads them out of every struct when it loads BTF and refuses what it
 * cannot make sense of (btf_parse_struct_metas, btf_check_and_fixup_fields).
 * Its log has no word of them.
 */
import * as abi from "../../memory/generated/edit-abi.js";
import { FIELD_RULES, type VerifyRule } from "./rules.js";

/** Types as they lie in memory. All of them keep the rules for records and references. */
export interface Records {
  readonly view: DataView;
  readonly idLimit: number;
  /** Address of a record. */
  record(id: number): number;
  /** A name, a character a byte. */
  text(nameOffset: number): string;
}

/** A struct that breaks a rule, and the member at which that shows. */
export interface BrokenField {
  readonly rule: VerifyRule;
  readonly typeId: number;
  /** -1: no single one. */
  readonly member: number;
}

/** BTF_FIELDS_MAX */
const FIELDS_MAX = 11;
/** MAX_RESOLVE_DEPTH */
const DEPTH = 32;

interface FieldType {
  readonly byteSize: number;
  readonly alignment: number;
  /** At most one in a struct; a second one is refused before anything else is looked at. */
  readonly isSingle?: boolean;
  /** An array of them is as good as each. */
  readonly isRepeated?: boolean;
  /** Owns structs that have such a node. */
  readonly node?: string;
}

/** The field types, by the name of their struct. */
const FIELD_TYPES: Readonly<Record<string, FieldType>> = {
  bpf_spin_lock: { byteSize: 4, alignment: 4, isSingle: true },
  bpf_res_spin_lock: { byteSize: 4, alignment: 4, isSingle: true },
  bpf_list_head: { byteSize: 16, alignment: 8, isRepeated: true, node: "bpf_list_node" },
  bpf_list_node: { byteSize: 24, alignment: 8 },
  bpf_rb_root: { byteSize: 16, alignment: 8, isRepeated: true, node: "bpf_rb_node" },
  bpf_rb_node: { byteSize: 32, alignment: 8 },
  bpf_refcount: { byteSize: 4, alignment: 4 },
};
/** A pointer to a struct, by its type tag. */
const KERNEL_POINTER: FieldType = { byteSize: 8, alignment: 8, isRepeated: true };
const POINTER_TAGS = new Set(["kptr", "kptr_untrusted", "percpu_kptr"]);
/** A type tag that says nothing in a struct of a program's own. */
const OTHER_TAG = "uptr";
/** Structs that make a struct be looked at. */
const FOUND_BY = ["bpf_spin_lock", "bpf_list_head", "bpf_list_node", "bpf_rb_root", "bpf_rb_node", "bpf_refcount"];

interface Field {
  /** Name of the struct, or the type tag. */
  readonly name: string;
  readonly type: FieldType;
  readonly offset: number;
  readonly member: number;
  /** The struct that is pointed to or owned. */
  readonly target: number;
  /** The owned struct's member by which it is linked. */
  readonly node: string;
}

const isRule = (found: unknown): found is VerifyRule => typeof found === "object" && found !== null && "errno" in found;

export class FieldCheck {
  readonly #records: Records;
  /** Levels of structs inside structs that have no field at all. */
  readonly #plain = new Map<number, number>();
  #structs: Map<string, number> | undefined;
  #tags: Map<number, number[]> | undefined;
  /** The member at which the walk through the current struct is. */
  #member = 0;

  constructor(records: Records) {
    this.#records = records;
  }

  /** Returns the candidates, ascending, whose presence makes the kernel look at a struct. */
  fieldTypes(candidates: Iterable<number>): number[] {
    const names = new Set(FOUND_BY);
    const found: number[] = [];
    for (const id of candidates) {
      // The first of structs that share a name counts.
      if (this.#kind(id) === abi.KIND_STRUCT ? names.delete(this.#name(id)) : typeof this.#pointer(id) === "string") {
        found.push(id);
      }
    }
    return found;
  }

  /** Checks the structs that hold fields: each by itself, then what owns what. */
  check(holders: readonly number[]): BrokenField[] {
    const broken: BrokenField[] = [];
    const fields = new Map<number, readonly Field[]>();
    for (const typeId of holders) {
      this.#member = 0;
      const found: Field[] = [];
      const result = this.#find(typeId, 0, found);
      const rule = isRule(result) ? result : this.#judge(found);
      if (rule) broken.push({ rule, typeId, member: this.#member });
      fields.set(typeId, found);
    }
    return broken.length > 0 ? broken : this.#checkOwners(fields);
  }

  /** Returns a word of a record and what follows it, by its offset in bytes. */
  #at(id: number, offset: number): number {
    return this.#records.view.getUint32(this.#records.record(id) + offset, true);
  }

  #info(id: number): number {
    return this.#at(id, abi.TYPE_INFO);
  }

  /** Returns the number of a type's kind, 0 for void. */
  #kind(id: number): number {
    return id === 0 ? 0 : (this.#info(id) >>> abi.KIND_SHIFT) & abi.LINUX_KIND_MASK;
  }

  #flag(id: number): boolean {
    return this.#info(id) >>> 31 === 1;
  }

  #length(id: number): number {
    return this.#info(id) & abi.LINUX_VLEN_MASK;
  }

  #name(id: number): string {
    return this.#records.text(this.#at(id, abi.TYPE_NAME));
  }

  /** The size, or the type that is referred to. */
  #size(id: number): number {
    return this.#at(id, abi.TYPE_SIZE_OR_ID);
  }

  /** Returns a word of a member: MEMBER_NAME, MEMBER_TYPE or MEMBER_OFFSET. */
  #word(id: number, member: number, field: number): number {
    return this.#at(id, abi.TYPE_SIZE + member * abi.MEMBER_SIZE + field);
  }

  #bitOffset(id: number, member: number, flag: boolean): number {
    const word = this.#word(id, member, abi.MEMBER_OFFSET);
    return flag ? word & abi.BIT_OFFSET_MASK : word;
  }

  #withoutModifiers(id: number): number {
    while ((abi.MODIFIER_KINDS >> this.#kind(id)) & 1) id = this.#size(id);
    return id;
  }

  /** The type tag of a kernel pointer; undefined for what is none, a rule that it breaks. */
  #pointer(id: number): string | VerifyRule | undefined {
    const pointer = this.#kind(id) === abi.KIND_VOLATILE ? this.#size(id) : id;
    if (this.#kind(pointer) !== abi.KIND_PTR) return undefined;
    const tag = this.#size(pointer);
    if (this.#kind(tag) !== abi.KIND_TYPE_TAG || this.#flag(tag)) return undefined;
    if (this.#kind(this.#size(tag)) === abi.KIND_TYPE_TAG) return FIELD_RULES.pointerTag;
    const name = this.#name(tag);
    if (name === OTHER_TAG) return undefined;
    if (!POINTER_TAGS.has(name)) return FIELD_RULES.pointerTag;
    return this.#kind(this.#withoutModifiers(tag)) === abi.KIND_STRUCT ? name : FIELD_RULES.pointerTarget;
  }

  /**
   * Adds the fields of a struct and of structs inside it. Returns the levels of
   * these, or a rule that is broken.
   */
  #find(id: number, level: number, fields: Field[]): number | VerifyRule {
    const flag = this.#flag(id);
    const seen = new Set<string>();
    let levels = 0;
    for (let i = 0; i < this.#length(id); i++) {
      if (level === 0) this.#member = i;
      const offset = this.#bitOffset(id, i, flag);
      if (offset % 8) return FIELD_RULES.bits;
      const found = this.#findOne(id, i, offset / 8, level, fields, seen);
      if (isRule(found)) return found;
      levels = Math.max(levels, found);
    }
    return levels;
  }

  #findOne(
    id: number,
    member: number,
    offset: number,
    level: number,
    fields: Field[],
    seen: Set<string>,
  ): number | VerifyRule {
    let target = this.#word(id, member, abi.MEMBER_TYPE);
    let repeats = 1;
    let arrays = 0;
    for (; arrays < DEPTH && this.#kind(target) === abi.KIND_ARRAY; arrays++) {
      repeats = Math.imul(repeats, this.#at(target, abi.ARRAY_LENGTH)) >>> 0;
      target = this.#at(target, abi.ARRAY_ELEMENT);
    }
    if (arrays === DEPTH) return FIELD_RULES.depth;
    if (repeats === 0) return 0;
    const isStruct = this.#kind(target) === abi.KIND_STRUCT;
    let name: string | undefined = this.#name(target);
    let type = Object.hasOwn(FIELD_TYPES, name) ? FIELD_TYPES[name] : undefined;
    if (type?.isSingle) {
      if (seen.has(name)) return FIELD_RULES.twice;
      seen.add(name);
    }
    if (!type && isStruct) return this.#findNested(target, offset, level, repeats, fields);
    type ??= KERNEL_POINTER;
    if (offset % type.alignment) return 0;
    let contained: readonly [target: number, node: string] = [0, ""];
    if (type === KERNEL_POINTER) {
      const tag = this.#pointer(target);
      if (tag === undefined) return 0;
      if (isRule(tag)) return tag;
      name = tag;
      const pointer = this.#kind(target) === abi.KIND_VOLATILE ? this.#size(target) : target;
      contained = [this.#withoutModifiers(this.#size(pointer)), ""];
    } else {
      if (!isStruct || this.#size(target) !== type.byteSize) return 0;
      if (type.node) {
        const found = this.#contains(id, member);
        if (isRule(found)) return found;
        contained = found;
      }
    }
    if (fields.length >= FIELDS_MAX) return FIELD_RULES.count;
    fields.push({ name, type, offset, member: this.#member, target: contained[0], node: contained[1] });
    return this.#repeat(fields, fields.length - 1, repeats, type.byteSize) ?? 0;
  }

  #findNested(id: number, offset: number, level: number, repeats: number, fields: Field[]): number | VerifyRule {
    const inside = level + 1;
    if (inside + (this.#plain.get(id) ?? 0) >= DEPTH) return FIELD_RULES.depth;
    const known = this.#plain.get(id);
    if (known !== undefined) return known + 1;
    const start = fields.length;
    const levels = this.#find(id, inside, fields);
    if (isRule(levels)) return levels;
    if (fields.length === start) {
      this.#plain.set(id, levels);
      return levels + 1;
    }
    for (let i = start; i < fields.length; i++) fields[i] = { ...fields[i]!, offset: fields[i]!.offset + offset };
    return this.#repeat(fields, start, repeats, this.#size(id)) ?? 0;
  }

  /** Adds the fields from `start` on once more for each further element of an array. */
  #repeat(fields: Field[], start: number, repeats: number, size: number): VerifyRule | undefined {
    if (repeats === 1) return undefined;
    const element = fields.slice(start);
    if (element.some(({ type }) => !type.isRepeated)) return FIELD_RULES.array;
    if (start + element.length * repeats > FIELDS_MAX) return FIELD_RULES.count;
    for (let i = 1; i < repeats; i++) {
      for (const field of element) fields.push({ ...field, offset: field.offset + i * size });
    }
    return undefined;
  }

  /** Returns the struct and member that the tag `contains:STRUCT:MEMBER` of a list head or a tree names. */
  #contains(id: number, member: number): readonly [target: number, node: string] | VerifyRule {
    const { idLimit } = this.#records;
    if (!this.#tags || !this.#structs) {
      this.#tags = new Map();
      this.#structs = new Map();
      for (let at = 1; at < idLimit; at++) {
        const kind = this.#kind(at);
        if (kind === abi.KIND_STRUCT) {
          const name = this.#name(at);
          if (!this.#structs.has(name)) this.#structs.set(name, at);
        } else if (kind === abi.KIND_DECL_TAG) {
          const tags = this.#tags.get(this.#size(at));
          if (tags) tags.push(at);
          else this.#tags.set(this.#size(at), [at]);
        }
      }
    }
    const prefix = "contains:";
    const values = (this.#tags.get(id) ?? [])
      .filter((tag) => (this.#at(tag, abi.DECL_TAG_COMPONENT) | 0) === member)
      .map((tag) => this.#name(tag))
      .filter((value) => value.startsWith(prefix));
    const [, name, node] = /^contains:([^:]*):(.*)$/s.exec(values[0] ?? "") ?? [];
    if (values.length !== 1 || name === undefined || node === undefined) return FIELD_RULES.contains;
    const target = this.#structs.get(name);
    if (target === undefined) return FIELD_RULES.containsStruct;
    return node === "" ? FIELD_RULES.contains : [target, node];
  }

  /** Checks the rules that all fields of a struct obey together (btf_parse_fields). */
  #judge(fields: readonly Field[]): VerifyRule | undefined {
    if (fields.length === 0) return FIELD_RULES.none;
    let end = 0;
    for (const field of fields) {
      this.#member = field.member;
      if (field.offset < end) return FIELD_RULES.overlap;
      end = field.offset + field.type.byteSize;
      const rule = field.type.node && this.#checkNode(field);
      if (rule) return rule;
    }
    this.#member = -1;
    const names = new Set(fields.map(({ name }) => name));
    const isLocked = names.has("bpf_spin_lock");
    if (isLocked && names.has("bpf_res_spin_lock")) return FIELD_RULES.locks;
    if (fields.some(({ type }) => type.node) && !isLocked && !names.has("bpf_res_spin_lock")) return FIELD_RULES.lock;
    const isBoth = names.has("bpf_list_node") && names.has("bpf_rb_node");
    return isBoth && !names.has("bpf_refcount") ? FIELD_RULES.refcount : undefined;
  }

  #checkNode({ type, target, node }: Field): VerifyRule | undefined {
    let found = false;
    for (let i = 0; i < this.#length(target); i++) {
      if (this.#records.text(this.#word(target, i, abi.MEMBER_NAME)) !== node) continue;
      const to = this.#word(target, i, abi.MEMBER_TYPE);
      if (found || this.#kind(to) !== abi.KIND_STRUCT || this.#name(to) !== type.node) return FIELD_RULES.containsNode;
      // The kernel reads the offset by the flag of the node's type.
      const offset = this.#bitOffset(target, i, this.#flag(to));
      if (offset % 8 || (offset / 8) % 8) return FIELD_RULES.containsNode;
      found = true;
    }
    return found ? undefined : FIELD_RULES.containsMember;
  }

  /** Checks that an owner which can itself be owned owns no other owner (btf_check_and_fixup_fields). */
  #checkOwners(structs: ReadonlyMap<number, readonly Field[]>): BrokenField[] {
    const broken: BrokenField[] = [];
    const owns = (fields: readonly Field[]): boolean => fields.some(({ type }) => type.node);
    for (const [typeId, fields] of structs) {
      const isNode = fields.some(({ name }) => name === "bpf_list_node" || name === "bpf_rb_node");
      for (const { type, target, member } of fields) {
        if (!type.node) continue;
        const owned = structs.get(target);
        const rule = !owned ? FIELD_RULES.owned : isNode && owns(owned) ? FIELD_RULES.ownership : undefined;
        if (!rule) continue;
        broken.push({ rule, typeId, member });
        break;
      }
    }
    return broken;
  }
}
