/** Matches a local spec with a candidate: where the same field, type or enumerator is there. */
import type { BtfType, StructType, UnionType } from "../../btf/types.js";
import { ACCESS_LIMIT } from "./access.js";
import type { Budget } from "./budget.js";
import { fieldsCompatible, typesCompatible } from "./compatible.js";
import type { Engine } from "./engine.js";
import { refuse } from "./refusal.js";
import { type Accessor, emptySpec, hasElement, type Spec, subjectOf } from "./spec.js";
import { typesMatch } from "./type-matches.js";
import { byteSizeOf, elementOffset, isComposite, isEnum, memberAt, memberName, skip } from "./types.js";

/**
 * The target spec, or `undefined` where the candidate does not match. Source:
 * libbpf's bpf_core_spec_match.
 *
 * @throws Refusal for a candidate that cannot be judged
 */
export function matchSpec(local: Spec, candidate: BtfType, budget: Budget, engine: Engine): Spec | undefined {
  const spec = emptySpec(local.kind, candidate);
  switch (subjectOf(local.kind)) {
    case "type": {
      const same = local.kind === "type_matches" ? typesMatch : typesCompatible;
      return same(local.root, candidate, budget) ? spec : undefined;
    }
    case "enumerator":
      return matchEnumerator(local.accessors[0]!, spec, budget, engine) ? spec : undefined;
    default:
      return matchField(local, spec, budget, engine) ? spec : undefined;
  }
}

/** The first enumerator of the same essential name. */
function matchEnumerator({ name }: Accessor, spec: Spec, budget: Budget, engine: Engine): boolean {
  const type = skip(spec.root);
  if (!isEnum(type)) return false;
  budget.spend(type.vlen);
  const essential = engine.essentialName(name!);
  const index = (type.values as readonly { name: string }[]).findIndex(
    (value) => engine.essentialName(value.name) === essential,
  );
  if (index < 0) return false;
  spec.accessors.push({ type, index, name: type.values[index]!.name });
  spec.path.push(index);
  return true;
}

function matchField(local: Spec, spec: Spec, budget: Budget, engine: Engine): boolean {
  let at = spec.root;
  for (const [i, accessor] of local.accessors.entries()) {
    at = skip(at);
    if (accessor.name !== undefined) {
      const next = matchMember(accessor, at, spec, budget, engine);
      if (!next) return false;
      at = next;
      continue;
    }
    if (i > 0) {
      if (at.kind !== "array" || !hasElement(at, accessor.index, spec.accessors.at(-1)!)) return false;
      at = skip(at.element);
    }
    deeper(spec);
    spec.accessors.push({ type: at, index: accessor.index, name: undefined });
    spec.path.push(accessor.index);
    spec.bitOffset = (spec.bitOffset + elementOffset(accessor.index, byteSizeOf(at))) >>> 0;
  }
  return true;
}

function deeper(spec: Spec): void {
  if (spec.path.length === ACCESS_LIMIT)
    refuse("E2BIG", `[${spec.root.id}] ${spec.root.name} is nested deeper than ${ACCESS_LIMIT} levels`);
}

/**
 * Finds the member of the local accessor's name, also inside anonymous members,
 * depth first: the first of that name in a struct decides, whether its type is
 * compatible or not. Returns its type and adds to the spec; leaves the spec as it was
 * where nothing is found. Source: bpf_core_match_member.
 */
function matchMember(
  accessor: Accessor,
  target: BtfType,
  spec: Spec,
  budget: Budget,
  engine: Engine,
): BtfType | undefined {
  const composite = skip(target);
  if (!isComposite(composite) || composite.vlen === 0) return undefined;
  deeper(spec);
  const { named, anonymous } = membersByName(composite);
  const decides = named.get(accessor.name!) ?? composite.vlen;
  const outer = spec.bitOffset;
  for (const i of anonymous) {
    if (i > decides) break;
    budget.spend(1);
    const member = memberAt(composite, i)!;
    spec.bitOffset = (outer + member.bitOffset) >>> 0;
    spec.path.push(i);
    const inner = matchMember(accessor, member.type, spec, budget, engine);
    if (inner) return inner;
    spec.path.pop();
    spec.bitOffset = outer;
  }
  budget.spend(1);
  const member = memberAt(composite, decides);
  const localMember = memberAt(accessor.type as StructType | UnionType, accessor.index)!;
  if (!member || !fieldsCompatible(localMember.type, member.type, budget, engine)) return undefined;
  spec.bitOffset = (outer + member.bitOffset) >>> 0;
  spec.path.push(decides);
  spec.accessors.push({ type: composite, index: decides, name: member.name });
  return member.type;
}

/** Indices of the members of a struct or union. */
interface MemberIndex {
  /** The first of each name. */
  readonly named: ReadonlyMap<string, number>;
  /** Those without a name, ascending. */
  readonly anonymous: readonly number[];
}

const indices = /* @__PURE__ */ new WeakMap<BtfType, MemberIndex>();

/** Objects ask for fields of the same few types, which have hundreds. */
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
