/** Compares structs of callbacks with the kernel's. Source: libbpf's bpf_map__init_kern_struct_ops. */

import { sizeOf } from "../../../btf/query/resolve.js";
import type { FuncProtoType, Member, StructType } from "../../../btf/types.js";
import { essentialName } from "../../core-relocation/essential-name.js";
import type { CoreTarget } from "../../core-relocation/resolution.js";
import { skipModifiers } from "../../core-relocation/types.js";
import type { Program } from "../../elf/programs.js";
import type { BpfObject } from "../../object/object.js";
import type { UsesOf } from "../control-flow/use.js";
import { inWords } from "../in-words.js";
import { misused } from "./arguments.js";
import type { Attachment } from "./attachment.js";
import { findInTarget } from "./kernel-symbols.js";

/** Looks for the kernel's struct of each variable of `.struct_ops`, which must have every member that is set, with the same type. */
export function* structOpsTargets(object: BpfObject, target: CoreTarget, usesOf: UsesOf): Generator<Attachment> {
  for (const section of object.btf.ofKind("datasec")) {
    if (!/^\??\.struct_ops(\.link)?$/.test(section.name)) continue;
    const sectionIndex = object.sections.findIndex(({ name }) => name === section.name);
    for (const { type } of section.variables) {
      const local = type.kind === "var" ? skipModifiers(type.type) : undefined;
      if (local?.kind !== "struct") continue;
      const name = essentialName(local.name);
      const base = { name: type.name, kind: "struct_ops", target: name, isRequired: !section.name.startsWith("?") };
      const kernel = findInTarget(target, name, "struct") as StructType | undefined;
      if (!kernel || !findInTarget(target, `bpf_struct_ops_${name}`, "struct")) {
        yield { ...base, status: "absent", reason: undefined };
        continue;
      }
      const reasons = new StructOpsVariable(object, sectionIndex, type.name, usesOf).differences(local, kernel);
      const reason = reasons.length > 0 ? reasons.join("; ") : undefined;
      yield { ...base, status: reason ? "differs" : "present", reason };
    }
  }
}

/** One variable of `.struct_ops`. */
class StructOpsVariable {
  readonly #object: BpfObject;
  readonly #sectionIndex: number;
  /** Offset of the variable in its section, in bytes. */
  readonly #start: number;
  readonly #usesOf: UsesOf;

  constructor(object: BpfObject, sectionIndex: number, variable: string, usesOf: UsesOf) {
    this.#object = object;
    this.#sectionIndex = sectionIndex;
    this.#usesOf = usesOf;
    const isVariable = (symbol: { name: string; sectionIndex: number }): boolean =>
      symbol.name === variable && symbol.sectionIndex === sectionIndex;
    this.#start = object.symbols.find(isVariable)?.byteOffset ?? 0;
  }

  /** Returns the differences from the kernel's struct. A member that is left empty may be missing there. */
  differences(local: StructType, kernel: StructType): string[] {
    const known = new Map(kernel.members.map((member) => [member.name, member]));
    const missing: string[] = [];
    const others: string[] = [];
    for (const member of local.members) {
      const theirs = known.get(essentialName(member.name));
      if (!theirs) {
        if (this.#isSet(member)) missing.push(member.name);
        continue;
      }
      const other = this.#difference(member, theirs);
      if (other) others.push(`member ${member.name}: ${other}`);
    }
    return missing.length > 0 ? [`the target's struct has no member ${missing.join(", ")}`, ...others] : others;
  }

  #difference(ours: Member, theirs: Member): string | undefined {
    const [local, kernel] = [skipModifiers(ours.type), skipModifiers(theirs.type)];
    if (local.kind !== kernel.kind) return `it is ${inWords(kernel)} in the target, ${inWords(local)} in the program`;
    const program = this.#programOf(ours);
    if (program) {
      const proto = kernel.kind === "ptr" ? skipModifiers(kernel.target) : undefined;
      if (proto?.kind !== "func_proto") return "it is not a pointer to a function in the target";
      return misused("struct_ops", proto as FuncProtoType, this.#usesOf(program));
    }
    const [mine, size] = [sizeOf(local), sizeOf(kernel)];
    return mine === size ? undefined : `it has ${size} bytes in the target, ${mine} in the program`;
  }

  #offsetOf({ bitOffset }: Member): number {
    return this.#start + (bitOffset >>> 3);
  }

  /** Returns the program that is put into a member. */
  #programOf(member: Member): Program | undefined {
    const at = this.#offsetOf(member);
    const { relocations, symbols } = this.#object;
    const relocation = relocations.find(
      ({ sectionIndex, byteOffset }) => sectionIndex === this.#sectionIndex && byteOffset === at,
    );
    const symbol = relocation && symbols[relocation.symbolIndex];
    return symbol && this.#object.programAt(symbol.sectionIndex, symbol.byteOffset);
  }

  #isSet(member: Member): boolean {
    if (this.#programOf(member)) return true;
    const section = this.#object.sections[this.#sectionIndex];
    const at = this.#offsetOf(member);
    return section
      ? this.#object
          .dataOf(section)
          .subarray(at, at + (sizeOf(member.type) ?? 0))
          .some((byte) => byte !== 0)
      : false;
  }
}
