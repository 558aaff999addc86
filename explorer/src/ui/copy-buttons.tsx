/** Copies the type as text. */
import { call } from "../client.js";
import type { CopyFormat, TypePage } from "../protocol.js";
import { notice } from "../state.js";
import { shownScheme } from "../theme.js";

const LABELS: readonly (readonly [CopyFormat, string])[] = [
  ["c", "C"],
  ["json", "JSON"],
  ["ts", "TS"],
  ["svg", "SVG"],
];

async function copy({ ref, title }: TypePage, format: CopyFormat, label: string): Promise<void> {
  try {
    const text = call("copy", { ref, format, scheme: shownScheme() });
    await write(text);
    notice.value = `${title} copied as ${label}`;
  } catch (error) {
    notice.value = (error as Error).message;
  }
  setTimeout(() => {
    notice.value = "";
  }, 2500);
}

async function write(text: Promise<string>): Promise<void> {
  await navigator.clipboard.writeText(await text);
}

export function CopyButtons({ page }: { readonly page: TypePage }) {
  const formats = LABELS.filter(([format]) => page.layout || format === "c");
  return (
    <div class="copy" role="group" aria-label="Copy as">
      <span aria-hidden="true">copy</span>
      {formats.map(([format, label]) => (
        <button
          key={format}
          type="button"
          class="quiet"
          aria-label={`Copy as ${label}`}
          onClick={() => copy(page, format, label)}
        >
          {label}
        </button>
      ))}
    </div>
  );
}
