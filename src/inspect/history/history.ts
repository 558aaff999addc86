/** Where members are, kernel by kernel. */

import type { Btf } from "../../btf/btf.js";
import { type Field, fieldOf } from "../../btf/query/field.js";
import { resolve } from "../../btf/query/resolve.js";
import { isComposite } from "../../btf/traverse.js";
import type { BtfType } from "../../btf/types.js";
import { ERR_PATH } from "../../errors/btf.js";
import { BtfLookupError } from "../../errors/error.js";
import { likeness } from "../diff/alike.js";
import { compareMembers } from "../diff/members.js";
import { Names } from "../diff/names.js";
import { recordsOf } from "../diff/records.js";
import { typeText } from "../diff/type-text.js";
import { attempt, leavesOf } from "../leaves.js";

/** A kernel of a history. */
export interface KernelOfHistory {
  /** As it is called in the result, such as `6.1.0-47`. */
  readonly name: string;
  /** Its Btf, and those of its modules if they count too: the first that has the type is asked. */
  readonly btfs: readonly Btf[];
}

/** A member in one kernel. */
export interface MemberState {
  readonly kernel: string;
  /** `no-type`: the kernel does not have the struct. `no-member`: the struct does not have the member. */
  readonly state: "present" | "no-member" | "no-type";
  /** From the start of the struct, or of what the last pointer of the path leads to; in bits. */
  readonly bitOffset?: number;
  /** In bits. */
  readonly bitSize?: number;
  /** Width of a bitfield in bits, 0 for an ordinary member. */
  readonly bitfieldSize?: number;
  /** As C writes it. */
  readonly type?: string;
}

/** A member over kernels. */
export interface MemberHistory {
  /** As it was asked for: `task_struct.pid`. */
  readonly member: string;
  /** A state for each kernel, in their order. */
  readonly states: readonly MemberState[];
  /** The first kernel that has it, unless that is the first of all. */
  readonly since?: string;
  /** The last kernel that has it, unless that is the last of all. */
  readonly until?: string;
  /** Where it may have gone after `until`, as a path in the same struct, with how sure that is, from 0 to 1. */
  readonly movedTo?: { readonly path: string; readonly confidence: number };
}

/**
 * Returns where members are over a list of kernels, in the order of the list.
 *
 * @param members such as `task_struct.pid`, `sock.sk_lock.slock` or `struct page.lru`
 * @throws BtfLookupError ERR_PATH for a text that is no TYPE.MEMBER
 * @example
 * const kernels = ["6.1.0-49", "6.1.0-50"].map((name) => ({ name, btfs: [btf] }));
 * const [pid] = history(["task_struct.pid"], kernels);
 * console.log(pid?.states.map(({ bitOffset = 0 }) => bitOffset / 8), pid?.since); // [ 2416, 2416 ] undefined
 */
export function history(members: readonly string[], kernels: readonly KernelOfHistory[]): MemberHistory[] {
  return members.map((member) => historyOf(member, kernels));
}

interface Asked {
  readonly kind: string | undefined;
  readonly type: string;
  readonly path: string;
}

/** Reads `task_struct.pid`. @throws BtfLookupError ERR_PATH */
export function parseMember(member: string): Asked {
  const [, kind, type, path] = /^(?:(struct|union|typedef)[\s:]+)?([^\s.]+)(?:\.|->)(\S+)$/.exec(member.trim()) ?? [];
  if (type !== undefined && path !== undefined) return { kind, type, path };
  throw new BtfLookupError(ERR_PATH, { name: member, note: "it is no TYPE.MEMBER" });
}

interface Found {
  readonly state: MemberState;
  readonly type: BtfType | undefined;
}

function historyOf(member: string, kernels: readonly KernelOfHistory[]): MemberHistory {
  const asked = parseMember(member);
  // Kernels that are alike may share their list.
  const known = new Map<readonly Btf[], Found>();
  const found = kernels.map(({ name, btfs }) => {
    const one = known.get(btfs) ?? find(asked, { name, btfs });
    known.set(btfs, one);
    return { ...one, state: { ...one.state, kernel: name } };
  });
  const present = found.flatMap(({ state }, i) => (state.state === "present" ? [i] : []));
  const [first, last] = [present[0], present.at(-1)];
  const next = last === undefined ? undefined : found[last + 1];
  const movedTo = next?.type && found[last!]!.type && successor(asked, found[last!]!.type!, next.type);
  return {
    member,
    states: found.map(({ state }) => state),
    ...(first !== undefined && first > 0 && { since: kernels[first]!.name }),
    ...(next && { until: kernels[last!]!.name }),
    ...(movedTo && { movedTo }),
  };
}

function find({ kind, type: name, path }: Asked, { name: kernel, btfs }: KernelOfHistory): Found {
  const types = btfs.flatMap((btf) => btf.findAll(name)).filter((one) => isMeant(one, kind));
  for (const type of types) {
    const field = attempt((): Field => fieldOf(type.btf, type, path));
    if (!field) continue;
    const { bitOffset, bitSize, bitfieldSize } = field;
    const place = { bitOffset, ...(bitSize !== undefined && { bitSize }), bitfieldSize, type: typeText(field.type) };
    return { state: { kernel, state: "present", ...place }, type };
  }
  return { state: { kernel, state: types.length > 0 ? "no-member" : "no-type" }, type: types[0] };
}

function isMeant(type: BtfType, kind: string | undefined): boolean {
  if (kind !== undefined && type.kind !== kind) return false;
  const resolved = attempt(() => resolve(type));
  return (
    (type.kind === "struct" || type.kind === "union" || type.kind === "typedef") && !!resolved && isComposite(resolved)
  );
}

/** A member that is found by its old name inside of another one is this sure to be it. */
const NESTED = 0.8;
/** A new member of so like a name, and of another type in another place, is that sure to be what became of it: `i_atime_sec`. */
const ALIKE = 0.75;
const SPLIT = 0.6;

/** Where a member went: another name in the same struct, or into a member of it. */
function successor({ path }: Asked, old: BtfType, now: BtfType): { path: string; confidence: number } | undefined {
  const [before, after] = [attempt(() => resolve(old)), attempt(() => resolve(now))];
  if (!before || !after || !isComposite(before) || !isComposite(after)) return undefined;
  const [, head = path, rest = ""] = /^([^.[-]+)(.*)$/s.exec(path) ?? [];
  const names = new Names();
  const [was, is] = [before, after].map(({ btf, id }) => ({ records: recordsOf(btf, names), id }));
  const renamed = compareMembers(names, was!, is!).find(
    (one) => one.changes.includes("renamed") && one.old?.name === head,
  );
  if (renamed) return { path: `${renamed.name}${rest}`, confidence: renamed.confidence ?? 0 };
  const known = new Set(leavesOf(before).map(({ name }) => name));
  const fresh = leavesOf(after).filter(({ name }) => name && !known.has(name));
  const alike = fresh.find(({ name }) => likeness(name, head) >= ALIKE);
  if (alike) return { path: alike.name, confidence: SPLIT };
  for (const leaf of fresh) {
    const inner = attempt(() => resolve(leaf.member.type));
    const pointee = inner?.kind === "ptr" ? attempt(() => resolve(inner.target)) : undefined;
    const holder = inner && isComposite(inner) ? inner : pointee && isComposite(pointee) ? pointee : undefined;
    if (!holder || holder === after) continue;
    if (leavesOf(holder).some(({ name }) => name === head)) {
      return { path: `${leaf.name}${holder === inner ? "." : "->"}${path}`, confidence: NESTED };
    }
  }
  return undefined;
}
