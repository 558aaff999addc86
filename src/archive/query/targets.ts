/** Kernels as what looks at them by name sees them, without opening them: those that look alike are looked at once. */

import type { Btf } from "../../btf/btf.js";
import { ERR_ARCHIVE_DAMAGED } from "../../errors/archive.js";
import { BtfFormatError } from "../../errors/error.js";
import { KIND_FUNC, KIND_FUNC_PROTO } from "../../memory/generated/abi.js";
import type { NamedDefinitions } from "../definitions/blocks.js";
import { type Fragment, REFERENCE_RECORD, REFERENCE_VOID } from "../definitions/fragment.js";
import { latin1, utf8 } from "./diff.js";
import { partsOf } from "./parts.js";
import { Situations, type VariantsByName } from "./situations.js";

/** A kernel and its modules, with the definitions that were asked for; of the modules there is one for all. */
export interface ArchivedTarget {
  readonly vmlinux: Btf;
  readonly modules: readonly Btf[];
}

/** Options of `Archive.targets`. */
export interface TargetsOptions {
  /** Ids of the kernels that count (default: all). */
  readonly kernels?: readonly string[];
  /**
   * Members whose types are followed, by name; those without a name always are (default: all). What is not followed is
   * there as kind, name and size.
   */
  readonly members?: ReadonlySet<string>;
  /** With `members`: types of which all members are followed, some levels deep, and functions whose parameters are. */
  readonly whole?: ReadonlySet<string>;
  /** Stops between two situations. */
  readonly signal?: AbortSignal;
}

/** What was seen, and on which kernels. */
export interface Seen<T> {
  /** Ids, in the archive's order. */
  readonly kernels: readonly string[];
  readonly result: T;
}

/** Names that are asked for one after the other: each round brings all that the one before asked for. */
const ROUNDS = 256;

/** What is known of all kernels, so that what is asked of a few definitions is answered as on the whole. */
export class KernelFacts {
  /** Names with a flavour, such as `task_struct___old`, by what stands in front of `___`. */
  readonly flavours = new Map<string, string[]>();
  /** For each kernel, whether its modules define something. */
  readonly hasModules: Uint8Array;
  /** For each kernel, whether its own BTF lists functions. */
  readonly hasFunctions: Uint8Array;
  readonly #count: number;

  /** @param count how many kernels there are */
  constructor(count: number) {
    this.#count = count;
    this.hasModules = new Uint8Array(count);
    this.hasFunctions = new Uint8Array(count);
  }

  /** Takes in a block. */
  add(block: readonly NamedDefinitions[]): void {
    const seen = new Set<readonly number[]>();
    for (const { name, definitions } of block) {
      for (let at = name.indexOf("___", 1); at > 0; at = name.indexOf("___", at + 1)) {
        const plain = name.slice(0, at);
        this.flavours.set(plain, [...(this.flavours.get(plain) ?? []), name]);
      }
      for (const { numbers, runs } of definitions) {
        if (!seen.has(runs)) this.#mark(this.hasModules, runs, this.#count);
        seen.add(runs);
        if (numbers[0]! >> 1 === KIND_FUNC) this.#mark(this.hasFunctions, runs, 0);
      }
    }
  }

  /** Marks kernels whose places from `first` on are in `runs`. */
  #mark(marks: Uint8Array, runs: readonly number[], first: number): void {
    for (let i = 0; i < runs.length; i += 2) {
      const [start, end] = [Math.max(runs[i]! - first, 0), Math.min(runs[i + 1]! - first, this.#count)];
      if (start < end) marks.fill(1, start, end);
    }
  }
}

/** `void " "(void)`, a function that nobody asks for: so that a Btf lists functions. */
const ANY_FUNCTION: Fragment = {
  numbers: Uint8Array.of(KIND_FUNC << 1, 0, REFERENCE_RECORD, KIND_FUNC_PROTO << 1, 0, REFERENCE_VOID),
  names: Uint8Array.of(0x20, 0, 0),
};

/**
 * Yields what `look` returns on kernels, once for all that have the same definitions of what it asks for by name.
 *
 * @param chosen indexes of the kernels that count, ascending
 */
export async function* seenOn<T>(
  look: (target: ArchivedTarget) => T,
  chosen: readonly number[],
  variants: VariantsByName,
  facts: KernelFacts,
  options: Omit<TargetsOptions, "kernels">,
): AsyncGenerator<Seen<T>> {
  const { hasFunctions, hasModules } = facts;
  const situations = new Situations(variants, (kernel) => `${hasFunctions[kernel]} ${hasModules[kernel]}`);
  for (let left = chosen; left.length > 0; ) {
    options.signal?.throwIfAborted();
    const result = await settled(look, left[0]!, situations, facts, options);
    const situation = situations.of(left[0]!);
    const isLike = (kernel: number): boolean => situations.of(kernel) === situation;
    yield { kernels: left.filter(isLike).map((kernel) => variants.kernels[kernel]!.id), result };
    left = left.filter((kernel) => !isLike(kernel));
  }
}

/** Looks at one kernel until nothing is asked for that is not there. */
async function settled<T>(
  look: (target: ArchivedTarget) => T,
  kernel: number,
  situations: Situations,
  facts: KernelFacts,
  options: Omit<TargetsOptions, "kernels">,
): Promise<T> {
  for (let round = 0; round < ROUNDS; round++) {
    const vmlinux = situations.make(kernel, "kernel", facts.hasFunctions[kernel] ? [ANY_FUNCTION] : []);
    const modules = facts.hasModules[kernel] ? [situations.make(kernel, "modules", [])] : [];
    let wanted: string[];
    const isNew = (name: string): boolean => !situations.has(name);
    try {
      const asked = partsOf([...situations.names()].map(utf8), [vmlinux, ...modules], options);
      wanted = [...asked].filter(isNew);
      if (wanted.length === 0) {
        for (const btf of [vmlinux, ...modules]) watch(btf, asked);
        const result = look({ vmlinux, modules });
        wanted = [...asked].filter(isNew);
        if (wanted.length === 0) return result;
      }
    } finally {
      for (const btf of [vmlinux, ...modules]) btf[Symbol.dispose]();
    }
    for (const name of wanted)
      for (const one of [name, ...(facts.flavours.get(name) ?? [])]) await situations.take(one);
  }
  throw new BtfFormatError(ERR_ARCHIVE_DAMAGED, {
    name: situations.names().next().value ?? "",
    note: "definitions ask for one another without an end",
  });
}

/** Notes which names a Btf is asked for, as an archive has them. */
function watch({ image }: Btf, asked: Set<string>): void {
  const findName = image.findName.bind(image);
  image.isScanCheaper = () => false;
  image.findName = (name, after) => {
    if (name !== "") asked.add(latin1(name));
    return findName(name, after);
  };
}
