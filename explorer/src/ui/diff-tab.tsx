/** The type here and in another opened kernel, side by side. */
import type { DefinitionKind } from "btfkit/inspect";
import { kernelLabel } from "../label.js";
import type { TypePage } from "../protocol.js";
import { kernels, place } from "../state.js";
import { ComparedView } from "./compared.js";
import { orderedKernels } from "./history-tab.js";

export function DiffTab({ page }: { readonly page: TypePage }) {
  const others = kernels.value.filter(({ kernel }) => kernel !== page.ref.kernel);
  const other = others.find(({ kernel }) => kernel === place.value.other) ?? others[0];
  if (!other) return null;
  // The older one is at the left.
  const order = orderedKernels();
  const pair = [page.ref.kernel, other.kernel].sort((a, b) => order.indexOf(a) - order.indexOf(b));
  const kind = (page.kind === "enum64" ? "enum" : page.kind) as DefinitionKind;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so that keys must reach it
    <div class="scroll" role="region" aria-label="Differences" tabIndex={0}>
      <label class="padded">
        compared with{" "}
        <select
          value={other.kernel}
          onChange={(event) => {
            place.value = { ...place.value, other: Number(event.currentTarget.value) };
          }}
        >
          {others.map((info) => (
            <option key={info.kernel} value={info.kernel}>
              {kernelLabel(info)}
            </option>
          ))}
        </select>
      </label>
      <ComparedView old={pair[0]!} now={pair[1]!} kind={kind} name={page.name} />
    </div>
  );
}
