/** BPF objects on the opened kernels: a matrix whose cells say why. */
import { useState } from "preact/hooks";
import { kernelLabel } from "../label.js";
import type { CheckCell, KernelInfo, ObjectInfo } from "../protocol.js";
import { kernels, objects } from "../state.js";
import { useAsked } from "./asked.js";
import { OpenButton } from "./open.js";

const WORDS: Readonly<Record<CheckCell["verdict"], string>> = {
  ok: "ok",
  changed: "ok, relocated",
  guarded: "ok, guarded",
  unattached: "does not attach",
  breaks: "breaks",
};

export function Check() {
  const targets = kernels.value.filter(({ architecture }) => architecture !== "bpf");
  const [chosen, setChosen] = useState<CheckCell | undefined>(undefined);
  if (objects.value.length === 0 || targets.length === 0) {
    return (
      <div class="empty">
        <h1>Check BPF objects on kernels</h1>
        <p>
          Open {objects.value.length === 0 ? "BPF objects (.bpf.o)" : "kernels"}: which of them load on which kernel,
          and why not.
        </p>
        <OpenButton look="primary" label="Choose files…" />
      </div>
    );
  }
  return (
    <div class="check">
      <h1 class="unseen">BPF objects on kernels</h1>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so that keys must reach it */}
      <div class="scroll" role="region" aria-label="Objects on kernels" tabIndex={0}>
        <table class="grid matrix">
          <thead>
            <tr>
              <th scope="col">object</th>
              {targets.map((info) => (
                <th key={info.kernel} scope="col">
                  {kernelLabel(info)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {objects.value.map((object) => (
              <tr key={object.object}>
                <th scope="row">
                  {object.name}
                  <span class="sub">{object.programs} programs</span>
                </th>
                {targets.map((info) => (
                  <Cell key={info.kernel} object={object} kernel={info} chosen={chosen} onChoose={setChosen} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {chosen && <Findings cell={chosen} />}
    </div>
  );
}

interface CellProps {
  readonly object: ObjectInfo;
  readonly kernel: KernelInfo;
  readonly chosen: CheckCell | undefined;
  readonly onChoose: (cell: CheckCell) => void;
}

function Cell({ object, kernel, chosen, onChoose }: CellProps) {
  const { value, failure } = useAsked("check", { object: object.object, kernel: kernel.kernel });
  if (failure) return <td class="verdict-breaks">{failure}</td>;
  if (!value) return <td class="hint">…</td>;
  const counts = Object.entries(value.counts).map(([verdict, count]) => `${count} ${verdict}`);
  return (
    <td class="verdict">
      <button
        type="button"
        class={`verdict-${value.verdict}`}
        aria-pressed={chosen?.object === value.object && chosen.kernel === value.kernel}
        onClick={() => onChoose(value)}
      >
        {WORDS[value.verdict]}
        <span class="sub">{counts.join(", ") || "no relocations"}</span>
      </button>
    </td>
  );
}

function Findings({ cell }: { readonly cell: CheckCell }) {
  const object = objects.value.find((one) => one.object === cell.object);
  const info = kernels.value.find((one) => one.kernel === cell.kernel);
  return (
    <section class="findings" aria-label="Findings" aria-live="polite">
      <h2>
        {object?.name} on {info && kernelLabel(info)}: {WORDS[cell.verdict]}
      </h2>
      {cell.findings.length === 0 && <p class="hint">Every relocation has the value that was compiled in.</p>}
      <ul>
        {cell.findings.slice(0, 500).map(({ verdict, where, what, line }, i) => (
          <li key={i} class="finding">
            <span class={`verdict-word verdict-${verdict}`}>{verdict}</span>
            <span class="mono">{where}</span>
            <span>{what}</span>
            {line && <code class="source-line">{line}</code>}
          </li>
        ))}
      </ul>
    </section>
  );
}
