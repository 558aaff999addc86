/** What changed from one kernel to another, definition by definition. */

import type { Btf } from "../../btf/btf.js";
import type { BtfType } from "../../btf/types.js";
import { ERR_ARGUMENT } from "../../errors/btf.js";
import { BtfError } from "../../errors/error.js";
import { relations } from "../relations/relations.js";
import { Workspace } from "../workspace.js";
import { Names } from "./names.js";
import { compareParts } from "./parts.js";
import { type Recorded, recordsOf } from "./records.js";
import { guessRenames, type Lone } from "./renames.js";
import { type DifferingRow, NEW, OLD, type Place, Table } from "./sides.js";
import {
  type ChangedDefinition,
  DEFINITION_KINDS,
  type Definition,
  type DefinitionKind,
  type Difference,
  type Impact,
  type LoneDefinition,
  type Side,
} from "./types.js";

/** What is compared, and how much is said about it. */
export interface DiffOptions {
  /** Only definitions of these kinds (default: all). */
  readonly kinds?: readonly DefinitionKind[];
  /** Only definitions for which it returns true; it is asked once for each name that differs. */
  readonly filter?: (definition: Definition) => boolean;
  /** Leaves a member, enumerator or parameter out of what changed; a definition of which nothing remains is left out. */
  readonly ignore?: (definition: Definition, part: string) => boolean;
  /** Says who holds what has changed (default false). */
  readonly impact?: boolean;
  /** Stops between two definitions. */
  readonly signal?: AbortSignal;
}

/** A kernel, or a kernel with the Btfs of its modules. */
export type ComparedKernel = Btf | readonly Btf[];

function listOf(kernel: ComparedKernel): readonly Btf[] {
  const list = Array.isArray(kernel) ? (kernel as readonly Btf[]) : [kernel as Btf];
  if (list.length === 0) throw new BtfError(ERR_ARGUMENT, { note: "a comparison needs a Btf on each side" });
  return [...new Set(list)];
}

/**
 * Returns what is different in `now`: definitions by kind and name whose shallow identity is another one (see
 * `identities`), so that a change is listed where it was made. Where a name has several definitions, as among modules,
 * the sets are compared.
 *
 * @throws BtfLimitError ERR_BTF_DEPTH for types that lead through 512 others without a name; BtfError ERR_ARGUMENT for an
 *   empty list; the reason of `signal`
 * @example
 * const { added, changed } = diff(btf, [btf, module]);
 * console.log(added.length, added[0]?.name, changed.length); // 1 module_state 0
 */
export function diff(old: ComparedKernel, now: ComparedKernel, options: DiffOptions = {}): Difference {
  const workspace = new Workspace();
  try {
    return compared([listOf(old), listOf(now)], options, workspace);
  } finally {
    workspace.release();
  }
}

function compared(
  sides: readonly [old: readonly Btf[], now: readonly Btf[]],
  options: DiffOptions,
  workspace: Workspace,
): Difference {
  const table = new Table(sides, workspace);
  const names = new Names();
  const wanted = new Set<DefinitionKind>(options.kinds ?? DEFINITION_KINDS);
  const rows: DifferingRow[] = [];
  for (const row of table.differing()) {
    const { kind, name } = row;
    if (wanted.has(kind) && (!options.filter || options.filter({ kind, name }))) rows.push(row);
  }
  const added: LoneDefinition[] = [];
  const removed: LoneDefinition[] = [];
  const changed: ChangedDefinition[] = [];
  const lone: { added: Lone[]; removed: Lone[] } = { added: [], removed: [] };
  const recorded = ({ btf, id }: Place): Recorded => ({ records: recordsOf(btf, names), id });
  for (const row of rows) {
    options.signal?.throwIfAborted();
    const { kind, name, old, now } = row;
    const definition: LoneDefinition = { kind, name };
    if (!old) {
      added.push(options.impact ? { ...definition, ...impactOf(options, sides[1], definition) } : definition);
      if (hasParts(definition)) lone.added.push({ kind, name, ...recorded(now!) });
    } else if (!now) {
      removed.push(options.impact ? { ...definition, ...impactOf(options, sides[0], definition) } : definition);
      if (hasParts(definition)) lone.removed.push({ kind, name, ...recorded(old) });
    } else {
      const change = changeOf(table, row, [recorded(old), recorded(now)], names, options);
      if (change) changed.push({ kind, name, ...change, ...impactOf(options, sides[1], definition) });
    }
  }
  const side = (definitions: Record<DefinitionKind, number>): Side => ({ definitions });
  return {
    old: side(table.counts[OLD]),
    new: side(table.counts[NEW]),
    added,
    removed,
    changed,
    renamed: guessRenames(lone.removed, lone.added),
  };
}

