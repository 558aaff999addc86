/** The search box, with what its words may mean. */

import { result, selected, text } from "../search-state.js";
import { current, isSearchOpen, kernels, place } from "../state.js";
import { openSelected } from "./results.js";

export const SEARCH_ID = "search";

export function Search() {
  const onKeyDown = (event: KeyboardEvent): void => {
    const total = result.value?.total ?? 0;
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20 }[event.key];
    if (step !== undefined && total > 0) {
      selected.value = Math.max(0, Math.min(total - 1, selected.value + step));
      event.preventDefault();
    } else if (event.key === "Enter") {
      event.preventDefault();
      openSelected();
    } else if (event.key === "Escape") {
      if (text.value) text.value = "";
      else (event.currentTarget as HTMLElement).blur();
      isSearchOpen.value = false;
      event.preventDefault();
    }
  };
  const hasResults = current.value !== undefined && place.value.view === "types";
  return (
    <div class="search" role="search">
      <input
        id={SEARCH_ID}
        role="combobox"
        aria-label="Search types"
        aria-expanded={hasResults}
        aria-controls={hasResults ? "results" : undefined}
        aria-autocomplete="list"
        aria-activedescendant={hasResults && result.value?.total ? `result-${selected.value}` : undefined}
        placeholder={
          kernels.value.length ? "Search types: task_struct, size:>4096, embeds:list_head" : "Open a kernel first"
        }
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          isSearchOpen.value = true;
        }}
        onFocus={() => {
          isSearchOpen.value = true;
        }}
        onKeyDown={onKeyDown}
      />
      <span class="key">/</span>
    </div>
  );
}
