/** Who holds what: an index over a kernel and its modules, built once. */

import type { Btf } from "../../btf/btf.js";
import { nearest } from "../../btf/query/nearest.js";
import { sizeOf } from "../../btf/query/resolve.js";
import { isComposite, isModifier } from "../../btf/traverse.js";
import type { BtfType, FuncType, StructType, TypedefType, UnionType } from "../../btf/types.js";
import { ERR_ARGUMENT, ERR_NOT_FOUND } from "../../errors/btf.js";
import { BtfError, BtfLookupError } from "../../errors/error.js";
import { attempt, leavesOf } from "../leaves.js";
import { climb, factsOf, type Relation, type TypeFacts } from "./climb.js";
import { type ReverseGraph, reverseGraph } from "./graph.js";

export type { Relation } from "./climb.js";

/** A struct or union that holds a type; a typedef where the struct has no name. */
export type HolderType = StructType | UnionType | TypedefType;

/** Who holds a type, and where. */
export interface Holder {
  readonly type: HolderType;
  /** Paths of the members that hold it, as `fieldOf` takes them; read when they are first asked for. */
  readonly members: readonly string[];
}

/** Structs without a name inside one another that paths are looked for in. */
const NESTING = 32;
/** References in a row that are followed from a member to what it holds. */
const CHAIN = 32;
/** Paths that one holder lists. */
const PATHS = 1024;

class HolderView implements Holder {
  readonly #btf: Btf;
  readonly #id: number;
  readonly #holds: (id: number) => boolean;
  readonly #viaPointer: boolean;
  #members: readonly string[] | undefined;

  constructor(btf: Btf, id: number, holds: (id: number) => boolean, viaPointer: boolean) {
    this.#btf = btf;
    this.#id = id;
    this.#holds = holds;
    this.#viaPointer = viaPointer;
  }

  get type(): HolderType {
    return this.#btf.get(this.#id) as HolderType;
  }

  get members(): readonly string[] {
    if (!this.#members) {
      const paths: string[] = [];
      this.#collect(this.type, "", paths, new Set(), new Set());
      this.#members = Object.freeze(paths);
    }
    return this.#members;
  }

  /** Adds paths to what is held; `barren` types have none and are looked into once. */
  #collect(from: BtfType, prefix: string, paths: string[], open: Set<BtfType>, barren: Set<BtfType>): void {
    let type = from;
    for (let i = 0; i < CHAIN && isModifier(type); i++) type = type.target;
    if (!isComposite(type) || open.size >= NESTING || open.has(type) || barren.has(type)) return;
    const before = paths.length;
    open.add(type);
    for (const member of type.members) {
      if (paths.length >= PATHS) break;
      const path = member.name ? `${prefix}${member.name}` : prefix.slice(0, -1);
      const inner = this.#inner(member.type);
      if (inner === true) paths.push(path);
      else if (inner) this.#collect(inner, path && `${path}.`, paths, open, barren);
    }
    open.delete(type);
    if (paths.length === before) barren.add(type);
  }

  /** Whether a member holds the type; a struct without a name to look into. */
  #inner(of: BtfType): BtfType | boolean {
    let type = of;
    let pointed = false;
    for (let i = 0; i < CHAIN; i++) {
      if (this.#holds(type.id) && pointed === this.#viaPointer) return true;
      if (isModifier(type)) type = type.target;
      else if (type.kind === "array") type = type.element;
      else if (type.kind === "ptr" && this.#viaPointer) {
        pointed = true;
        type = type.target;
      } else break;
    }
    return !pointed && isComposite(type) && type.name === "" ? type : false;
  }
}

/** A kernel function that BPF programs may call. */
export interface Kfunc {
  readonly func: FuncType;
  /** The declaration tags of it besides `bpf_kfunc`, such as `bpf_fastcall`. */
  readonly flags: readonly string[];
}

/** A tracepoint of the kernel. */
export interface Tracepoint {
  readonly name: string;
  /** `btf_trace_NAME`, which programs of type `tp_btf` attach to. */
  readonly type: TypedefType;
  /** What the tracepoint hands over, without the kernel's private first argument; names where the kernel has its iterator's. */
  readonly args: readonly { readonly name: string; readonly type: BtfType }[];
}

/** A struct of function pointers that BPF programs may fill in. */
export interface StructOps {
  readonly name: string;
  readonly type: StructType;
}

/** What was met and found in an image and its bases. */
interface Climbed {
  readonly btf: Btf;
  /** What was found among the own types. */
  readonly own: readonly number[];
  readonly met: readonly number[];
  readonly seeds: readonly number[];
  readonly found: readonly number[];
}

interface Part {
  readonly btf: Btf;
  readonly graph: ReverseGraph;
  readonly facts: TypeFacts;
}

/**
 * An index of a kernel and its modules: 4 bytes for each reference and each type.
 *
 * @example
 * const kernel = relations(btf);
 * const [first] = kernel.holders("embeds", "list_head");
 * console.log(first?.type.name, first?.members); // module [ 'list', 'bug_list', 'source_list', 'target_list' ]
 */