/** Whether a definition lists parts by which it is known again under another name. */
function hasParts({ kind }: Definition): boolean {
  return kind === "struct" || kind === "union" || kind === "enum";
}

/** How the definitions of a name changed, `undefined` if all of that is ignored. */
function changeOf(
  table: Table,
  row: DifferingRow,
  last: readonly [old: Recorded, now: Recorded],
  names: Names,
  { ignore }: DiffOptions,
): Omit<ChangedDefinition, "kind" | "name"> | undefined {
  const { kind, name, oldCount, newCount } = row;
  const isSingle = oldCount === 1 && newCount === 1;
  if (isSingle && !ignore) return compareParts(kind, ...last, names);
  const several = isSingle ? {} : { definitions: { old: oldCount, new: newCount } };
  const pair = isSingle ? last : closest(table, row, names);
  if (!pair) return several;
  const parts = compareParts(kind, ...pair, names);
  if (!ignore) return { ...several, ...parts };
  const kept = <T extends { readonly name: string }>(list: readonly T[] | undefined): readonly T[] | undefined =>
    list?.filter((part) => !ignore({ kind, name }, part.name));
  const [members, enumerators, parameters] = [kept(parts.members), kept(parts.enumerators), kept(parts.parameters)];
  const had = (parts.members ?? parts.enumerators ?? parts.parameters ?? []).length > 0;
  const remains = (members ?? enumerators ?? parameters ?? []).length > 0;
  if (had && !remains && !parts.type && isSingle) return undefined;
  return {
    ...several,
    ...parts,
    ...(members && { members }),
    ...(enumerators && { enumerators }),
    ...(parameters && { parameters }),
  };
}

/** Definitions of one name that are put side by side, at most. */
const CANDIDATES = 16;

/**
 * Of the definitions that one side alone has, the pair with most names of members in common: those are the same thing.
 * `undefined` where one side has no such definition.
 */
function closest(table: Table, row: DifferingRow, names: Names): readonly [Recorded, Recorded] | undefined {
  const [gone, fresh] = [OLD, NEW].map((side) =>
    table.places(row, side).map(({ btf, id }): Recorded => ({ records: recordsOf(btf, names), id })),
  ) as [Recorded[], Recorded[]];
  if (gone.length === 0 || fresh.length === 0) return undefined;
  let best: readonly [Recorded, Recorded] = [gone[0]!, fresh[0]!];
  if (gone.length * fresh.length === 1 || (row.kind !== "struct" && row.kind !== "union")) return best;
  let most = -1;
  const members = fresh.slice(0, CANDIDATES).map(({ records, id }) => records.partNames(id));
  for (const old of gone.slice(0, CANDIDATES)) {
    const known = new Set(old.records.partNames(old.id));
    members.forEach((list, i) => {
      const shared = list.filter((name) => known.has(name)).length;
      if (shared <= most) return;
      most = shared;
      best = [old, fresh[i]!];
    });
  }
  return best;
}

/** Names that a list of those who hold something has at most. */
const LISTED = 1000;

function impactOf(
  { impact = false }: DiffOptions,
  btfs: readonly Btf[],
  { kind, name }: Definition,
): { impact?: Impact } {
  if (!impact || kind === "func" || kind === "var") return {};
  const index = relationsOf(btfs);
  const keyword = kind === "struct" || kind === "union" || kind === "enum" ? `${kind} ${name}` : name;
  const nameOf = ({ type }: { readonly type: BtfType }): string =>
    type.kind === "typedef" ? type.name : `${type.kind} ${type.name}`;
  const distinct = (names: readonly string[]): string[] => [...new Set(names)].slice(0, LISTED);
  const functions = (["takes", "returns"] as const).flatMap((relation) => index.functions(relation, keyword));
  return {
    impact: {
      embeddedIn: distinct(index.holders("embeds-deep", keyword).map(nameOf)),
      pointers: index.holders("points-to", keyword).length,
      functions: new Set(functions).size,
    },
  };
}

const indexes = new WeakMap<readonly Btf[], ReturnType<typeof relations>>();

function relationsOf(btfs: readonly Btf[]): ReturnType<typeof relations> {
  const index = indexes.get(btfs) ?? relations(btfs);
  indexes.set(btfs, index);
  return index;
}
