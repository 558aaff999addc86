import * as abi from "../../memory/generated/abi.js";
import type { Btf } from "../btf.js";
import { holdsText } from "../query/search.js";
import type { BtfType } from "../types.js";
import { CContext } from "./c/context.js";
import { CEmitter, type Declaration } from "./c/emitter.js";
import { type Kfunc, kfuncsOf } from "./c/kfuncs.js";
import { C23_KEYWORDS, epilogue, type FrameOptions, KFUNCS_END, KFUNCS_START, prologue } from "./c/text.js";
import { idsOf } from "./cursor.js";
import { Dump, type DumpOptions } from "./dump.js";

/** Options of `dumpC`: the types of the header and their order. */
export interface COptions extends DumpOptions {
  /**
   * Types or ids to write with all that they need, in this order; by default
   * all types, the base's included. A function or variable is declared.
   */
  readonly types?: Iterable<BtfType | number>;
  /** Sort by rank and name, as bpftool does from 7.5 on (default true); false: in the order of ids. Roots are never sorted. */
  readonly sorted?: boolean;
  /** Write the bytes of this version of bpftool, its mistakes included: docs/compatibility.md lists what differs. */
  readonly compatible?: "bpftool-7.8";
  /** Types that are not written for their own sake; what others need of them by value still is, the rest is declared. */
  readonly exclude?: (type: BtfType) => boolean;
  /**
   * Prototypes of kernel functions: all that are tagged (the default without `types`), none, or those with these names,
   * tagged or not: in BTF of pahole before 1.26 none is.
   */
  readonly kfuncs?: boolean | Iterable<string>;
  /** Name of the include guard (default `__VMLINUX_H__`). */
  readonly guard?: string;
  /** Wrap the types in `preserve_access_index`, which makes programs relocatable (default true). */
  readonly preserveAccessIndex?: boolean;
  /** Comments with the byte offset and size of each member and the size of each struct (default false). */
  readonly annotate?: boolean;
}

/**
 * A C header with the image's types, as `bpftool btf dump file FILE format c`
 * writes it: `vmlinux.h`. Types of unknown kinds are left out, with a comment.
 *
 * Of Rust's types C cannot name some: `fitForC` of btfkit/edit makes a Btf that it can.
 *
 * @throws BtfLookupError ERR_NO_SUCH_ID, ERR_NOT_FOUND for a kfunc; while it is read
 *   BtfFormatError ERR_BTF_LOOP for types that C cannot say, BtfLimitError ERR_BTF_DEPTH, ERR_WORK
 * @example
 * const text = dumpC(btf, { types: btf.findAll("list_head") }).text();
 * console.log(text.includes("struct list_head {")); // true
 */
export function dumpC(btf: Btf, options: COptions = {}): Dump {
  const {
    sorted = true,
    compatible,
    exclude,
    guard = "__VMLINUX_H__",
    preserveAccessIndex = true,
    annotate = false,
  } = options;
  const isCompatible = compatible !== undefined;
  const keywords = !isCompatible ? C23_KEYWORDS.filter((keyword) => holdsText(btf.image, `${keyword}\0`)) : [];
  const frame: FrameOptions = { guard, preserveAccessIndex, keywords };
  const roots = options.types && idsOf(btf, options.types);
  const kfuncs = selectKfuncs(btf, options.kfuncs ?? roots === undefined);
  const bare = !isCompatible && roots ? roots.filter((id) => isDeclared(btf, id)) : [];
  const declarations = [...bare, ...(!isCompatible && kfuncs ? kfuncs.map(({ id }) => id) : [])];
  const needs = declarations.map((id) => (declared(btf, id).id | abi.C_NEEDED) >>> 0);

  const open = (): CEmitter => {
    const context = new CContext(btf, { annotate, isCompatible });
    try {
      let ids: ArrayLike<number> | undefined;
      let excluded: number[] = [];
      if (roots) {
        ids = bare.length > 0 ? roots.filter((id) => !isDeclared(btf, id)) : roots;
      } else if (sorted) {
        const all = context.sortedIds();
        // The loop over the sorted types starts at the second one in bpftool.
        ids = isCompatible ? all.subarray(1) : all;
      } else if (btf.base || exclude || needs.length > 0)
        ids = Uint32Array.from({ length: btf.size - 1 }, (_, i) => i + 1);
      if (exclude) {
        const kept: number[] = [];
        excluded = [];
        for (const id of Array.from(ids!)) (exclude(btf.get(id)!) ? excluded : kept).push(id);
        ids = kept;
      }
      if (needs.length > 0) ids = Uint32Array.from([...Array.from(ids!), ...needs]);
      return new CEmitter(btf, context, ids, prologue(frame), () => {
        const forwards = excluded.filter((id) => isTagged(btf, id) && !context.isWritten(id)).sort((a, b) => a - b);
        return [
          ...forwards.map((id): Declaration => ({ before: "", id, nameOffset: 0, after: ";\n\n" })),
          ...bareDeclarations(btf, bare),
          ...(kfuncs ? kfuncBlock(btf, kfuncs) : []),
          epilogue(frame),
        ];
      });
    } catch (cause) {
      context.close();
      throw cause;
    }
  };
  return new Dump(btf, open, options);
}

function selectKfuncs(btf: Btf, wanted: boolean | Iterable<string>): Kfunc[] | undefined {
  if (wanted === false) return undefined;
  const all = kfuncsOf(btf);
  if (wanted === true) return all;
  const names = new Set(wanted);
  const found = all.filter(({ name }) => names.delete(name));
  // One that is not tagged is taken at its word: not every BTF has the tags.
  for (const name of names) found.push({ id: btf.require(name, "func").id, name, isFastcall: false });
  return found;
}

/** A FUNC or VAR is no type: C shows it as a declaration. */
function isDeclared(btf: Btf, id: number): boolean {
  const kind = btf.kindAt(id);
  return kind === "func" || kind === "var";
}

function isTagged(btf: Btf, id: number): boolean {
  const kind = btf.kindAt(id);
  return (kind === "struct" || kind === "union") && btf.nameAt(id) !== "";
}

/** Returns the type of a declaration and the offset of its name. */
function declared(btf: Btf, id: number): { id: number; nameOffset: number } {
  const type = btf.get(id)!;
  const target = type.kind === "func" ? type.protoId : type.kind === "var" ? type.typeId : id;
  return { id: target, nameOffset: btf.nameOffsetAt(id) };
}

/**
 * Declares functions and variables. A kernel has several that share a name and not their type, each in a file of its
 * own, and names such as `f.constprop.0`: C takes the first of the ones and none of the others.
 */
function* bareDeclarations(btf: Btf, ids: readonly number[]): Generator<Declaration> {
  const names = new Set<string>();
  for (const id of ids) {
    const name = btf.nameAt(id);
    const isTaken = !/^[A-Za-z_]\w*$/.test(name) || names.has(name);
    names.add(name);
    yield {
      before: isTaken ? "#if 0\nextern " : "extern ",
      ...declared(btf, id),
      after: isTaken ? ";\n#endif\n\n" : ";\n\n",
    };
  }
}

function kfuncBlock(btf: Btf, kfuncs: readonly Kfunc[]): (string | Declaration)[] {
  return [
    KFUNCS_START,
    ...kfuncs.map(
      ({ id, isFastcall }): Declaration => ({
        before: isFastcall ? "extern __bpf_fastcall " : "extern ",
        ...declared(btf, id),
        after: " __weak __ksym;\n",
      }),
    ),
    KFUNCS_END,
  ];
}
