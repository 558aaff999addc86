/** Searches a struct or union for a member by name, through its anonymous members. */

import { isComposite } from "../../btf/traverse.js";
import type { BtfType, Member, StructType, UnionType } from "../../btf/types.js";
import type { Budget } from "./budget.js";
import { memberAt, memberName, skipModifiers } from "./types.js";

/** A member that has the name. */
export interface FoundMember {
  /** The struct or union that has it: the searched one, or an anonymous one inside. */
  readonly container: StructType | UnionType;
  readonly index: number;
  readonly member: Member;
  /** Indices from the searched type to the member. */
  readonly path: readonly number[];
  /** From the start of the searched type, in bits. */
  readonly bitOffset: number;
}

/** A struct or union to search, and where it lies in the one that the search started from. */
export interface SearchedType {
  readonly type: BtfType;
  readonly path: readonly number[];
  readonly bitOffset: number;
}

/**
 * Yields the members of a name, depth first: an anonymous member is searched
 * before the members behind it. In each struct the first member of the name
 * ends the search of that struct; the caller ends it as a whole.
 *
 * @param enter called with the depth of each struct or union; throws where the search is to stop
 */
export function* membersInDepth(
  { type, path, bitOffset }: SearchedType,
  name: string,
  budget: Budget,
  enter: (depth: number) => void,
): Generator<FoundMember, undefined> {
  const container = skipModifiers(type);
  if (!isComposite(container) || container.vlen === 0) return;
  enter(path.length);
  const { named, anonymous } = membersByName(container);
  const first = named.get(name) ?? container.vlen;
  for (const index of anonymous) {
    if (index > first) break;
    budget.spend(1);
    const inner = inside({ type: container, path, bitOffset }, memberAt(container, index)!, index);
    yield* membersInDepth(inner, name, budget, enter);
  }
  budget.spend(1);
  const member = memberAt(container, first);
  if (member) yield { container, index: first, member, ...inside({ type: container, path, bitOffset }, member, first) };
}

/**
 * Returns the first member of a name, breadth first: all members of one level
 * are looked at before those inside anonymous ones.
 *
 * @param limit of structs and unions that are searched
 * @param refuse called where more would have to be searched, or an anonymous member is neither struct nor union
 */
export function memberInBreadth(
  root: StructType | UnionType,
  name: string,
  budget: Budget,
  limit: number,
  refuse: (type: BtfType, why: "limit" | "kind") => never,
): FoundMember | undefined {
  const queue: SearchedType[] = [{ type: root, path: [], bitOffset: 0 }];
  let visits = 0;
  for (const searched of queue) {
    if (visits++ >= limit) refuse(root, "limit");
    const container = searched.type as StructType | UnionType;
    const { named, anonymous } = membersByName(container);
    const first = named.get(name) ?? container.vlen;
    for (const index of anonymous) {
      if (index > first) break;
      budget.spend(1);
      const inner = inside(searched, memberAt(container, index)!, index);
      const type = skipModifiers(inner.type);
      if (!isComposite(type)) refuse(type, "kind");
      else if (queue.length <= limit) queue.push({ ...inner, type });
    }
    budget.spend(1);
    const member = memberAt(container, first);
    if (member) return { container, index: first, member, ...inside(searched, member, first) };
  }
  return undefined;
}

function inside({ path, bitOffset }: SearchedType, member: Member, index: number): SearchedType {
  return { type: member.type, path: [...path, index], bitOffset: (bitOffset + member.bitOffset) >>> 0 };
}

/** Indices of the members of a struct or union. */
interface MemberIndex {
  /** The first of each name. */
  readonly named: ReadonlyMap<string, number>;
  /** Members without a name, ascending. */
  readonly anonymous: readonly number[];
}

const indices = /* @__PURE__ */ new WeakMap<BtfType, MemberIndex>();

/** The index of a type's members, kept: objects ask for fields of the same few types, which have hundreds. */
function membersByName(type: StructType | UnionType): MemberIndex {
  const known = indices.get(type);
  if (known) return known;
  const named = new Map<string, number>();
  const anonymous: number[] = [];
  for (let i = 0; i < type.vlen; i++) {
    const name = memberName(type, i);
    if (name === "") anonymous.push(i);
    else if (!named.has(name)) named.set(name, i);
  }
  const found = { named, anonymous };
  indices.set(type, found);
  return found;
}
