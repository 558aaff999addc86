/** Finds calls of kernel functions that a target lacks. */
import type { ControlFlow } from "../control-flow/control-flow.js";
import type { ObjectFinding } from "./finding.js";

const EINVAL = 22;

/** Yields the reachable calls of weak kernel functions that are absent. */
export function* absentCalls({ absentCalls: calls }: ControlFlow): Generator<ObjectFinding> {
  for (const [name, { program, insn }] of calls) {
    yield {
      rule: "kfunc-call",
      severity: "breaks",
      subject: program.name,
      errno: EINVAL,
      insn,
      reason: `kernel function ${name} is called and is not in the target: call it only where bpf_ksym_exists(${name}) is true`,
    };
  }
}
