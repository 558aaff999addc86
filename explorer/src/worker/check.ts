/** One BPF object on one kernel: whether it loads, and why not. */
import { type Cell, cellOf, check } from "btfkit/bpf";
import type { CheckCell, CheckFinding } from "../protocol.js";
import { kernelOf } from "./kernels.js";
import { objectOf } from "./objects.js";

export function checkCell({ object, kernel }: { object: number; kernel: number }): CheckCell {
  const { btfs, origin } = kernelOf(kernel);
  const [vmlinux, ...modules] = btfs;
  const { info, object: file } = objectOf(object);
  const cell = cellOf(info.name, origin.name, check(file, { vmlinux: vmlinux!, modules }));
  const counts: Record<string, number> = {};
  for (const { verdict } of cell.relocations) counts[verdict] = (counts[verdict] ?? 0) + 1;
  return { object, kernel, verdict: cell.verdict, counts, findings: findingsOf(cell) };
}

/** What is worth a look, the worst first. */
function findingsOf({ relocations, attachments, findings }: Cell): CheckFinding[] {
  const order = ["breaks", "absent", "differs", "warning", "guarded", "changed"];
  const all: CheckFinding[] = [
    ...findings.map(({ severity, subject, reason }) => ({
      verdict: severity,
      where: subject || "object",
      what: reason,
      line: undefined,
    })),
    ...attachments
      .filter(({ status }) => status === "absent" || status === "differs")
      .map(({ name, kind, target, status, reason, isRequired }) => ({
        verdict: isRequired ? "breaks" : status,
        where: name,
        what: reason ?? `${kind} ${target ?? ""} is ${status} in this kernel`,
        line: undefined,
      })),
    ...relocations
      .filter(({ verdict }) => verdict !== "ok")
      .map(({ verdict, program, section, reason, localSpec, line }) => ({
        verdict,
        where: program ?? section,
        what: reason ?? localSpec ?? "",
        line: line ? `${line.file.replace(/^.*\//, "")}:${line.line}: ${line.text.trim()}` : undefined,
      })),
  ];
  return all.sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
}
