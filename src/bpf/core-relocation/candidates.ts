/** Candidates: types of the target that may be what the local root type is called. */
import type { Btf } from "../../btf/btf.js";
import type { BtfType } from "../../btf/types.js";
import { type Engine, type EngineName, engineOf } from "./engine.js";

/** What has been found in a Btf by one engine's names. */
interface Names {
  /** Ids of the types whose names have a flavour, by essential name. Few in a kernel: found once, with one search. */
  readonly flavours: ReadonlyMap<string, readonly number[]>;
  /** Ids by essential name, as they were asked for: objects ask for the same few. */
  readonly known: Map<string, readonly number[]>;
}

const names = /* @__PURE__ */ new WeakMap<Btf, Map<EngineName, Names>>();

function namesOf(btf: Btf, engine: Engine): Names {
  const byEngine = names.get(btf) ?? new Map<EngineName, Names>();
  let found = byEngine.get(engine.name);
  if (!found) {
    found = { flavours: flavoursIn(btf, engine), known: new Map() };
    names.set(btf, byEngine.set(engine.name, found));
  }
  return found;
}

function flavoursIn(btf: Btf, { essentialName }: Engine): Map<string, number[]> {
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

/** Own types of `btf` with an essential name, in the order of their ids. */
function ownTypes(btf: Btf, essential: string, engine: Engine): readonly number[] {
  const { flavours, known } = namesOf(btf, engine);
  const before = known.get(essential);
  if (before) return before;
  const ids: number[] = [];
  // An id of the own types, or 0.
  for (let id = btf.image.findName(essential, 0); id; id = btf.image.findName(essential, id)) {
    if (engine.essentialName(btf.nameAt(id)) === essential) ids.push(id);
  }
  ids.push(...(flavours.get(essential) ?? []));
  ids.sort((a, b) => a - b);
  known.set(essential, ids);
  return ids;
}

/**
 * Types of one BTF that have the local type's kind (ENUM and ENUM64 are one)
 * and essential name, in the order of their ids. Source: libbpf's
 * bpf_core_add_cands.
 *
 * @param own leaves the base's types out, as for a module
 */
export function candidatesIn(btf: Btf, local: BtfType, own: boolean, engine: Engine = engineOf("libbpf")): BtfType[] {
  const essential = engine.essentialName(local.name);
  const found: BtfType[] = [];
  for (let at: Btf | undefined = btf; at; at = own ? undefined : at.base) {
    const types = ownTypes(at, essential, engine).map((id) => at!.get(id)!);
    found.unshift(...types.filter((type) => engine.isCandidate(local, type)));
  }
  return found;
}
