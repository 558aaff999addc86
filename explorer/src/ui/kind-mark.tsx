/** The kind of a type as a short word of one width. */
import type { Kind } from "btfkit";

const WORDS: Partial<Record<Kind, string>> = { enum64: "enum", typedef: "type", datasec: "sec", unknown: "?" };

export function KindMark({ kind }: { readonly kind: Kind }) {
  return <span class={`kind kind-${kind}`}>{WORDS[kind] ?? kind}</span>;
}
