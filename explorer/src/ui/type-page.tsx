/** A type's page: what it is in one line, and its tabs. */
import { useLayoutEffect } from "preact/hooks";
import { shownType } from "../link.js";
import { grouped } from "../numbers.js";
import type { LayoutFacts, TypePage, TypeRef } from "../protocol.js";
import { archives, goTo, isSideOpen, kernels, place, showTab, type Tab } from "../state.js";
import { useAsked } from "./asked.js";
import { CodeTab } from "./code-tab.js";
import { CopyButtons } from "./copy-buttons.js";
import { DecodeTab } from "./decode-tab.js";
import { DiffTab } from "./diff-tab.js";
import { HistoryTab } from "./history-tab.js";
import { KindMark } from "./kind-mark.js";
import { PictureTab } from "./picture-tab.js";
import { TableTab } from "./table-tab.js";

const TABS: readonly (readonly [Tab, string])[] = [
  ["picture", "Layout"],
  ["table", "Table"],
  ["code", "C"],
  ["decode", "Bytes"],
  ["history", "History"],
  ["diff", "Differences"],
];

export function TypePageView({ type }: { readonly type: TypeRef }) {
  const { value, failure } = useAsked("page", { ref: type });
  const page = value?.ref.id === type.id && value.ref.kernel === type.kernel ? value : undefined;
  // Before the title is seen: who goes back at once leaves this type and no other.
  useLayoutEffect(() => {
    if (!page) return;
    const kind = page.name ? page.name : `#${page.ref.id}`;
    shownType.value = { id: type.id, text: `${page.kind}.${kind}` };
    document.title = `${page.title} · btfkit explorer`;
  }, [page, type.id]);
  if (failure) return <p class="failure">{failure}</p>;
  if (!page) return <div class="type-page" aria-busy="true" />;
  const tabs = TABS.filter(([tab]) => isPossible(tab, page));
  const shown = tabs.find(([tab]) => tab === place.value.tab)?.[0] ?? tabs[0]![0];
  return (
    <article class="type-page" aria-labelledby="type-title">
      <header class="type-head">
        <h1 id="type-title">
          <KindMark kind={page.kind} />
          <span class="name">{page.name || "(anonymous)"}</span>
        </h1>
        {page.layout ? <LayoutLine facts={page.layout} /> : <FactsLine page={page} />}
        {page.layoutError && <p class="failure">{page.layoutError}</p>}
        {page.others.length > 0 && <Others others={page.others} />}
        <div class="tab-bar">
          <div
            class="tabs"
            role="tablist"
            aria-label="Views of this type"
            onKeyDown={(event) => walkTabs(event, tabs, shown)}
          >
            {tabs.map(([tab, label]) => (
              <button
                key={tab}
                type="button"
                role="tab"
                id={`tab-${tab}`}
                aria-selected={tab === shown}
                aria-controls="tab-panel"
                tabIndex={tab === shown ? 0 : -1}
                onClick={() => showTab(tab)}
              >
                {label}
              </button>
            ))}
          </div>
          <CopyButtons page={page} />
          <button
            type="button"
            class="side-toggle quiet"
            onClick={() => {
              isSideOpen.value = true;
            }}
          >
            Used by
          </button>
        </div>
      </header>
      <div class="tab-panel" role="tabpanel" id="tab-panel" aria-labelledby={`tab-${shown}`} data-tab={shown}>
        <Panel tab={shown} page={page} />
      </div>
    </article>
  );
}

function isPossible(tab: Tab, { kind, layout, name }: TypePage): boolean {
  const isComparable = name !== "" && kernels.value.length > 1;
  switch (tab) {
    case "picture":
    case "table":
      return layout !== undefined;
    case "decode":
      return !["func", "func_proto", "fwd", "void", "decl_tag", "datasec"].includes(kind);
    case "history":
      return (isComparable || (name !== "" && archives.value.length > 0)) && (kind === "struct" || kind === "union");
    case "diff":
      return (
        isComparable && ["struct", "union", "enum", "enum64", "typedef", "func", "var", "int", "float"].includes(kind)
      );
    default:
      return true;
  }
}

function walkTabs(event: KeyboardEvent, tabs: readonly (readonly [Tab, string])[], shown: Tab): void {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (step === undefined) return;
  const at = tabs.findIndex(([tab]) => tab === shown);
  const next = tabs[(at + step + tabs.length) % tabs.length]![0];
  showTab(next);
  requestAnimationFrame(() => document.getElementById(`tab-${next}`)?.focus());
  event.preventDefault();
}

function Panel({ tab, page }: { readonly tab: Tab; readonly page: TypePage }) {
  switch (tab) {
    case "picture":
      return <PictureTab page={page} />;
    case "table":
      return <TableTab page={page} />;
    case "code":
      return <CodeTab page={page} />;
    case "decode":
      return <DecodeTab page={page} />;
    case "history":
      return <HistoryTab page={page} />;
    case "diff":
      return <DiffTab page={page} />;
  }
}

function LayoutLine({ facts }: { readonly facts: LayoutFacts }) {
  const { byteSize, cachelines, members, holes, holeBytes, bitHoles, holeBits, paddingBytes, isPacked, packsTo } =
    facts;
  const plural = (count: number, word: string): string => `${grouped(count)} ${word}${count === 1 ? "" : "s"}`;
  return (
    <p class="facts">
      <span class="fact strong">{grouped(byteSize)} B</span>
      <span class="fact">{plural(cachelines, "cacheline")}</span>
      <span class="fact">{plural(members, "member")}</span>
      {isPacked && <span class="fact">packed</span>}
      {holes > 0 && (
        <span class="fact warn">
          {plural(holes, "hole")}, {grouped(holeBytes)} B
        </span>
      )}
      {bitHoles > 0 && (
        <span class="fact warn">
          {plural(bitHoles, "bit hole")}, {grouped(holeBits)} bit
        </span>
      )}
      {paddingBytes > 0 && <span class="fact warn">{grouped(paddingBytes)} B padding</span>}
      {packsTo !== undefined && <span class="fact">packs to {grouped(packsTo)} B</span>}
    </p>
  );
}

function FactsLine({ page }: { readonly page: TypePage }) {
  return (
    <p class="facts">
      {page.facts.map(([name, value]) => (
        <span key={name} class="fact">
          {name} {value}
        </span>
      ))}
    </p>
  );
}

function Others({ others }: { readonly others: readonly TypeRef[] }) {
  return (
    <p class="others">
      {others.length === 1 ? "Another definition" : `${others.length} other definitions`} of this name:{" "}
      {others.map((other) => (
        <button key={`${other.image} ${other.id}`} type="button" class="link" onClick={() => goTo(other)}>
          #{other.id}
        </button>
      ))}
    </p>
  );
}
