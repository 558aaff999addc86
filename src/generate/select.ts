/** Which types are generated where none are named. */

import type { Btf } from "../btf/btf.js";
import type { BtfType } from "../btf/types.js";

const DEFINITIONS = ["struct", "union", "enum", "enum64"] as const;

/** All structs, unions and enums with a name, and typedefs of those without. `own`: none of the base's. */
export function* namedTypes(btf: Btf, own: boolean): Generator<BtfType> {
  for (const kind of DEFINITIONS) {
    for (const id of btf.idsOfKind(kind, { own })) if (btf.nameAt(id)) yield btf.get(id)!;
  }
  for (const type of btf.ofKind("typedef", { own })) {
    const { target } = type;
    if (!target.name && DEFINITIONS.some((kind) => kind === target.kind)) yield type;
  }
}
