/** Which further definitions those of some names lead to. */

import type { Btf } from "../../btf/btf.js";
import { isComposite } from "../../btf/traverse.js";
import type { BtfType } from "../../btf/types.js";
import { latin1 } from "./diff.js";

/** Levels of members of which all are followed: as deep as a member that is missing is looked for. */
const LEVELS = 4;

interface PartsOptions {
  readonly members?: ReadonlySet<string>;
  readonly whole?: ReadonlySet<string>;
}

/** Returns the names of types that definitions are made of, as an archive has them, as far as they are looked into. */
export function partsOf(names: readonly string[], btfs: readonly Btf[], options: PartsOptions): Set<string> {
  const parts = new Parts(options.members);
  for (const btf of btfs) for (const name of names) for (const type of btf.findAll(name)) parts.add(type);
  for (let [level, whole] = [0, options.whole ?? new Set<string>()]; level < LEVELS && whole.size > 0; level++) {
    // What one level names is looked into with the next.
    const next = new Parts(undefined);
    for (const btf of btfs) for (const name of whole) for (const type of btf.findAll(name)) next.add(type);
    for (const name of next.names) parts.names.add(name);
    whole = next.names;
  }
  return parts.names;
}

class Parts {
  readonly names = new Set<string>();
  readonly #members: ReadonlySet<string> | undefined;
  #looksBehind = false;
  /** What was reached directly, and what behind a pointer. */
  readonly #seen = [new Set<BtfType>(), new Set<BtfType>()] as const;

  /** @param members names of those that are followed; all where it is `undefined` */
  constructor(members: ReadonlySet<string> | undefined) {
    this.#members = members;
  }

  /** Adds what a definition is made of. */
  add(type: BtfType): void {
    if (this.#isKnown(type, false)) return;
    if (isComposite(type)) {
      for (const { name, type: part } of type.members)
        if (name === "" || !this.#members || this.#members.has(name)) this.#reach(part, false);
      return;
    }
    // What functions take may be compared.
    this.#looksBehind = !this.#members;
    if (type.kind === "typedef") this.#reach(type.target, false);
    else if (type.kind === "func") this.#reach(type.proto, false);
    else if (type.kind === "var") this.#reach(type.type, false);
    this.#looksBehind = false;
  }

  #isKnown(type: BtfType, isBehind: boolean): boolean {
    const seen = this.#seen[isBehind ? 1 : 0];
    const isKnown = seen.has(type);
    seen.add(type);
    return isKnown;
  }

  /** Adds the first name on each way from a type on; behind pointers those of typedefs alone. */
  #reach(type: BtfType, isBehind: boolean): void {
    if (type.name !== "" && type.kind !== "type_tag") {
      if (!isBehind || type.kind === "typedef") this.names.add(latin1(type.name));
      return;
    }
    if (isComposite(type)) this.add(type);
    if (isComposite(type) || this.#isKnown(type, isBehind)) return;
    switch (type.kind) {
      case "ptr":
        this.#reach(type.target, isBehind || !this.#looksBehind);
        break;
      case "const":
      case "volatile":
      case "restrict":
      case "type_tag":
        this.#reach(type.target, isBehind);
        break;
      case "array":
        this.#reach(type.element, isBehind);
        break;
      case "func_proto":
        this.#reach(type.returnType, isBehind);
        for (const param of type.params) this.#reach(param.type, isBehind);
    }
  }
}