export class Relations {
  /** The kernel's Btf, and those of its modules. */
  readonly btfs: readonly Btf[];
  readonly #parts = new Map<Btf, Part>();

  /** @internal */
  constructor(btfs: readonly Btf[]) {
    this.btfs = btfs;
  }

  /** The images from the lowest base up: each once. */
  #part(btf: Btf): Part {
    let part = this.#parts.get(btf);
    btf.image.check();
    // Kinds are read in memory, which is replaced when it grows.
    if (!part || part.facts.stale()) {
      part = { btf, graph: part?.graph ?? reverseGraph(btf), facts: factsOf(btf) };
      this.#parts.set(btf, part);
    }
    return part;
  }

  /**
   * Returns the structs and unions that hold a type by value (`embeds`, `embeds-deep`) or point to it (`points-to`), the
   * kernel's before those of its modules, in the order of their ids. Structs without a name count as part of the one
   * they stand in; with a typedef, as that.
   *
   * @param of a type, or the name of all types that have it: `list_head`, `struct list_head`, `spinlock_t`
   * @throws BtfLookupError ERR_NOT_FOUND for a name that no type has
   */
  holders(relation: "embeds" | "embeds-deep" | "points-to", of: BtfType | string): Holder[] {
    const viaPointer = relation === "points-to";
    return this.#climb(relation, of).flatMap(({ btf, own, seeds, found }) => {
      // What is embedded deep is held by a member that is it, or that holds it.
      const wanted = new Set(relation === "embeds-deep" ? [...seeds, ...found] : seeds);
      const holds = (id: number): boolean => wanted.has(id);
      return own.map((id) => new HolderView(btf, id, holds, viaPointer));
    });
  }

  /**
   * Returns the functions that take or return a type, by value or through pointers.
   *
   * @param of as for `holders`
   * @throws as `holders`
   */
  functions(relation: "takes" | "returns", of: BtfType | string): FuncType[] {
    return this.#climb(relation, of).flatMap(({ btf, own }) => own.map((id) => btf.get(id) as FuncType));
  }

  /** What was found in each of the images that are searched. */
  #climb(relation: Relation, of: BtfType | string): Climbed[] {
    const named = typeof of === "string" ? typesNamed(of) : undefined;
    const climbed = new Map<Btf, Climbed>();
    const run = (btf: Btf): Climbed => {
      const known = climbed.get(btf);
      if (known) return known;
      const base = btf.base && run(btf.base);
      const seeds = named ? named(btf) : typeof of !== "string" && of.btf === btf ? [of.id] : [];
      const { graph, facts } = this.#part(btf);
      const { met, found } = climb(graph, facts, relation, seeds, base?.met ?? []);
      const all = {
        btf,
        own: found,
        met: base ? [...base.met, ...met] : met,
        seeds: base ? [...base.seeds, ...seeds] : seeds,
        found: base ? [...base.found, ...found] : found,
      };
      climbed.set(btf, all);
      return all;
    };
    const results = this.btfs.map(run);
    if (typeof of === "string" && results.every(({ seeds }) => seeds.length === 0)) throw this.#notFound(of);
    return results;
  }

  #notFound(name: string): BtfLookupError {
    const [, bare = name] = PREFIXED.exec(name) ?? [];
    const names = function* (btfs: readonly Btf[]): Generator<string> {
      for (const btf of btfs) for (let id = btf.firstId; id < btf.size; id++) yield btf.nameAt(id);
    };
    return new BtfLookupError(ERR_NOT_FOUND, { name, nearest: nearest(bare, names(this.btfs)) });
  }

  /**
   * Returns the structs and unions with a member whose name is wanted, also inside of anonymous ones; it is asked about
   * each name once.
   */
  withMember(isWanted: (name: string) => boolean): Holder[] {
    const answers = new Map<string, boolean>();
    const wanted = (name: string): boolean => {
      let answer = answers.get(name);
      answer ??= isWanted(name);
      answers.set(name, answer);
      return answer;
    };
    return this.#composites().flatMap((type) => {
      const members = leavesOf(type).flatMap(({ name }) => (name && wanted(name) ? [name] : []));
      return members.length > 0 ? [{ type, members }] : [];
    });
  }

  /** Returns the structs with holes between their members of `bytes` or more in all; padding at the end is none. */
  withHoles(bytes = 1): { readonly type: StructType; readonly holeBytes: number }[] {
    return this.#composites().flatMap((type) => {
      if (type.kind !== "struct") return [];
      const holeBytes = holeBytesOf(type);
      return holeBytes >= bytes ? [{ type, holeBytes }] : [];
    });
  }

  /** The structs and unions that have a name. */
  #composites(): (StructType | UnionType)[] {
    return this.btfs.flatMap((btf) =>
      [...btf.ofKind("struct", { own: true }), ...btf.ofKind("union", { own: true })].filter(({ name }) => name !== ""),
    );
  }

  /** Returns the functions with the declaration tag `bpf_kfunc`; none for kernels built without those tags. */
  kfuncs(): Kfunc[] {
    return this.btfs.flatMap((btf) => {
      const tags = new Map<FuncType, string[]>();
      for (const tag of btf.ofKind("decl_tag", { own: true })) {
        if (tag.componentIndex >= 0 || tag.target.kind !== "func") continue;
        const known = tags.get(tag.target);
        if (known) known.push(tag.name);
        else tags.set(tag.target, [tag.name]);
      }
      return [...tags]
        .filter(([, names]) => names.includes(KFUNC_TAG))
        .map(([func, names]) => ({ func, flags: names.filter((name) => name !== KFUNC_TAG) }));
    });
  }

  /** Returns the tracepoints: the typedefs `btf_trace_NAME` of pointers to prototypes. */
  tracepoints(): Tracepoint[] {
    return this.#named(TRACEPOINT, "typedef").flatMap((type) => {
      const proto = type.target.kind === "ptr" ? type.target.target : undefined;
      if (proto?.kind !== "func_proto") return [];
      const name = type.name.slice(TRACEPOINT.length);
      const iterator = type.btf.find(`${ITERATOR}${name}`, "func")?.proto;
      const isNamed = iterator?.kind === "func_proto" && iterator.params.length === proto.params.length;
      return [{ name, type, args: (isNamed ? iterator : proto).params.slice(1) }];
    });
  }

  /** Returns the structs of operations that the kernel registers as `bpf_struct_ops_NAME`. */
  structOps(): StructOps[] {
    return this.#named(STRUCT_OPS, "struct").flatMap((wrapper) => {
      const data = wrapper.members.find(({ name }) => name === "data")?.type;
      return data?.kind === "struct" ? [{ name: wrapper.name.slice(STRUCT_OPS.length), type: data }] : [];
    });
  }

  #named<K extends "typedef" | "struct">(prefix: string, kind: K): Extract<BtfType, { kind: K }>[] {
    return this.btfs.flatMap((btf) => btf.search(prefix, { match: "prefix", kind, own: true })) as Extract<
      BtfType,
      { kind: K }
    >[];
  }
}

