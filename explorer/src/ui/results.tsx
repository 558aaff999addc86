/** What the search finds: kinds with their counts, and a row a type. */
import type { Kind } from "btfkit";
import { grouped, milliseconds } from "../numbers.js";
import { answered, failure, kinds, need, result, rows, selected } from "../search-state.js";
import { goTo, isSameType, place } from "../state.js";
import { KindMark } from "./kind-mark.js";
import { VirtualList } from "./virtual-list.js";

const ROW = 26;

export function openSelected(): void {
  const row = rows.value.get(selected.value);
  if (!row) return;
  goTo(row.ref);
  // The keys of the page work from here on; `/` leads back.
  document.getElementById("main")?.focus();
}

function toggleKind(kind: Kind): void {
  kinds.value = kinds.value.includes(kind) ? kinds.value.filter((one) => one !== kind) : [...kinds.value, kind];
}

export function Results() {
  const found = result.value;
  return (
    <section class="results" aria-label="Results" data-answers={answered.value}>
      <div class="chips" role="group" aria-label="Kinds">
        {found?.kinds.map(({ kind, count }) => (
          <button
            key={kind}
            type="button"
            class="chip"
            aria-pressed={kinds.value.includes(kind)}
            onClick={() => toggleKind(kind)}
          >
            {kind} <span class="count">{grouped(count)}</span>
          </button>
        ))}
      </div>
      {failure.value ? (
        <p class="failure" role="alert">
          {failure.value}
        </p>
      ) : (
        <p class="found" role="status">
          {found
            ? found.total === 0
              ? "nothing has such a name; case matters"
              : `${grouped(found.total)} types · ${milliseconds(found.milliseconds)}`
            : ""}
        </p>
      )}
      <VirtualList
        id="results"
        class="result-list"
        role="listbox"
        aria-label="Types"
        tabIndex={-1}
        count={found?.total ?? 0}
        rowHeight={ROW}
        shown={selected.value}
        onRange={need}
        row={(index) => <Row key={index} index={index} />}
      />
    </section>
  );
}

function Row({ index }: { readonly index: number }) {
  const row = rows.value.get(index);
  if (!row) return <div class="result" role="option" aria-selected="false" id={`result-${index}`} />;
  const isSelected = selected.value === index;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the search box has the keys of the list
    <div
      class="result"
      role="option"
      id={`result-${index}`}
      aria-selected={isSelected}
      aria-current={isSameType(row.ref, place.value.type) ? "true" : undefined}
      tabIndex={-1}
      title={`${row.kind} ${row.name}${row.detail ? ` — ${row.detail}` : ""}`}
      onClick={() => {
        selected.value = index;
        goTo(row.ref);
      }}
    >
      <KindMark kind={row.kind} />
      <span class="name">{row.name}</span>
      <span class="detail">{row.detail}</span>
    </div>
  );
}
