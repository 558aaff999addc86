/** One definition in two kernels, member by member. */
import type { DefinitionKind } from "btfkit/inspect";
import { kernelLabel } from "../label.js";
import { grouped } from "../numbers.js";
import type { ComparedSide } from "../protocol.js";
import { kernels } from "../state.js";
import { useAsked } from "./asked.js";

interface Props {
  readonly old: number;
  readonly now: number;
  readonly kind: DefinitionKind;
  readonly name: string;
}

const LIMIT = 2000;

export function ComparedView({ old, now, kind, name }: Props) {
  const { value, failure } = useAsked("compareOne", { old, new: now, kind, name });
  const label = (kernel: number): string => {
    const info = kernels.value.find((one) => one.kernel === kernel);
    return info ? kernelLabel(info) : "";
  };
  if (failure) return <p class="failure padded">{failure}</p>;
  if (!value || value.name !== name) return <p class="hint padded">…</p>;
  const { state, byteSize, parts, impact, renamedTo } = value;
  return (
    <div class="compared">
      <p class="padded facts">
        {state === "same" && <span class="fact">the same in both, types that it refers to counted by their names</span>}
        {state === "added" && <span class="fact">only in {label(now)}</span>}
        {state === "removed" && (
          <span class="fact">
            only in {label(old)}
            {renamedTo && `, perhaps ${renamedTo} in ${label(now)}`}
          </span>
        )}
        {byteSize && (
          <span class="fact strong">
            {byteSize.old === byteSize.new
              ? `${grouped(byteSize.new)} B in both`
              : `${grouped(byteSize.old)} → ${grouped(byteSize.new)} B`}
          </span>
        )}
        {impact && (
          <span class="fact">
            {grouped(impact.embeddedIn.length)} embed it, {grouped(impact.pointers)} point to it,{" "}
            {grouped(impact.functions)} functions use it
          </span>
        )}
      </p>
      {parts.length > 0 && (
        <table class="grid sides">
          <thead>
            <tr>
              <th scope="col" colSpan={2}>
                {label(old)}
              </th>
              <th scope="col" colSpan={2}>
                {label(now)}
              </th>
              <th scope="col">change</th>
            </tr>
          </thead>
          <tbody>
            {parts.slice(0, LIMIT).map(({ changes, old: before, new: after }, i) => (
              <tr key={i} data-state={before ? (after ? "changed" : "removed") : "added"}>
                <Side side={before} />
                <Side side={after} />
                <td>{changes.join(", ")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

function Side({ side }: { readonly side: ComparedSide | undefined }) {
  if (!side) return <td colSpan={2} class="nothing" />;
  return (
    <>
      <td class="place">{side.place}</td>
      <td>
        <b>{side.name}</b> <span class="type">{side.type}</span>
      </td>
    </>
  );
}
