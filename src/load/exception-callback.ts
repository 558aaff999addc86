/** The function that runs when a program throws an exception, by its tag. Source: libbpf's bpf_prog_assign_exc_cb. */
import { fail } from "./failure.js";
import type { DraftProgram } from "./programs.js";
import { LINKAGE_GLOBAL, type ObjectTypes } from "./types.js";

const TAG = "exception_callback:";

export function exceptionCallbackOf(
  program: DraftProgram,
  types: ObjectTypes,
  programs: readonly DraftProgram[],
): DraftProgram | undefined {
  let callback: DraftProgram | undefined;
  for (const tag of types.btf.ofKind("decl_tag")) {
    if (tag.componentIndex !== -1 || !tag.name.startsWith(TAG)) continue;
    const { target } = tag;
    const refuse = (note: string): never => fail("EINVAL", `program "${program.name}": ${note}`);
    if (target.kind !== "func" || types.linkageOfFunc(target.id) !== LINKAGE_GLOBAL)
      return refuse("an exception_callback tag stands on something that is not a global function");
    if (target.name !== program.name) continue;
    // The verifier refuses several callbacks.
    if (callback) return undefined;
    const name = tag.name.slice(TAG.length);
    if (name === "") refuse("an exception_callback tag without a name");
    const found = programs.find((candidate) => candidate.isSubprogram && candidate.name === name);
    if (!found) return fail("ENOENT", `program "${program.name}": the object has no exception callback "${name}"`);
    if (!found.isGlobal || found.isHidden) refuse(`exception callback "${name}" is not a global, visible function`);
    callback = found;
  }
  return callback;
}
