/** Looks for a missing member: moved into another one, renamed, or spelled alike. */
import { nearest } from "../../../btf/query/nearest.js";
import { isComposite } from "../../../btf/traverse.js";
import type { BtfType, StructType, UnionType } from "../../../btf/types.js";
import type { Accessor } from "../spec.js";
import { skipModifiers } from "../types.js";
import { shape } from "./shape.js";

/** Named members inside one another that are searched for a field that has moved. */
const MOVED_DEPTH = 3;

/** Returns the reason for a missing member, and where it may be. */
export function whyNoMember(path: string, accessor: Accessor, container: StructType | UnionType): string {
  const name = accessor.name!;
  const missing = `${path} has no member ${name} in the target`;
  const moved = movedTo(container, name);
  if (moved) return `${missing}; moved to ${moved}?`;
  const renamed = renamedTo(accessor, container);
  if (renamed) return `${missing}; renamed to ${renamed}, which has the same type and offset?`;
  const near = nearest(
    name,
    container.members.map((member) => member.name),
  );
  return near.length > 0 ? `${missing}; similar names: ${near.join(", ")}` : missing;
}

/** Returns the path to a member of the name inside the container, from the nearest level. */
function movedTo(container: StructType | UnionType, name: string): string | undefined {
  let level: readonly { readonly path: string; readonly type: StructType | UnionType }[] = [
    { path: "", type: container },
  ];
  const seen = new Set<BtfType>();
  for (let depth = 0; depth < MOVED_DEPTH; depth++) {
    const next: { path: string; type: StructType | UnionType }[] = [];
    for (const { path, type } of level) {
      for (const member of type.members) {
        const inner = skipModifiers(member.type);
        if (!isComposite(inner) || seen.has(inner)) continue;
        seen.add(inner);
        const inside = member.name ? `${path}${member.name}.` : path;
        if (inside !== "" && inner.members.some((candidate) => candidate.name === name)) return `${inside}${name}`;
        next.push({ path: inside, type: inner });
      }
    }
    level = next;
  }
  return undefined;
}

/** Returns a member that the program's struct does not have, at the place and of the type of the missing one. */
function renamedTo({ type, index }: Accessor, container: StructType | UnionType): string | undefined {
  const composite = type as StructType | UnionType;
  const ours = composite.members[index]!;
  const known = new Set(composite.members.map(({ name }) => name));
  return container.members.find(
    (other) =>
      other.name &&
      other.bitOffset === ours.bitOffset &&
      !known.has(other.name) &&
      shape(other.type) === shape(ours.type),
  )?.name;
}
