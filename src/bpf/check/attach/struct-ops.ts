/** A struct of callbacks beside the kernel's. Source: libbpf's bpf_map__init_kern_struct_ops. */

import { sizeOf } from "../../../btf/query/resolve.js";
import type { FuncProtoType, Member, StructType } from "../../../btf/types.js";
import { essentialName } from "../../core-relocation/names.js";
import { skip } from "../../core-relocation/types.js";
import type { Program } from "../../elf/programs.js";
import type { BpfObject } from "../../object/object.js";
import { described } from "../described.js";
import { misused } from "./arguments.js";
import type { UsesOf } from "./attach.js";

/** One variable of `.struct_ops`. */
export class StructOps {
  readonly #object: BpfObject;
  readonly #sectionIndex: number;
  /** Of the variable in its section, in bytes. */
  readonly #start: number;
  readonly #usesOf: UsesOf;

  constructor(object: BpfObject, sectionIndex: number, variable: string, usesOf: UsesOf) {
    this.#object = object;
    this.#sectionIndex = sectionIndex;
    this.#usesOf = usesOf;
    const isVariable = (one: { name: string; sectionIndex: number }): boolean =>
      one.name === variable && one.sectionIndex === sectionIndex;
    this.#start = object.symbols.find(isVariable)?.byteOffset ?? 0;
  }

  /** What of the local struct does not fit into the kernel's. A member that is left empty may be missing there. */
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
    const [local, kernel] = [skip(ours.type), skip(theirs.type)];
    if (local.kind !== kernel.kind)
      return `it is ${described(kernel)} in the target, ${described(local)} in the program`;
    const program = this.#programOf(ours);
    if (program) {
      const proto = kernel.kind === "ptr" ? skip(kernel.target) : undefined;
      if (proto?.kind !== "func_proto") return "it is no pointer to a function in the target";
      return misused("struct_ops", proto as FuncProtoType, this.#usesOf(program));
    }
    const [mine, size] = [sizeOf(local), sizeOf(kernel)];
    return mine === size ? undefined : `it has ${size} bytes in the target, ${mine} in the program`;
  }

  #offsetOf({ bitOffset }: Member): number {
    return this.#start + (bitOffset >>> 3);
  }

  /** The program that is put into a member. */
  #programOf(member: Member): Program | undefined {
    const at = this.#offsetOf(member);
    const { relocations, symbols } = this.#object;
    const one = relocations.find(
      ({ sectionIndex, byteOffset }) => sectionIndex === this.#sectionIndex && byteOffset === at,
    );
    const symbol = one && symbols[one.symbolIndex];
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
