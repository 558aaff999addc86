/** Who uses a type: counts, and for each relation a tree. */
import { useState } from "preact/hooks";
import { grouped } from "../numbers.js";
import type { TypeRef, UseRelation } from "../protocol.js";
import { goTo } from "../state.js";
import { useAsked } from "./asked.js";
import { KindMark } from "./kind-mark.js";

const RELATIONS: readonly (readonly [UseRelation, string])[] = [
  ["embeds", "embedded in"],
  ["points-to", "pointed to by"],
  ["takes", "argument of"],
  ["returns", "returned by"],
];
/** Rows that are shown before somebody asks for more. */
const PAGE = 100;
const DEPTH = 8;

export function UsedBy({ type }: { readonly type: TypeRef }) {
  const { value, failure, isWaiting } = useAsked("useCounts", { ref: type });
  const [open, setOpen] = useState<UseRelation | undefined>(undefined);
  return (
    <section class="used-by" aria-labelledby="used-by-title" aria-busy={isWaiting}>
      <h2 id="used-by-title">Used by</h2>
      {failure && <p class="failure">{failure}</p>}
      {RELATIONS.map(([relation, label], i) => {
        const count = value?.counts[relation];
        return (
          <div key={relation} class="relation">
            <button
              type="button"
              class="relation-head"
              {...(i === 0 && { id: "used-by" })}
              aria-expanded={open === relation}
              disabled={count === 0}
              onClick={() => setOpen(open === relation ? undefined : relation)}
            >
              <span>{label}</span>
              <span class="count">{count === undefined ? "…" : grouped(count)}</span>
            </button>
            {open === relation && count !== 0 && <Uses type={type} relation={relation} depth={0} />}
          </div>
        );
      })}
    </section>
  );
}

interface UsesProps {
  readonly type: TypeRef;
  readonly relation: UseRelation;
  readonly depth: number;
}

function Uses({ type, relation, depth }: UsesProps) {
  const { value, failure, isWaiting } = useAsked("uses", { ref: type, relation });
  const [shown, setShown] = useState(PAGE);
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  if (failure) return <p class="failure">{failure}</p>;
  if (!value) return <p class="hint">{isWaiting ? "…" : ""}</p>;
  if (value.length === 0) return <p class="hint">nothing</p>;
  const isTree = relation === "embeds" || relation === "points-to";
  return (
    <ul class="uses">
      {value.slice(0, shown).map(({ ref, kind, name, detail }, i) => (
        <li key={`${ref.image} ${ref.id}`}>
          <div class="use">
            {isTree && depth < DEPTH && (
              <button
                type="button"
                class="twist-button"
                aria-label={`Users of ${name}`}
                aria-expanded={open.has(i)}
                onClick={() => setOpen(toggled(open, i))}
              >
                {open.has(i) ? "▾" : "▸"}
              </button>
            )}
            <button type="button" class="use-name" title={detail} onClick={() => goTo(ref)}>
              <KindMark kind={kind} />
              <span class="name">{name}</span>
              <span class="detail">{detail}</span>
            </button>
          </div>
          {open.has(i) && <Uses type={ref} relation={relation} depth={depth + 1} />}
        </li>
      ))}
      {value.length > shown && (
        <li>
          <button type="button" class="link" onClick={() => setShown(shown + 500)}>
            {grouped(value.length - shown)} more
          </button>
        </li>
      )}
    </ul>
  );
}

function toggled(set: ReadonlySet<number>, value: number): ReadonlySet<number> {
  const next = new Set(set);
  if (!next.delete(value)) next.add(value);
  return next;
}
