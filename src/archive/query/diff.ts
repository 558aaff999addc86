/** What changed between two kernels of an archive, without opening either. */

import { type DiffOptions, diff } from "../../inspect/diff/diff.js";
import { DEFINITION_KINDS, type Definition, type DefinitionKind, type Difference } from "../../inspect/diff/types.js";
import { includes, type NamedDefinitions, type StoredDefinition } from "../definitions/blocks.js";
import { SmallBtf } from "../definitions/small-btf.js";
import type { ArchivedKernel } from "../root.js";
import { headOf } from "./find.js";

/**
 * Returns the difference that `diff` of btfkit/inspect makes of the kernels with their modules: of the definitions that
 * only one has, two small Btfs are made and compared.
 */
export async function archivedDiff(
  kernels: readonly ArchivedKernel[],
  [old, now]: readonly [number, number],
  blocks: AsyncIterable<readonly NamedDefinitions[]>,
  options: DiffOptions,
): Promise<Difference> {
  const sides = [old, now].map((kernel) => ({
    small: new SmallBtf(kernels[kernel]!),
    counts: Object.fromEntries(DEFINITION_KINDS.map((kind) => [kind, 0])) as Record<DefinitionKind, number>,
    kernel,
  }));
  const changed = new Set<string>();
  const isIn = ({ runs }: StoredDefinition, kernel: number): boolean =>
    includes(runs, kernel) || includes(runs, kernel + kernels.length);
  for await (const block of blocks) {
    options.signal?.throwIfAborted();
    for (const { name, definitions } of block) {
      const place = `definitions of ${name}`;
      const has = definitions.map((one) => [isIn(one, old), isIn(one, now)] as const);
      if (!has.some(([left, right]) => left || right)) continue;
      const kinds = definitions.map((one) => headOf(one, place).kind);
      const differing = new Set(kinds.filter((_, i) => has[i]![0] !== has[i]![1]));
      sides.forEach(({ small, counts, kernel }, side) => {
        for (const kind of new Set(kinds.filter((_, i) => has[i]![side]))) counts[kind]++;
        const added = definitions.filter((_, i) => has[i]![side] && differing.has(kinds[i]!));
        // The kernel's first, then those of modules.
        const isOwn = (one: StoredDefinition): boolean => includes(one.runs, kernel);
        for (const one of [...added.filter(isOwn), ...added.filter((other) => !isOwn(other))]) small.add(one, place);
      });
      for (const kind of differing) changed.add(`${kind} ${name}`);
    }
  }
  const btfs = sides.map(({ small }) => small.open()) as [ReturnType<SmallBtf["open"]>, ReturnType<SmallBtf["open"]>];
  try {
    const { filter } = options;
    const found = diff(btfs[0], btfs[1], {
      ...options,
      filter: (one: Definition) => changed.has(`${one.kind} ${latin1(one.name)}`) && (filter?.(one) ?? true),
    });
    return { ...found, old: { definitions: sides[0]!.counts }, new: { definitions: sides[1]!.counts } };
  } finally {
    for (const btf of btfs) btf[Symbol.dispose]();
  }
}

/** A name with a character for each byte, as archives have them. */
export function latin1(name: string): string {
  if (/^[\0-\x7f]*$/.test(name)) return name;
  let text = "";
  for (const byte of new TextEncoder().encode(name)) text += String.fromCharCode(byte);
  return text;
}

/** The text of a name with a character for each byte. */
export function utf8(name: string): string {
  if (/^[\0-\x7f]*$/.test(name)) return name;
  return new TextDecoder().decode(Uint8Array.from(name, (char) => char.charCodeAt(0)));
}
