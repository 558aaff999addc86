/** Who holds a type, and which functions take or return it. */
import type { BtfType } from "btfkit";
import type { TypeRef, UseCounts, UseRelation, UseRow } from "../protocol.js";
import { type OpenKernel, typeOf } from "./kernels.js";
import { signature } from "./signature.js";

/** Rows of one relation that are handed over at most. */
const LIMIT = 5000;

export function useCounts({ ref }: { ref: TypeRef }): UseCounts {
  const { kernel, type } = typeOf(ref);
  const count = (relation: UseRelation): number => usersOf(kernel, type, relation).length;
  return {
    counts: {
      embeds: count("embeds"),
      "points-to": count("points-to"),
      takes: count("takes"),
      returns: count("returns"),
    },
  };
}

export function uses({ ref, relation }: { ref: TypeRef; relation: UseRelation }): readonly UseRow[] {
  const { kernel, type } = typeOf(ref);
  return usersOf(kernel, type, relation)
    .slice(0, LIMIT)
    .map(({ type: user, detail }) => ({ ref: kernel.refOf(user), kind: user.kind, name: user.name, detail: detail() }));
}

interface User {
  readonly type: BtfType;
  readonly detail: () => string;
}

function usersOf({ relations }: OpenKernel, type: BtfType, relation: UseRelation): User[] {
  if (relation === "embeds" || relation === "points-to") {
    return relations
      .holders(relation, type)
      .map((holder) => ({ type: holder.type, detail: () => holder.members.join(", ") }));
  }
  return relations.functions(relation, type).map((func) => ({ type: func, detail: () => signature(func) }));
}
