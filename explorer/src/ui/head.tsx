/** The head: search, the kernel, the views, and the switches. */
import { kernelLabel } from "../label.js";
import { showKernel } from "../link.js";
import {
  archives,
  closeKernel,
  current,
  isHelpOpen,
  isHex,
  kernels,
  objects,
  place,
  showStart,
  showView,
  toggleHex,
  type View,
} from "../state.js";
import { scheme, toggleScheme } from "../theme.js";
import { OpenButton } from "./open.js";
import { Search } from "./search.js";

const VIEWS: readonly (readonly [View, string])[] = [
  ["types", "Types"],
  ["compare", "Compare"],
  ["check", "Check"],
  ["sizes", "Map"],
];

/** In the list of kernels: what leads to the others of an archive. */
const MORE = "more";

export function Head() {
  return (
    <header class="head">
      <button type="button" class="brand quiet" aria-label="btfkit explorer: start page" onClick={showStart}>
        <img src={icon} alt="" width="20" height="20" />
        <span>btfkit</span>
      </button>
      <Search />
      {kernels.value.length > 0 && <KernelChoice />}
      {kernels.value.length > 0 && (
        <nav class="views" aria-label="Views">
          {VIEWS.filter(([view]) => view !== "check" || objects.value.length > 0 || kernels.value.length > 0).map(
            ([view, label]) => (
              <button
                key={view}
                type="button"
                aria-current={place.value.view === view ? "page" : undefined}
                onClick={() => showView(view)}
              >
                {label}
              </button>
            ),
          )}
        </nav>
      )}
      <div class="switches">
        <OpenButton />
        <button
          type="button"
          class="quiet mono"
          aria-pressed={isHex.value}
          title="Offsets in hexadecimal (x)"
          onClick={toggleHex}
        >
          {isHex.value ? "0x" : "10"}
        </button>
        <button
          type="button"
          class="quiet"
          title={`Colours: ${scheme.value}`}
          aria-label={`Colours: ${scheme.value}`}
          onClick={toggleScheme}
        >
          {{ auto: "◐", light: "☀", dark: "☾" }[scheme.value]}
        </button>
        <button
          type="button"
          class="quiet"
          title="Keys and help (?)"
          aria-label="Keys and help"
          onClick={() => {
            isHelpOpen.value = true;
          }}
        >
          ?
        </button>
      </div>
    </header>
  );
}

function KernelChoice() {
  return (
    <div class="kernel-choice">
      <select
        aria-label="Kernel"
        value={place.value.kernel}
        onChange={({ currentTarget }) => {
          if (currentTarget.value !== MORE) return void showKernel(Number(currentTarget.value));
          currentTarget.value = String(place.value.kernel);
          showStart();
        }}
      >
        {kernels.value.map((info) => (
          <option key={info.kernel} value={info.kernel}>
            {kernelLabel(info)}
          </option>
        ))}
        {archives.value.length > 0 && <option value={MORE}>more of the archive…</option>}
      </select>
      {current.value && (
        <button
          type="button"
          class="quiet"
          title="Close this kernel"
          aria-label="Close this kernel"
          onClick={() => closeKernel(current.value!.kernel)}
        >
          ×
        </button>
      )}
    </div>
  );
}

/** The page's icon, which is a file or in the page itself. */
const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]')?.href;
