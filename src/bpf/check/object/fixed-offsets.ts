/** Warns of accesses to kernel types that CO-RE does not relocate. */
import type { BpfObject } from "../../object/object.js";
import type { ControlFlow } from "../control-flow/control-flow.js";
import type { ObjectFinding } from "./finding.js";

/** Programs whose contexts hold pointers to kernel types that they may read directly. */
const DIRECT = /^(?:tp_btf|fentry|fexit|fmod_ret|fsession|lsm|lsm_cgroup|iter|struct_ops)(?:\.s)?$/;
/** Programs that read kernel types through helpers alone. */
const BY_HELPER =
  /^(?:kprobe|kretprobe|kprobe\.multi|kretprobe\.multi|kprobe\.session|ksyscall|raw_tp|raw_tracepoint|perf_event)(?:\.[sw])?$/;

const warning = (subject: string, reason: string, insn?: number): ObjectFinding => ({
  rule: "fixed-offset",
  severity: "warning",
  subject,
  errno: 0,
  reason,
  ...(insn !== undefined && { insn }),
});

/** Yields a warning for each program that reads kernel types at fixed offsets, and for lost relocation records. */
export function* fixedOffsets(object: BpfObject, flow: () => ControlFlow): Generator<ObjectFinding> {
  if (object.hasBtf && !object.hasExt && object.programs.length > 0) {
    yield warning(
      "",
      "the object has .BTF and no .BTF.ext: its CO-RE relocations are lost; compile with -g, and do not strip .BTF.ext",
    );
  }
  const hasCandidates = object.programs.some(
    ({ convention = "" }) => DIRECT.test(convention) || BY_HELPER.test(convention),
  );
  if (!hasCandidates) return;
  for (const [program, { in: where, insn, bytes, isCall }] of flow().fixedAccesses) {
    const { convention = "" } = program;
    const counts = DIRECT.test(convention) || (isCall && BY_HELPER.test(convention));
    if (!counts) continue;
    const how = isCall ? "a helper reads" : "it reads";
    const reason = `${how} a kernel type at the fixed offset ${bytes}, which differs between kernels: give the type preserve_access_index, or use BPF_CORE_READ`;
    yield warning(where.name, reason, insn);
  }
}
