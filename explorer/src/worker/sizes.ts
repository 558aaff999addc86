/** What makes up a BTF: the bytes of its records and names, by kind, by subsystem or by file. */
import type { Btf, Kind } from "btfkit";
import { tally } from "btfkit";
import type { SizeNode } from "../protocol.js";
import { kernelOf } from "./kernels.js";

/** Children of a node that are shown by themselves; the rest are one node. */
const CHILDREN = 300;

interface Mutable {
  bytes: number;
  types: number;
  readonly children: Map<string, Mutable>;
}

const empty = (): Mutable => ({ bytes: 0, types: 0, children: new Map() });

export function sizes({ kernel, by }: { kernel: number; by: "kind" | "subsystem" | "file" }): SizeNode {
  const opened = kernelOf(kernel);
  const root = empty();
  for (const { name, btf } of opened.images) {
    const perRecord = averages(btf);
    for (const kind of perRecord.keys()) {
      for (const id of btf.idsOfKind(kind, { own: true })) {
        const typeName = btf.nameAt(id);
        const subsystem = subsystemOf(typeName);
        const path = by === "kind" ? [kind, subsystem] : by === "subsystem" ? [subsystem, kind] : [name, kind];
        add(root, path, recordBytes(btf, id, kind, perRecord) + (typeName ? typeName.length + 1 : 0));
      }
    }
  }
  return nodeOf(opened.origin.name, root);
}

function add(root: Mutable, path: readonly string[], bytes: number): void {
  let node = root;
  node.bytes += bytes;
  node.types++;
  for (const name of path) {
    const child = node.children.get(name) ?? empty();
    node.children.set(name, child);
    child.bytes += bytes;
    child.types++;
    node = child;
  }
}

/** Kinds whose records are all of one length, and the mean length of the others. */
function averages(btf: Btf): Map<Kind, number> {
  return new Map(tally(btf).map(({ kind, count, bytes }) => [kind, bytes / count]));
}

/** Only types that list something are looked at: a view of each of the others would take memory. */
function recordBytes(btf: Btf, id: number, kind: Kind, averages: ReadonlyMap<Kind, number>): number {
  switch (kind) {
    case "struct":
    case "union":
    case "enum64":
    case "datasec":
      return 12 + btf.get(id)!.vlen * 12;
    case "enum":
    case "func_proto":
      return 12 + btf.get(id)!.vlen * 8;
    default:
      return averages.get(kind) ?? 12;
  }
}

/** The first word of a name: `tcp` of `tcp_sock`. */
function subsystemOf(name: string): string {
  if (!name) return "(anonymous)";
  const [word = ""] = /^_*[A-Za-z]+\d*/.exec(name) ?? [];
  return word.replace(/^_+/, "").toLowerCase() || "(other)";
}

function nodeOf(name: string, { bytes, types, children }: Mutable): SizeNode {
  const sorted = [...children].sort(([, a], [, b]) => b.bytes - a.bytes);
  const shown = sorted.slice(0, CHILDREN).map(([child, node]) => nodeOf(child, node));
  const rest = sorted.slice(CHILDREN).map(([, node]) => node);
  if (rest.length > 0) {
    const sum = (of: (node: Mutable) => number): number => rest.reduce((total, node) => total + of(node), 0);
    shown.push({ name: `${rest.length} others`, bytes: sum((node) => node.bytes), types: sum((node) => node.types) });
  }
  return { name, bytes: Math.round(bytes), types, ...(shown.length > 0 && { children: shown }) };
}
