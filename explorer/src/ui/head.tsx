/** The head: search, the kernel, the views, and the switches. */
import type { Kind } from "btfkit";
import { call } from "../client.js";
import { kernelLabel } from "../label.js";
import { shownType } from "../link.js";
import {
  closeKernel,
  current,
  goTo,
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
        onChange={(event) => switchKernel(Number(event.currentTarget.value))}
      >
        {kernels.value.map((info) => (
          <option key={info.kernel} value={info.kernel}>
            {kernelLabel(info)}
          </option>
        ))}
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

/** Shows another kernel, and in it the type of the same name, if it has one. */
async function switchKernel(kernel: number): Promise<void> {
  const { type, byteOffset: _, ...rest } = place.value;
  const [, kind, name] = /^(\w+)\.(.+)$/s.exec((type && shownType.value?.text) ?? "") ?? [];
  const ref = kind && name ? await call("find", { kernel, kind: kind as Kind, name }) : undefined;
  if (ref && rest.view === "types") goTo(ref);
  else place.value = { ...rest, kernel };
}
