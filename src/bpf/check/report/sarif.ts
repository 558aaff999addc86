/** Writes a matrix as SARIF 2.1.0: each problem at its line of the source. */
import { type Matrix, type Problem, problemsOf } from "./report.js";

const RULES = [
  { id: "relocation", text: "A CO-RE relocation has no result on a target, and its instruction can be reached" },
  { id: "attach-target", text: "The target of a program is missing in a kernel, or differs" },
  { id: "object", text: "The object cannot be checked" },
  { id: "refused", text: "A loader refuses the object on any kernel, or on this one" },
  { id: "byte-order", text: "The object and the target have different byte orders" },
  { id: "kfunc-call", text: "A program calls a kernel function that a target lacks" },
  { id: "helper", text: "A program calls a helper that a target lacks" },
  { id: "map-type", text: "A target does not know the type of a map" },
  { id: "program-type", text: "A target does not know the type of a program" },
  { id: "attach-type", text: "A target does not know the attach type of a program" },
  { id: "map-definition", text: "Kernels refuse the definition of a map" },
  { id: "fixed-offset", text: "A program reads kernel types at offsets that CO-RE does not relocate" },
  { id: "symbol", text: "A kernel symbol is missing, or stands for several addresses" },
];

/**
 * Returns the log as plain data: its JSON is the file.
 *
 * @example
 * const cell = cellOf("probe.bpf.o", "6.1", check(object, btf));
 * const log = sarif({ objects: ["probe.bpf.o"], targets: ["6.1"], cells: [cell] }, "1.0.0");
 * console.log(Object.keys(log).join(" ")); // $schema version runs
 */
export function sarif({ cells }: Matrix, version: string): object {
  const results = cells.flatMap(({ object, target, ...cell }) =>
    problemsOf({ object, target, ...cell }).map((problem) => ({
      ruleId: problem.rule,
      level: problem.severity === "breaks" ? "error" : "warning",
      message: { text: `${object} on ${target}: ${problem.where}: ${problem.what}` },
      locations: [{ physicalLocation: location(object, problem) }],
      partialFingerprints: { cell: `${object}:${target}:${problem.where}` },
    })),
  );
  const rules = RULES.map(({ id, text }) => ({ id, shortDescription: { text } }));
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [{ tool: { driver: { name: "btfkit", version, rules } }, results }],
  };
}

function location(object: string, { line }: Problem): object {
  if (!line || line.line < 1 || !line.file) return { artifactLocation: { uri: encodeURI(object) } };
  const region = { startLine: line.line, ...(line.column > 0 && { startColumn: line.column }) };
  return { artifactLocation: { uri: encodeURI(line.file) }, region };
}
