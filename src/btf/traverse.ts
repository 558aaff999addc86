/**
 * The one traversal of types: which kinds only modify another type, what lies
 * below modifiers, and which types a type refers to.
 */

import { ERR_BTF_TYPE_ID } from "../errors/btf.js";
import { BtfFormatError } from "../errors/error.js";
import type { Kind } from "../format/kind.js";
import type { BtfType, TypeOf } from "./types.js";

/** Kinds that spell their target in another way: its values and its layout are the target's. */
export type ModifierKind = "typedef" | "volatile" | "const" | "restrict" | "type_tag";

/** A type whose values and layout are those of its target. */
export type Modifier = TypeOf<ModifierKind>;

/** A type that is no modifier. */
export type Unmodified = Exclude<BtfType, Modifier>;

/** A type with members. */
export type Composite = TypeOf<"struct" | "union">;

/** Tells whether a kind modifies its target: typedefs, qualifiers and type tags. Source: libbpf's btf_is_mod, and TYPEDEF. */
export function isModifierKind(kind: Kind): kind is ModifierKind {
  switch (kind) {
    case "typedef":
    case "volatile":
    case "const":
    case "restrict":
    case "type_tag":
      return true;
    default:
      return false;
  }
}

/** Tells whether a type is a typedef, a qualifier or a type tag. */
export function isModifier(type: BtfType): type is Modifier {
  return isModifierKind(type.kind);
}

/** Tells whether a type has members. Source: libbpf's btf_is_composite. */
export function isComposite(type: BtfType): type is Composite {
  return type.kind === "struct" || type.kind === "union";
}

/**
 * Returns the type below typedefs, qualifiers and type tags, or `undefined`
 * where more than `limit` of them follow one another, as in a loop. Source:
 * libbpf's skip_mods_and_typedefs.
 */
export function skipModifiers(type: BtfType, limit: number): Unmodified | undefined {
  let at = type;
  for (let left = limit; isModifier(at); left--) {
    if (left === 0) return undefined;
    at = at.target;
  }
  return at;
}

/**
 * Returns the ids that a type's record refers to, in the order in which they
 * stand in the record; 0 is void. Source: libbpf's btf_field_iter.
 */
export function childIds(type: BtfType): number[] {
  switch (type.kind) {
    case "void":
    case "int":
    case "enum":
    case "enum64":
    case "fwd":
    case "float":
    case "unknown":
      return [];
    case "ptr":
    case "typedef":
    case "volatile":
    case "const":
    case "restrict":
    case "type_tag":
    case "decl_tag":
      return [type.targetId];
    case "array":
      return [type.elementId, type.indexId];
    case "struct":
    case "union":
      return type.members.map(({ typeId }) => typeId);
    case "func":
      return [type.protoId];
    case "func_proto":
      return [type.returnTypeId, ...type.params.map(({ typeId }) => typeId)];
    case "var":
      return [type.typeId];
    case "datasec":
      return type.variables.map(({ typeId }) => typeId);
  }
}

/**
 * Returns the types that a type refers to, in the order in which they stand in
 * its record.
 *
 * @throws BtfFormatError ERR_BTF_TYPE_ID for the return type of a FUNC_PROTO if it does not exist
 */
export function children(type: BtfType): BtfType[] {
  return childIds(type).map((id) => referredType(type.btf, type.id, id));
}

/**
 * Returns the type with an id that the record of type `from` holds. Opening an
 * image checks these ids, as libbpf does, except the return type of a FUNC_PROTO.
 *
 * @throws BtfFormatError ERR_BTF_TYPE_ID if there is no such type
 */
export function referredType(btf: BtfType["btf"], from: number, id: number): BtfType {
  const type = btf.get(id);
  if (type) return type;
  throw new BtfFormatError(ERR_BTF_TYPE_ID, { typeId: from, value: id, limit: btf.size - 1 });
}
