/** What changed from one kernel to another, definition by definition. */

import type { Btf } from "../../btf/btf.js";
import { isComposite } from "../../btf/traverse.js";
import type { BtfType } from "../../btf/types.js";
import { ERR_ARGUMENT } from "../../errors/btf.js";
import { BtfError } from "../../errors/error.js";
import { relations } from "../relations/relations.js";
import { compareParts } from "./parts.js";
import { guessRenames } from "./renames.js";
import { NEW, OLD, type Place, Table } from "./sides.js";
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
  const sides = [listOf(old), listOf(now)] as const;
  const table = new Table(sides);
  const counts = [emptyCounts(), emptyCounts()] as const;
  const wanted = new Set<DefinitionKind>(options.kinds ?? DEFINITION_KINDS);
  const rows: { row: number; kind: DefinitionKind; name: string }[] = [];
  for (let row = 0; row < table.rowCount; row++) {
    const kind = table.kind(row);
    if (table.has(row, OLD)) counts[0][kind]++;
    if (table.has(row, NEW)) counts[1][kind]++;
    if (!wanted.has(kind) || table.isSame(row)) continue;
    const name = table.name(row);
    if (options.filter?.({ kind, name }) ?? true) rows.push({ row, kind, name });
  }
  const order = new Map(DEFINITION_KINDS.map((kind, i) => [kind, i]));
  rows.sort((a, b) => order.get(a.kind)! - order.get(b.kind)! || (a.name < b.name ? -1 : 1));

  const added: LoneDefinition[] = [];
  const removed: LoneDefinition[] = [];
  const changed: ChangedDefinition[] = [];
  const lone: { added: (Definition & Place)[]; removed: (Definition & Place)[] } = { added: [], removed: [] };
  for (const { row, kind, name } of rows) {
    options.signal?.throwIfAborted();
    const definition = { kind, name };
    if (!table.has(row, OLD)) {
      added.push({ ...definition, ...impactOf(options, sides[1], definition) });
      lone.added.push({ ...definition, ...table.places(row, NEW)[0]! });
    } else if (!table.has(row, NEW)) {
      removed.push({ ...definition, ...impactOf(options, sides[0], definition) });
      lone.removed.push({ ...definition, ...table.places(row, OLD)[0]! });
    } else {
      const change = changeOf(table, row, definition, options);
      if (change) changed.push({ ...change, ...impactOf(options, sides[1], definition) });
    }
  }
  const side = (definitions: Record<DefinitionKind, number>): Side => ({ definitions });
  return {
    old: side(counts[0]),
    new: side(counts[1]),
    added,
    removed,
    changed,
    renamed: guessRenames(lone.removed.filter(hasParts), lone.added.filter(hasParts)),
  };
}

/** Whether a definition lists parts by which it is known again under another name. */
function hasParts({ kind }: Definition): boolean {
  return kind === "struct" || kind === "union" || kind === "enum";
}

function emptyCounts(): Record<DefinitionKind, number> {
  return Object.fromEntries(DEFINITION_KINDS.map((kind) => [kind, 0])) as Record<DefinitionKind, number>;
}

function typeAt({ btf, id }: Place): BtfType {
  return btf.get(id)!;
}

/** How the definitions of a name changed, `undefined` if all of that is ignored. */
function changeOf(
  table: Table,
  row: number,
  definition: Definition,
  { ignore }: DiffOptions,
): ChangedDefinition | undefined {
  const [allOld, allNew] = [table.places(row, OLD), table.places(row, NEW)];
  const isSingle = allOld.length === 1 && allNew.length === 1;
  // Of several definitions, those that one side alone has; the closest in size are the same thing.
  const gone = isSingle ? allOld : table.places(row, OLD, NEW);
  const fresh = isSingle ? allNew : table.places(row, NEW, OLD);
  const several = isSingle ? {} : { definitions: { old: allOld.length, new: allNew.length } };
  if (gone.length === 0 || fresh.length === 0) return { ...definition, ...several };
  const [before, after] = closest(gone, fresh);
  const parts = compareParts(before, after);
  if (!ignore) return { ...definition, ...several, ...parts };
  const kept = <T extends { readonly name: string }>(list: readonly T[] | undefined): readonly T[] | undefined =>
    list?.filter(({ name }) => !ignore(definition, name));
  const [members, enumerators, parameters] = [kept(parts.members), kept(parts.enumerators), kept(parts.parameters)];
  const had = (parts.members ?? parts.enumerators ?? parts.parameters ?? []).length > 0;
  const remains = (members ?? enumerators ?? parameters ?? []).length > 0;
  if (had && !remains && !parts.type && isSingle) return undefined;
  return {
    ...definition,
    ...several,
    ...parts,
    ...(members && { members }),
    ...(enumerators && { enumerators }),
    ...(parameters && { parameters }),
  };
}

/** Definitions of one name that are put side by side, at most. */
const CANDIDATES = 16;

/** The pair of definitions that have most member names in common. */
function closest(gone: readonly Place[], fresh: readonly Place[]): [BtfType, BtfType] {
  let best: [BtfType, BtfType] = [typeAt(gone[0]!), typeAt(fresh[0]!)];
  if (gone.length * fresh.length === 1) return best;
  let most = -1;
  const names = (type: BtfType): string[] => (isComposite(type) ? type.members.map(({ name }) => name) : []);
  for (const old of gone.slice(0, CANDIDATES).map(typeAt)) {
    const known = new Set(names(old));
    for (const now of fresh.slice(0, CANDIDATES).map(typeAt)) {
      const shared = names(now).filter((name) => known.has(name)).length;
      if (shared > most) {
        most = shared;
        best = [old, now];
      }
    }
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
