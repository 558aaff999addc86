/** Candidates: the types of a target that have the name of a local root type. */
import type { Btf } from "../../btf/btf.js";
import type { BtfType } from "../../btf/types.js";
import type { Engine } from "./engine.js";

type EssentialName = Engine["essentialName"];

/** Names of a Btf as one engine reads them. */
interface Names {
  /** Ids of the types whose names have a flavour, by essential name: a kernel has few, found once with one search. */
  readonly flavours: ReadonlyMap<string, readonly number[]>;
  /** Ids by essential name, as they were asked for. */
  readonly known: Map<string, readonly number[]>;
}

/** By the function that tells an essential name: engines that share it share the names. */
const names = /* @__PURE__ */ new WeakMap<Btf, Map<EssentialName, Names>>();

function namesOf(btf: Btf, essentialName: EssentialName): Names {
  const byRule = names.get(btf) ?? new Map<EssentialName, Names>();
  let found = byRule.get(essentialName);
  if (!found) {
    found = { flavours: flavoursIn(btf, essentialName), known: new Map() };
    names.set(btf, byRule.set(essentialName, found));
  }
  return found;
}

function flavoursIn(btf: Btf, essentialName: EssentialName): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const id of btf.searchIds("___", { own: true })) {
    const name = btf.nameAt(id);
    const essential = essentialName(name);
    if (essential === name) continue;
    const ids = found.get(essential);
    if (ids) ids.push(id);
    else found.set(essential, [id]);
  }
  return found;
}

/** Ids of the types of `btf` itself with an essential name, ascending. */
function ownTypes(btf: Btf, essential: string, essentialName: EssentialName): readonly number[] {
  const { flavours, known } = namesOf(btf, essentialName);
  const before = known.get(essential);
  if (before) return before;
  const ids: number[] = [];
  // findName returns an id of the types of `btf` itself, or 0.
  for (let id = btf.image.findName(essential, 0); id; id = btf.image.findName(essential, id)) {
    if (essentialName(btf.nameAt(id)) === essential) ids.push(id);
  }
  ids.push(...(flavours.get(essential) ?? []));
  ids.sort((a, b) => a - b);
  known.set(essential, ids);
  return ids;
}

/**
 * Returns the types of one BTF that have the local type's kind, as the engine
 * compares kinds, and its essential name, in the order of their ids. Source:
 * libbpf's bpf_core_add_cands.
 *
 * @param own leaves the base's types out, as for a module
 */
export function candidatesIn(btf: Btf, local: BtfType, own: boolean, engine: Engine): BtfType[] {
  const essential = engine.essentialName(local.name);
  const found: BtfType[] = [];
  for (let at: Btf | undefined = btf; at; at = own ? undefined : at.base) {
    const types = ownTypes(at, essential, engine.essentialName).map((id) => at!.get(id)!);
    found.unshift(...types.filter((type) => engine.isCandidate(local, type)));
  }
  return found;
}
