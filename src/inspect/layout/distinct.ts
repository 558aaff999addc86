/** Definitions that have been met already: pahole writes each but once, whichever file has it. */

import type { Composite } from "./shapes.js";

export class Distinct {
  readonly #byName = new Map<string, Composite | Composite[]>();

  /** The definition met before that is the same; otherwise this one is remembered, and nothing is returned. */
  meet(composite: Composite): Composite | undefined {
    const { name } = composite.shape;
    const known = this.#byName.get(name);
    if (known === undefined) {
      this.#byName.set(name, composite);
      return undefined;
    }
    if (Array.isArray(known)) {
      const same = known.find((other) => isSame(other, composite));
      if (!same) known.push(composite);
      return same;
    }
    if (isSame(known, composite)) return known;
    this.#byName.set(name, [known, composite]);
    return undefined;
  }
}

/** Size, names and places of the members; not their types. */
function isSame(a: Composite, b: Composite): boolean {
  if (a.size !== b.size || a.fields.length !== b.fields.length) return false;
  return a.fields.every((field, i) => {
    const other = b.fields[i]!;
    return (
      (field.name === other.name || field.name === "" || other.name === "") &&
      field.bitOffset === other.bitOffset &&
      field.bitfieldBits === other.bitfieldBits
    );
  });
}
