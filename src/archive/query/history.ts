/** Where members are over the kernels of an archive. */

import { fieldOf } from "../../btf/query/field.js";
import { resolve } from "../../btf/query/resolve.js";
import { isComposite } from "../../btf/traverse.js";
import type { BtfType } from "../../btf/types.js";
import { history, type MemberHistory, parseMember } from "../../inspect/history/history.js";
import { attempt, leavesOf } from "../../inspect/leaves.js";
import type { ArchivedKernel } from "../root.js";
import { latin1 } from "./diff.js";
import { Situations, type VariantsByName } from "./situations.js";

/** Rounds in which further types are read for one member: a path leads through few. */
const ROUNDS = 32;

/**
 * Returns the histories that `history` of btfkit/inspect makes of the kernels themselves.
 *
 * @param kernels all of the archive
 * @param chosen indexes of those that count, in their order
 */
export async function archivedHistory(
  members: readonly string[],
  kernels: readonly ArchivedKernel[],
  chosen: readonly number[],
  variants: VariantsByName,
): Promise<MemberHistory[]> {
  const histories: MemberHistory[] = [];
  for (const member of members) {
    const { type: name, path } = parseMember(member);
    const situations = new Situations(variants);
    try {
      await situations.take(latin1(name));
      /** One kernel of each situation. */
      const distinct = (): number[] => [...new Map(chosen.map((kernel) => [situations.of(kernel), kernel])).values()];
      const look = (): MemberHistory => {
        const opened = new Map(distinct().map((kernel) => [situations.of(kernel), [situations.open(kernel)]]));
        const list = chosen.map((kernel) => ({ name: kernels[kernel]!.id, btfs: opened.get(situations.of(kernel))! }));
        return history([member], list)[0]!;
      };
      // First what the path leads through, then what a member that is gone may have moved into.
      await settle(situations, () =>
        distinct().flatMap((kernel) => alongPath(situations.open(kernel).findAll(name), path)),
      );
      let found = look();
      const last = found.until === undefined ? -1 : chosen.findIndex((kernel) => kernels[kernel]!.id === found.until);
      if (last >= 0) {
        const [before, after] = [chosen[last]!, chosen[last + 1]!];
        await settle(situations, () => newcomers(situations, name, before, after));
        found = look();
      }
      histories.push(found);
    } finally {
      situations[Symbol.dispose]();
    }
  }
  return histories;
}

/** Takes names in until no new one is asked for. */
async function settle(situations: Situations, wanted: () => readonly string[]): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    let isNew = false;
    for (const name of new Set(wanted())) isNew = (await situations.take(latin1(name))) || isNew;
    if (!isNew) return;
  }
}

/** Names of the types that a path leads through, as far as they are known. */
function alongPath(types: readonly BtfType[], path: string): string[] {
  const names: string[] = [];
  const parts = path.split(/(?=\.|->|\[)/);
  for (const type of types) {
    names.push(...namesOf(type));
    for (let i = 1; i < parts.length; i++) {
      const field = attempt(() => fieldOf(type.btf, type, parts.slice(0, i).join("")));
      if (!field) break;
      names.push(...namesOf(field.type));
    }
  }
  return names;
}

/** Names of the types that new members have. */
function newcomers(situations: Situations, name: string, before: number, after: number): string[] {
  const leaves = (kernel: number) =>
    situations
      .open(kernel)
      .findAll(name)
      .flatMap((type) => {
        const resolved = attempt(() => resolve(type));
        return resolved && isComposite(resolved) ? leavesOf(resolved) : [];
      });
  const known = new Set(leaves(before).map((leaf) => leaf.name));
  return leaves(after)
    .filter((leaf) => leaf.name && !known.has(leaf.name))
    .flatMap(({ member }) => namesOf(member.type));
}

/** Steps from a type to what it is a type of. */
const STEPS = 32;

/** Names from a type on, through modifiers, arrays and pointers, to what has members. */
function namesOf(type: BtfType): string[] {
  const names: string[] = [];
  let at: BtfType | undefined = type;
  for (let step = 0; at && step < STEPS; step++) {
    if (at.kind === "typedef" || at.kind === "struct" || at.kind === "union" || at.kind === "fwd") {
      if (at.name) names.push(at.name);
    }
    switch (at.kind) {
      case "typedef":
      case "const":
      case "volatile":
      case "restrict":
      case "type_tag":
      case "ptr":
        at = at.target;
        break;
      case "array":
        at = at.element;
        break;
      default:
        at = undefined;
    }
  }
  return names;
}
