/** Two kernels: what is added, removed and changed, and the chosen definition side by side. */
import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { kernelLabel } from "../label.js";
import { grouped, milliseconds } from "../numbers.js";
import type { ComparedRow, Comparison } from "../protocol.js";
import { goToName, kernels, place } from "../state.js";
import { useAsked } from "./asked.js";
import { ComparedView } from "./compared.js";
import { orderedKernels } from "./history-tab.js";
import { OpenButton } from "./open.js";
import { VirtualList } from "./virtual-list.js";

const ROW = 24;
const STATES = ["changed", "added", "removed"] as const;

export function Compare() {
  const order = orderedKernels();
  if (order.length < 2) {
    return (
      <div class="empty">
        <h1>Compare two kernels</h1>
        <p>Open another kernel: what is added, removed and changed, member by member.</p>
        <OpenButton look="primary" label="Choose files…" />
      </div>
    );
  }
  const now = place.value.kernel ?? order[1]!;
  const other = place.value.other;
  const old = other !== undefined && order.includes(other) && other !== now ? other : order.find((one) => one !== now)!;
  // Without a choice the older one is at the left.
  const [left, right] = other === undefined && order.indexOf(old) > order.indexOf(now) ? [now, old] : [old, now];
  return <Pair key={`${left} ${right}`} old={left} now={right} />;
}

function Pair({ old, now }: { readonly old: number; readonly now: number }) {
  const { value, failure, isWaiting } = useAsked("compare", { old, new: now });
  const filter = useSignal("");
  const states = useSignal<readonly string[]>(["changed"]);
  const kinds = useSignal<readonly string[]>([]);
  const chosen = useSignal<ComparedRow | undefined>(undefined);
  const rows = useMemo(
    () => matching(value, filter.value, states.value, kinds.value),
    [value, filter.value, states.value, kinds.value],
  );
  const at = chosen.value ? rows.indexOf(chosen.value) : -1;
  const choose = (left: number, right: number): void => {
    place.value = { ...place.value, other: left, kernel: right };
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const next = step === undefined ? undefined : rows[Math.max(0, Math.min(rows.length - 1, at + step))];
    if (!next) return;
    chosen.value = next;
    event.preventDefault();
  };
  return (
    <div class="compare">
      <div class="compare-list">
        <div class="pair">
          <KernelSelect
            label="Old kernel"
            value={old}
            onChoose={(kernel) => choose(kernel, kernel === now ? old : now)}
          />
          <button type="button" class="quiet" aria-label="Swap" title="Swap" onClick={() => choose(now, old)}>
            ⇄
          </button>
          <KernelSelect
            label="New kernel"
            value={now}
            onChoose={(kernel) => choose(kernel === old ? now : old, kernel)}
          />
        </div>
        <input
          class="mono"
          aria-label="Filter by name"
          placeholder="Filter by name"
          spellcheck={false}
          value={filter.value}
          onInput={(event) => {
            filter.value = event.currentTarget.value;
          }}
          onKeyDown={onKeyDown}
        />
        <div class="chips" role="group" aria-label="States and kinds">
          {STATES.map((state) => (
            <Chip key={state} name={state} chosen={states} count={count(value, (row) => row.state === state)} />
          ))}
          {[...new Set(value?.rows.map(({ kind }) => kind))].map((kind) => (
            <Chip key={kind} name={kind} chosen={kinds} count={count(value, (row) => row.kind === kind)} />
          ))}
        </div>
        {failure && <p class="failure">{failure}</p>}
        <p class="found" role="status">
          {isWaiting
            ? "comparing…"
            : value && `${grouped(rows.length)} of ${grouped(value.rows.length)} · ${milliseconds(value.milliseconds)}`}
        </p>
        <VirtualList
          class="result-list"
          role="listbox"
          aria-label="Differences"
          aria-activedescendant={at >= 0 ? `difference-${at}` : undefined}
          tabIndex={0}
          count={rows.length}
          rowHeight={ROW}
          shown={at >= 0 ? at : undefined}
          onKeyDown={onKeyDown}
          row={(index) => {
            const row = rows[index]!;
            return (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the list has the keys
              <div
                key={index}
                id={`difference-${index}`}
                class="difference"
                role="option"
                aria-selected={index === at}
                data-state={row.state}
                onClick={() => {
                  chosen.value = row;
                }}
              >
                <span class="sign">{{ added: "+", removed: "−", changed: "~" }[row.state]}</span>
                <span class="kind">{row.kind}</span>
                <span class="name">{row.name}</span>
              </div>
            );
          }}
        />
      </div>
      <div class="compare-detail">
        {chosen.value ? (
          <>
            <h1 class="padded">
              <span class="kind">{chosen.value.kind}</span> {chosen.value.name}{" "}
              <button type="button" class="link" onClick={() => open(chosen.value!, old, now)}>
                open
              </button>
            </h1>
            <ComparedView old={old} now={now} kind={chosen.value.kind} name={chosen.value.name} />
          </>
        ) : (
          <>
            <h1 class="unseen">Compare two kernels</h1>
            <p class="hint padded">Choose a definition: it is shown side by side, with who feels the change.</p>
          </>
        )}
      </div>
    </div>
  );
}

function open({ state, kind, name }: ComparedRow, old: number, now: number): void {
  void goToName(state === "removed" ? old : now, kind, name);
}

function matching(
  value: Comparison | undefined,
  filter: string,
  states: readonly string[],
  kinds: readonly string[],
): ComparedRow[] {
  const wanted = (list: readonly string[], one: string): boolean => list.length === 0 || list.includes(one);
  const text = filter.trim();
  return (value?.rows ?? []).filter(
    ({ state, kind, name }) => wanted(states, state) && wanted(kinds, kind) && name.includes(text),
  );
}

function count(value: Comparison | undefined, test: (row: ComparedRow) => boolean): number {
  return value?.rows.filter(test).length ?? 0;
}

interface ChipProps {
  readonly name: string;
  readonly count: number;
  readonly chosen: { value: readonly string[] };
}

function Chip({ name, count, chosen }: ChipProps) {
  const isOn = chosen.value.includes(name);
  const toggle = (): void => {
    chosen.value = isOn ? chosen.value.filter((one) => one !== name) : [...chosen.value, name];
  };
  return (
    <button type="button" class="chip" aria-pressed={isOn} onClick={toggle}>
      {name} <span class="count">{grouped(count)}</span>
    </button>
  );
}

interface SelectProps {
  readonly label: string;
  readonly value: number;
  readonly onChoose: (kernel: number) => void;
}

function KernelSelect({ label, value, onChoose }: SelectProps) {
  return (
    <select aria-label={label} value={value} onChange={(event) => onChoose(Number(event.currentTarget.value))}>
      {kernels.value.map((info) => (
        <option key={info.kernel} value={info.kernel}>
          {kernelLabel(info)}
        </option>
      ))}
    </select>
  );
}
