/**
 * Collects all that the programs, externs and struct_ops variables of an object
 * need of a target, as far as BTF lists it.
 */
import { RelocationFailure } from "../../core-relocation/failure.js";
import type { BpfObject } from "../../object/object.js";
import type { UsesOf } from "../control-flow/use.js";
import type { Attachment } from "./attachment.js";
import { externTarget } from "./externs.js";
import { type AttachTarget, isMalformed, listsFunctions } from "./kernel-symbols.js";
import { programTargets } from "./program-targets.js";
import { structOpsTargets } from "./struct-ops.js";

/**
 * Returns what an object needs of a target. A BTF without functions, such as a
 * minimised one, leaves everything that it lacks unknown: loaders look it up in
 * the kernel's BTF.
 */
export function attachments(object: BpfObject, target: AttachTarget, usesOf: UsesOf): Attachment[] {
  const programs = object.programs.filter(({ isSubprogram }) => !isSubprogram);
  const symbols = object.externs.filter(({ kind }) => kind !== "kconfig");
  const found = [
    ...programs.flatMap((program) => {
      const { name, convention = "", attachTo } = program;
      return orUnknown(name, convention, attachTo, () => programTargets(program, target, usesOf));
    }),
    ...symbols.flatMap((extern) => {
      return orUnknown(extern.name, extern.kind, extern.name, () => [externTarget(object, extern, target)]);
    }),
    ...(object.hasBtf
      ? orUnknown("", "struct_ops", undefined, () => [...structOpsTargets(object, target, usesOf)])
      : []),
  ];
  if (found.length === 0 || listsFunctions(target)) return found;
  const reason = "the target's BTF has no functions, as a minimised BTF";
  return found.map((attachment) =>
    attachment.status === "absent" ? { ...attachment, status: "unknown", reason } : attachment,
  );
}

/** Returns what is found; unknown where malformed types (a loop, an id that does not exist) end the search. */
function orUnknown(name: string, kind: string, target: string | undefined, find: () => Attachment[]): Attachment[] {
  try {
    return find();
  } catch (error) {
    if (!isMalformed(error)) throw error;
    const reason = error instanceof RelocationFailure ? error.reason : error.message;
    return [{ name, kind, target, status: "unknown", isRequired: false, reason }];
  }
}