/** Whole bytes between the members of a struct that none of them reaches. */
function holeBytesOf({ members }: StructType): number {
  let end = 0;
  let holes = 0;
  for (const { bitOffset, bitfieldSize, type } of [...members].sort((a, b) => a.bitOffset - b.bitOffset)) {
    if (bitOffset > end) holes += Math.floor((bitOffset - end) / 8);
    const bits = bitfieldSize || (attempt(() => sizeOf(type)) ?? 0) * 8;
    end = Math.max(end, bitOffset + bits);
  }
  return holes;
}

const KFUNC_TAG = "bpf_kfunc";
const TRACEPOINT = "btf_trace_";
/** The function that calls a tracepoint's probes. */
const ITERATOR = "__traceiter_";
const STRUCT_OPS = "bpf_struct_ops_";

/** A name with the keyword that C puts in front of it. */
const PREFIXED = /^(?:struct|union|enum)\s+(\S.*)$/;

/** The own ids of a Btf with a name. */
function typesNamed(text: string): (btf: Btf) => number[] {
  const [keyword, name = text] = PREFIXED.exec(text) ?? [];
  const kind = keyword?.split(/\s/)[0];
  const isWanted = (type: BtfType): boolean => {
    switch (type.kind) {
      case "func":
      case "var":
      case "datasec":
      case "decl_tag":
        return false;
      case "fwd":
        return kind === undefined || kind === type.forwardKind;
      case "enum64":
        return kind === undefined || kind === "enum";
      default:
        return kind === undefined || kind === type.kind;
    }
  };
  return (btf) =>
    btf
      .findAll(name)
      .filter((type) => type.id >= btf.firstId && isWanted(type))
      .map(({ id }) => id);
}

const indexes = new WeakMap<Btf, Relations>();

/**
 * Returns the index of a kernel, or of a kernel and its modules; each image is read with the first question.
 *
 * @param of a Btf, whose base is not searched unless it is listed too
 * @throws BtfError ERR_ARGUMENT for an empty list
 * @example
 * const kernel = relations(btf);
 * console.log(kernel.holders("embeds", "list_head").length, kernel.functions("returns", "task_struct").length); // 810 36
 */
export function relations(of: Btf | readonly Btf[]): Relations {
  if (!isList(of)) {
    const known = indexes.get(of) ?? new Relations([of]);
    indexes.set(of, known);
    return known;
  }
  if (of.length === 0) throw new BtfError(ERR_ARGUMENT, { note: "relations of no Btf" });
  return new Relations([...new Set(of)]);
}

function isList(of: Btf | readonly Btf[]): of is readonly Btf[] {
  return Array.isArray(of);
}
