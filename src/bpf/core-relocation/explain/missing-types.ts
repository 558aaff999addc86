/** Says why a local type has no candidate: the target has another kind of the name, or a similar name. */
import type { Btf } from "../../../btf/btf.js";
import { nearest } from "../../../btf/query/nearest.js";
import type { BtfType } from "../../../btf/types.js";
import { essentialName } from "../essential-name.js";
import type { CoreTarget } from "../resolution.js";

/** Types for which similar names are looked up: each search goes through all names of the target. */
const NEAREST_LIMIT = 64;

/** The reasons on one target, each found once. */
export class MissingTypes {
  readonly #places: readonly Btf[];
  readonly #reasons = new Map<string, string>();

  constructor({ vmlinux, modules }: CoreTarget) {
    this.#places = [vmlinux, ...modules];
  }

  /** Returns why the target has no candidate for a type. */
  why({ kind, name }: BtfType): string {
    const essential = essentialName(name);
    const key = `${kind} ${essential}`;
    let reason = this.#reasons.get(key);
    if (reason === undefined) {
      reason = this.#find(kind, essential);
      this.#reasons.set(key, reason);
    }
    return reason;
  }

  #find(kind: BtfType["kind"], essential: string): string {
    const missing = `no ${kind} ${essential} in the target`;
    for (const btf of this.#places) {
      const other = btf.find(essential);
      if (other) return `${missing}: it is a ${other.kind} there`;
    }
    const near = this.#reasons.size < NEAREST_LIMIT ? nearest(essential, this.#namesOf(kind)) : [];
    const hint = near.length > 0 ? `; similar names: ${near.join(", ")}` : "";
    return `${missing}${hint}${this.#places.length === 1 ? "; if a module defines it, add the module" : ""}`;
  }

  *#namesOf(kind: BtfType["kind"]): Generator<string> {
    for (const btf of this.#places) for (const id of btf.idsOfKind(kind, { own: true })) yield btf.nameAt(id);
  }
}
