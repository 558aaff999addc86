/** Helpers that old kernels lack, replaced by those that they have. Source: libbpf's bpf_object__sanitize_prog. */
import { CALL, type Code, INSN_SIZE } from "../bpf/instruction.js";
import type { TargetKernel } from "./kernel.js";

/** By number: probe_read_user, probe_read_kernel, and both for strings; to probe_read and probe_read_str. */
const OLDER: ReadonlyMap<number, number> = /* @__PURE__ */ new Map([
  [112, 4],
  [113, 4],
  [114, 45],
  [115, 45],
]);

export function replaceProbeReads(code: Code, kernel: TargetKernel): void {
  if (kernel.has("probe_read_kern")) return;
  for (let at = 0; at < code.bytes.length; at += INSN_SIZE) {
    if (code.opcode(at) !== CALL || code.source(at) !== 0 || code.destination(at) !== 0) continue;
    const older = OLDER.get(code.immediate(at));
    if (older !== undefined) code.setImmediate(at, older);
  }
}
