/** Writes a matrix as SARIF 2.1.0: each fault once, at its line of the source. */
import { faultsOf, type Matrix, problemsOf } from "./report.js";

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

/** How `sarif` writes paths. */
export interface SarifOptions {
  /** The folder in which the sources were compiled, as an absolute path: theirs are written relative to it. */
  readonly sourceRoot?: string;
  /** The folder to which the paths of objects are relative, as an absolute path (default: `sourceRoot`). */
  readonly folder?: string;
}

/** The base of relative paths, as code scanning calls it. */
const BASE = "%SRCROOT%";

/**
 * Returns the log as plain data: its JSON is the file. A problem that an object
 * has on several targets is one result, which lists them.
 *
 * @example
 * const cell = cellOf("probe.bpf.o", "6.1", check(object, btf));
 * const log = sarif({ cells: [cell] }, "1.0.0");
 * console.log(Object.keys(log).join(" ")); // $schema version runs
 */
export function sarif({ cells }: Pick<Matrix, "cells">, version: string, options: SarifOptions = {}): object {
  const { sourceRoot, folder = sourceRoot } = options;
  const results = faultsOf(cells, problemsOf).map(({ object, targets, rule, severity, where, what, line }) => {
    const name = relative(object, folder);
    const file = line && line.line > 0 && line.file ? line : undefined;
    const region = file && { startLine: file.line, ...(file.column > 0 && { startColumn: file.column }) };
    return {
      ruleId: rule,
      level: severity === "breaks" ? "error" : "warning",
      message: { text: `${name} on ${targets.join(", ")}: ${where}: ${what}` },
      locations: [
        {
          physicalLocation: {
            artifactLocation: file ? location(relative(file.file, sourceRoot)) : location(name),
            ...(region && { region }),
          },
        },
      ],
      partialFingerprints: { fault: `${name}:${rule}:${where}` },
      properties: { object: name, targets },
    };
  });
  const rules = RULES.map(({ id, text }) => ({ id, shortDescription: { text } }));
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "btfkit", version, rules } },
        ...(folder !== undefined && { originalUriBaseIds: { [BASE]: { uri: `file://${encodeURI(folder)}/` } } }),
        results,
      },
    ],
  };
}

/** A path below a folder as one relative to it, without `.` and `..` where they lead nowhere. */
function relative(path: string, folder: string | undefined): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === ".." && parts.length > 0 && parts.at(-1) !== ".." && parts.at(-1) !== "") parts.pop();
    else if (part !== "." && (part !== "" || parts.length === 0)) parts.push(part);
  }
  const plain = parts.join("/");
  const start = folder === undefined ? undefined : `${folder.replace(/\/+$/, "")}/`;
  return start !== undefined && plain.startsWith(start) ? plain.slice(start.length) : plain;
}

function location(path: string): object {
  if (path.startsWith("/")) return { uri: `file://${encodeURI(path)}` };
  return { uri: encodeURI(path), uriBaseId: BASE };
}
