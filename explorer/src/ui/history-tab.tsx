/** Where each member is in every opened kernel. */
import { useState } from "preact/hooks";
import { kernelLabel } from "../label.js";
import { grouped } from "../numbers.js";
import type { TypePage } from "../protocol.js";
import { archives, kernels } from "../state.js";
import { useAsked } from "./asked.js";
import { AvailabilityTable, Ends } from "./availability.js";

/** Rows that are drawn at most. */
const LIMIT = 1500;

export function HistoryTab({ page }: { readonly page: TypePage }) {
  const [onlyMoved, setOnlyMoved] = useState(false);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so that keys must reach it
    <div class="scroll" role="region" aria-label="History" tabIndex={0}>
      <label class="padded">
        <input type="checkbox" checked={onlyMoved} onChange={(event) => setOnlyMoved(event.currentTarget.checked)} />{" "}
        only what changes
      </label>
      {archives.value.map((info) => (
        <AvailabilityTable key={info.archive} page={page} info={info} onlyMoved={onlyMoved} />
      ))}
      {kernels.value.length > 1 && <HistoryOfOpened page={page} onlyMoved={onlyMoved} />}
    </div>
  );
}

function HistoryOfOpened({ page, onlyMoved }: { readonly page: TypePage; readonly onlyMoved: boolean }) {
  const { value, failure } = useAsked("history", { ref: page.ref, kernels: orderedKernels() });
  if (failure) return <p class="failure">{failure}</p>;
  if (!value) return <p class="hint padded">…</p>;
  const rows = onlyMoved ? value.rows.filter(({ cells }) => cells.some(({ isNew }) => isNew)) : value.rows;
  return (
    <table class="grid" aria-label="Over the open kernels">
      <thead>
        <tr>
          <th scope="col">member</th>
          {value.kernels.map(({ kernel, name, byteSize }) => (
            <th key={kernel} scope="col">
              {name}
              <span class="sub">{byteSize === undefined ? "not there" : `${grouped(byteSize)} B`}</span>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.slice(0, LIMIT).map(({ member, cells, since, until, movedTo }) => (
          <tr key={member}>
            <th scope="row">
              {member}
              <Ends since={since} until={until} movedTo={movedTo} />
            </th>
            {cells.map(({ text, type, isNew }, i) => (
              <td key={value.kernels[i]!.kernel} data-new={isNew} data-absent={text === "–"}>
                {text}
                <span class="sub">{type}</span>
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The opened kernels, older releases first. */
export function orderedKernels(): readonly number[] {
  const collator = new Intl.Collator("en", { numeric: true });
  return [...kernels.value]
    .filter(({ architecture }) => architecture !== "bpf")
    .sort((a, b) => collator.compare(kernelLabel(a), kernelLabel(b)))
    .map(({ kernel }) => kernel);
}
