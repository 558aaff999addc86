/** All definitions of an archive, one after the other, each as a type that can be looked at. */

import type { BtfType } from "../../btf/types.js";
import type { DefinitionKind } from "../../inspect/diff/types.js";
import type { NamedDefinitions } from "../definitions/blocks.js";
import { ANY_MACHINE, SmallBtf } from "../definitions/small-btf.js";
import type { ArchivedKernel } from "../root.js";
import { utf8 } from "./diff.js";
import { headOf } from "./find.js";

/** A definition, and who has it. */
export interface ArchivedDefinition {
  readonly kind: DefinitionKind;
  readonly name: string;
  /** Of what has one, in bytes. */
  readonly byteSize?: number;
  /**
   * The definition, on a Btf of its own: what it refers to by name is there as kind, name and size. It must not be used
   * once the next one has been asked for.
   */
  readonly type: BtfType;
  /**
   * Who has it, as runs of places: start, end, start, end …, ends excluded. Place *k* is `kernels[k]` of the archive
   * itself, place *n* + *k*, with *n* kernels, a module of that kernel.
   */
  readonly places: readonly number[];
}

/** Options of `Archive.definitions`. */
export interface DefinitionsOptions {
  /** Stops between two blocks. */
  readonly signal?: AbortSignal;
  /** Is told how many blocks of definitions are done. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Yields the definitions of a block. @throws BtfFormatError ERR_ARCHIVE_DAMAGED */
export function* definitionsIn(
  kernels: readonly ArchivedKernel[],
  block: readonly NamedDefinitions[],
): Generator<ArchivedDefinition> {
  for (const { name: stored, definitions } of block) {
    const name = utf8(stored);
    const place = `definitions of ${name}`;
    for (const definition of definitions) {
      const { runs } = definition;
      // Nobody has it in a damaged archive alone.
      const small = new SmallBtf(kernels[(runs[0] ?? 0) % kernels.length] ?? ANY_MACHINE);
      small.add(definition, place);
      const btf = small.open();
      try {
        yield { ...headOf(definition, place), name, type: btf.get(1)!, places: runs };
      } finally {
        btf[Symbol.dispose]();
      }
    }
  }
}
