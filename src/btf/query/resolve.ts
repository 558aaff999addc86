/** Resolves modifiers, sizes and alignments by libbpf's rules. */

import { ERR_BTF_DEPTH, ERR_BTF_LOOP, ERR_BTF_SIZE } from "../../errors/btf.js";
import { BtfFormatError, BtfLimitError } from "../../errors/error.js";
import { type Composite, isComposite, isModifier, skipModifiers, type Unmodified } from "../traverse.js";
import type { BtfType } from "../types.js";

/** libbpf's MAX_RESOLVE_DEPTH. */
const RESOLVE_DEPTH = 32;
const U32_MAX = 2 ** 32 - 1;

/**
 * The type behind typedefs, `const`, `volatile`, `restrict` and type tags.
 *
 * @throws BtfLimitError ERR_BTF_DEPTH behind 32 of them (a loop, or hostile).
 * @example
 * const pid = btf.require("pid_t", "typedef");
 * console.log(resolve(pid).kind, resolve(pid).name); // int int
 */
export function resolve(type: BtfType): Unmodified {
  const found = skipModifiers(type, RESOLVE_DEPTH);
  if (found) return found;
  throw new BtfLimitError(ERR_BTF_DEPTH, { typeId: type.id, limit: RESOLVE_DEPTH });
}

/**
 * Size in bytes; `undefined` for what has none: void, a forward declaration, a
 * function or its prototype, a kind unknown to us. Source: libbpf's
 * btf__resolve_size, which returns EINVAL there.
 *
 * @throws BtfLimitError ERR_BTF_SIZE from 4 GiB on (libbpf's E2BIG), ERR_BTF_DEPTH behind 32 steps.
 * @example
 * console.log(sizeOf(btf.require("list_head"))); // 16
 */
export function sizeOf(type: BtfType): number | undefined {
  let at = type;
  let elements = 1;
  for (let depth = 0; depth < RESOLVE_DEPTH; depth++) {
    if (isModifier(at)) {
      at = at.target;
      continue;
    }
    switch (at.kind) {
      case "int":
      case "struct":
      case "union":
      case "enum":
      case "enum64":
      case "datasec":
      case "float":
        return product(type, elements, at.byteSize);
      case "ptr":
        return product(type, elements, type.btf.pointerSize);
      case "decl_tag":
        at = at.target;
        break;
      case "var":
        at = at.type;
        break;
      case "array":
        elements = product(type, elements, at.length);
        at = at.element;
        break;
      default:
        return undefined;
    }
  }
  // libbpf looks at most at 32 types: what the 33rd is does not matter.
  throw new BtfLimitError(ERR_BTF_DEPTH, { typeId: type.id, limit: RESOLVE_DEPTH });
}

function product(type: BtfType, a: number, b: number): number {
  if (a * b > U32_MAX) throw new BtfLimitError(ERR_BTF_SIZE, { typeId: type.id });
  return a * b;
}

/** Nested structs, arrays and modifiers that `alignOf` follows before it gives up. */
const ALIGN_DEPTH = 512;

/**
 * Alignment in bytes as libbpf derives it (btf__align_of); 1 for a struct or
 * union that must be packed, `undefined` for what has none.
 *
 * @throws BtfFormatError ERR_BTF_LOOP for a type that contains itself,
 *   BtfLimitError ERR_BTF_DEPTH beyond 512 levels.
 * @example
 * console.log(alignOf(btf.require("list_head"))); // 8
 */
export function alignOf(type: BtfType): number | undefined {
  return alignmentOf(type, { pointerSize: type.btf.pointerSize, known: new Map(), depth: 0 });
}

interface AlignmentWalk {
  readonly pointerSize: number;
  /** Alignments that are known; 0 while a type is being visited. Each type is visited once. */
  readonly known: Map<BtfType, number | undefined>;
  depth: number;
}

function alignmentOf(type: BtfType, walk: AlignmentWalk): number | undefined {
  switch (type.kind) {
    case "int":
    case "enum":
    case "enum64":
    case "float":
      return Math.min(walk.pointerSize, type.byteSize) || undefined;
    case "ptr":
      return walk.pointerSize;
    case "array":
    case "struct":
    case "union":
      break;
    default:
      if (!isModifier(type)) return undefined;
  }
  const { known } = walk;
  if (known.has(type)) {
    const alignment = known.get(type);
    if (alignment === 0) throw new BtfFormatError(ERR_BTF_LOOP, { typeId: type.id });
    return alignment;
  }
  if (++walk.depth > ALIGN_DEPTH) throw new BtfLimitError(ERR_BTF_DEPTH, { typeId: type.id, limit: ALIGN_DEPTH });
  known.set(type, 0);
  let alignment: number | undefined;
  if (type.kind === "array") alignment = alignmentOf(type.element, walk);
  else if (isComposite(type)) alignment = compositeAlignment(type, walk);
  else alignment = alignmentOf(type.target, walk);
  known.set(type, alignment);
  walk.depth--;
  return alignment;
}

function compositeAlignment(type: Composite, walk: AlignmentWalk): number | undefined {
  let widest = 1;
  for (const member of type.members) {
    const alignment = alignmentOf(member.type, walk);
    if (alignment === undefined) return undefined;
    widest = Math.max(widest, alignment);
    // A member that is not where its type wants it: packed.
    if (member.bitfieldSize === 0 && member.bitOffset % (8 * alignment) !== 0) return 1;
  }
  return type.byteSize % widest === 0 ? widest : 1;
}
