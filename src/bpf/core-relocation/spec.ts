/**
 * Specs: the access path of a relocation on the local type, or on a type of the
 * target. Source: libbpf's struct bpf_core_spec,
 * bpf_core_parse_spec and bpf_core_format_spec.
 */

import { isComposite } from "../../btf/traverse.js";
import type { ArrayType, BtfType } from "../../btf/types.js";
import type { RelocationKind } from "../ext/kinds.js";
import type { CoreRelocation } from "../ext/types.js";
import { RelocationFailure } from "./failure.js";
import { byteSizeOf, describe, elementOffset, isEnum, memberAt, skipModifiers } from "./types.js";

/** One step of the path: a named member, an array element, or the root itself. */
export interface Accessor {
  /** The struct or union that has the member; the type itself for an array's element and for the root. */
  readonly type: BtfType;
  /** The index of the member, the element, or the enumerator. */
  readonly index: number;
  /** The name of the member or enumerator; `undefined` for an element and for the root. */
  readonly name: string | undefined;
}

/** The field, type or enumerator of a relocation, as libbpf's bpf_core_spec. */
export interface Spec {
  readonly kind: RelocationKind;
  readonly root: BtfType;
  /** The steps, without those through anonymous members. Empty for kinds that ask about a type. */
  readonly accessors: Accessor[];
  /** All indices, including those of anonymous members. */
  readonly path: number[];
  /** Offset of the field from the start of the root, in bits. */
  bitOffset: number;
}

/** Returns what a kind of relocation asks about. */
export function subjectOf(kind: RelocationKind): "field" | "type" | "enumerator" {
  switch (kind) {
    case "local_type_id":
    case "target_type_id":
    case "type_exists":
    case "type_size":
    case "type_matches":
      return "type";
    case "enumval_exists":
    case "enumval_value":
      return "enumerator";
    default:
      return "field";
  }
}

export function emptySpec(kind: RelocationKind, root: BtfType): Spec {
  return { kind, root, accessors: [], path: [], bitOffset: 0 };
}

function malformed(reason: string): never {
  throw new RelocationFailure("EINVAL", reason, true);
}

/**
 * Returns the local spec of a record.
 *
 * @throws RelocationFailure for a record that does not fit its own type
 */
export function localSpec(
  { access, kind, kindNumber }: CoreRelocation,
  root: BtfType,
  parse: (access: string) => number[],
): Spec {
  if (access === undefined) return malformed("its access string does not exist");
  if (kind === "unknown") return malformed(`kind ${kindNumber} is unknown`);
  const spec = emptySpec(kind, root);
  const subject = subjectOf(kind);
  if (subject === "type") {
    if (access !== "0") malformed(`kind ${kind} needs the access string "0", not "${access.slice(0, 40)}"`);
    return spec;
  }
  spec.path.push(...parse(access));
  const start = skipModifiers(root);
  const [first, ...rest] = spec.path as [number, ...number[]];
  if (subject === "enumerator") {
    if (!isEnum(start)) return malformed(`kind ${kind} asks about enumerators, ${describe(start)} has none`);
    if (rest.length > 0 || first >= start.vlen)
      malformed(`no enumerator ${access} in ${describe(start)}, which has ${start.vlen}`);
    spec.accessors.push({ type: start, index: first, name: start.values[first]!.name });
    return spec;
  }
  spec.accessors.push({ type: start, index: first, name: undefined });
  spec.bitOffset = elementOffset(first, byteSizeOf(start));
  let at: BtfType = start;
  for (const index of rest) {
    at = skipModifiers(at);
    if (isComposite(at)) {
      const member = memberAt(at, index);
      if (!member) return malformed(`no member ${index} in ${describe(at)}, which has ${at.vlen}`);
      spec.bitOffset = (spec.bitOffset + member.bitOffset) >>> 0;
      if (member.name) spec.accessors.push({ type: at, index, name: member.name });
      at = member.type;
    } else if (at.kind === "array") {
      const element = skipModifiers(at.element);
      if (!hasElement(at, index, spec.accessors.at(-1)!))
        return malformed(`no element ${index} in an array of ${at.length}`);
      spec.accessors.push({ type: element, index, name: undefined });
      spec.bitOffset = (spec.bitOffset + elementOffset(index, byteSizeOf(element))) >>> 0;
      at = element;
    } else {
      malformed(`index ${index} into ${describe(at)}, which has no members and no elements`);
    }
  }
  return spec;
}

/**
 * Tells whether an array has an element. A flexible array, which is the last
 * member of its struct and has the length 0, has all.
 */
export function hasElement(array: ArrayType, index: number, container: Accessor): boolean {
  if (index < array.length) return true;
  return array.length === 0 && container.name !== undefined && container.index === container.type.vlen - 1;
}

/**
 * Returns the spec as libbpf's messages show it: `<byte_off> [8] struct pt_regs.ax (0:10 @ offset 80)`.
 *
 * @example
 * const [pid] = relocate(object, btf).relocations;
 * console.log(formatSpec(pid!.resolution.local!)); // <byte_off> [2] struct task_struct.pid (0:0 @ offset 0)
 */
export function formatSpec({ kind, root, accessors, path, bitOffset }: Spec): string {
  const name = root.kind === "void" || root.name === "" ? "<anon>" : root.name;
  let text = `<${kind}> [${root.id}] ${root.kind} ${name}`;
  switch (subjectOf(kind)) {
    case "type":
      return text;
    case "enumerator": {
      const type = skipModifiers(root);
      const value = isEnum(type) && path.length > 0 ? type.values[path[0]!] : undefined;
      return value ? `${text}::${value.name} = ${value.value}` : text;
    }
  }
  text += accessPath(accessors);
  const place = bitOffset % 8 ? `${bitOffset >>> 3}.${bitOffset % 8}` : `${bitOffset >>> 3}`;
  return `${text} (${path.join(":")} @ offset ${place})`;
}

/** Returns the path as C writes it: `.a[3].b`, with the root's index if it is not 0. */
export function accessPath(accessors: readonly Accessor[]): string {
  return accessors
    .map(({ name, index }, i) => (name !== undefined ? `.${name}` : i > 0 || index > 0 ? `[${index}]` : ""))
    .join("");
}
