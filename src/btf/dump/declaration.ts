import type { Image } from "../image.js";
import { encode } from "../strings.js";
import { isModifier } from "../traverse.js";
import type { BtfType } from "../types.js";
import { CContext } from "./c/context.js";
import { longer } from "./dump.js";

/** Options of `declaration`. */
export interface DeclarationOptions {
  /** The name that is declared (default: none, which gives the type's name alone). */
  readonly name?: string;
  /** Tabs before each line after the first (default 0). */
  readonly indent?: number;
  /** Leaves `const`, `volatile`, `restrict` and type tags out (default false). */
  readonly stripModifiers?: boolean;
}

/** A declaration is seldom longer; it is doubled as needed. */
const WINDOW = 1 << 14;

const contexts = new WeakMap<Image, CContext>();

/**
 * A type as C declares something of it: `declaration(type, { name: "f" })` gives
 * `int (*f)(void)`. Bodies of anonymous structs, unions and enums are written
 * out. Source: libbpf's btf_dump__emit_type_decl. The first call on a Btf
 * prepares about 30 bytes of memory a type, which stay.
 *
 * @returns "" for what is no type, or leads to none: a FUNC, VAR, DATASEC or DECL_TAG
 * @throws BtfFormatError ERR_BTF_LOOP, BtfLimitError ERR_BTF_DEPTH, ERR_WORK, ERR_PIECE
 * @example
 * const ops = btf.require("file_operations", "struct");
 * console.log(declaration(ops.members[2]!.type, { name: "read" }));
 * // ssize_t (*read)(struct file *, char *, size_t, loff_t *)
 */
export function declaration(
  type: BtfType,
  { name = "", indent = 0, stripModifiers = false }: DeclarationOptions = {},
): string {
  const { image } = type.btf;
  image.check();
  const { arena } = image;
  const context = contexts.get(image) ?? new CContext(type.btf, { isCompatible: true });
  contexts.set(image, context);
  const bytes = encode(name.split("\0", 1)[0]!);
  const label = arena.takeWindow(bytes.length + 16);
  arena.bytes.set(bytes, label.at);
  arena.bytes.fill(0, label.at + bytes.length, label.at + label.length);
  try {
    for (let length = WINDOW; ; length = longer(length, image)) {
      const window = arena.takeWindow(length);
      try {
        const written = context.run((kernel, address, state) =>
          kernel.declareC(address, state, type.id, 0, label.at, indent, +stripModifiers, 1, window.at, window.length),
        );
        const text = new TextDecoder().decode(arena.bytes.subarray(window.at, window.at + written));
        if (text || !takesText(type)) return text;
      } finally {
        arena.giveWindow(window);
      }
    }
  } finally {
    arena.giveWindow(label);
  }
}

/** Tells whether a type has a text, so that an empty result means a window too small. The chain ends: a kernel has followed it. */
function takesText(type: BtfType): boolean {
  let end = type;
  for (;;) {
    while (isModifier(end)) end = end.target;
    switch (end.kind) {
      case "func":
      case "var":
      case "datasec":
      case "decl_tag":
        return false;
      case "ptr":
        end = end.target;
        break;
      case "array":
        end = end.element;
        break;
      case "func_proto":
        end = end.returnType;
        break;
      default:
        return true;
    }
  }
}
