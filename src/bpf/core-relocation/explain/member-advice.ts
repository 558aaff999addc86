/** Looks for a missing member: moved into another one, renamed, or spelled alike. */
import { nearest } from "../../../btf/query/nearest.js";
import { isComposite } from "../../../btf/traverse.js";
import type { BtfType, Member, StructType, UnionType } from "../../../btf/types.js";
import type { Accessor } from "../spec.js";
import { skipModifiers } from "../types.js";
import { shape } from "./shape.js";

/** Named members inside one another that are searched for a field that has moved. */
const MOVED_DEPTH = 3;

/** Returns the reason for a missing member, and where it may be: in the same struct by another name, or in a nested one. */
export function whyNoMember(path: string, accessor: Accessor, container: StructType | UnionType): string {
  const name = accessor.name!;
  const missing = `${path} has no member ${name} in the target`;
  const renamed = renamedTo(accessor, container);
  if (renamed) return `${missing}; renamed to ${renamed.name}${renamed.why}?`;
  const moved = movedTo(container, name);
  if (moved) return `${missing}; moved to ${moved}?`;
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

/** A member of the target that may be the missing one. */
interface Renamed {
  readonly name: string;
  /** The evidence, in words. */
  readonly why: string;
}

/**
 * Returns the member that the missing one was most likely renamed to: its name
 * with something before or behind it, or the member in its place. Members that
 * the program's struct has too are other members.
 */
function renamedTo({ type, index }: Accessor, container: StructType | UnionType): Renamed | undefined {
  const local = (type as StructType | UnionType).members;
  const ours = local[index]!;
  const known = new Set(local.map(({ name }) => name));
  const theirs = membersOf(container).filter(({ name }) => name !== "" && !known.has(name));
  const wanted = shape(ours.type);
  let best: (Renamed & { readonly score: number }) | undefined;
  for (const other of theirs) {
    const isAlike = shape(other.type) === wanted;
    const affix = affixScore(ours.name, other.name);
    const isSamePlace = isAlike && other.bitOffset === ours.bitOffset;
    const isBetween = isAlike && !isSamePlace && standsBetween(other.name, ours.name, local, container);
    // A common part of the name alone says little where types differ as well.
    const score = affix + (isAlike ? 1 : 0) + (isSamePlace ? 4 : 0) + (isBetween ? 2 : 0);
    if (score < 3 || score <= (best?.score ?? 0)) continue;
    const why = isSamePlace
      ? ", which has the same type and offset"
      : isBetween
        ? ", which has the same type and neighbours"
        : isAlike
          ? ", which has the same type"
          : "";
    best = { name: other.name, why, score };
  }
  return best;
}

/** Members, those of anonymous members included. */
function membersOf(container: StructType | UnionType, depth = MOVED_DEPTH): Member[] {
  return container.members.flatMap((member) => {
    const inner = member.name === "" && depth > 0 ? skipModifiers(member.type) : undefined;
    if (!inner || !isComposite(inner)) return [member];
    return membersOf(inner, depth - 1).map(({ name, typeId, type, bitOffset, bitfieldSize }) => {
      return { name, typeId, type, bitOffset: bitOffset + member.bitOffset, bitfieldSize };
    });
  });
}

/** How much a name looks like another with something added: `__state` and `state`, `i_atime_sec` and `i_atime`. */
function affixScore(name: string, other: string): number {
  const [short, long] = name.length < other.length ? [name, other] : [other, name];
  if (short.length < 2) return 0;
  if (long.replace(/^_+|_+$/g, "") === short.replace(/^_+|_+$/g, "")) return 4;
  if (long.startsWith(`${short}_`)) return 3;
  if (long.endsWith(`_${short}`)) return 2;
  return 0;
}

/** Tells whether a member stands beside the neighbours that the missing one has in the program. */
function standsBetween(
  other: string,
  missing: string,
  local: readonly Member[],
  container: StructType | UnionType,
): boolean {
  const theirs = container.members.map(({ name }) => name);
  const at = theirs.indexOf(other);
  const place = local.findIndex(({ name }) => name === missing);
  const [before, after] = [local[place - 1]?.name, local[place + 1]?.name];
  return (
    at >= 0 &&
    ((before !== undefined && theirs[at - 1] === before) || (after !== undefined && theirs[at + 1] === after))
  );
}
