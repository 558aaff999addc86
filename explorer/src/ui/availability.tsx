/** On which kernels of an archive a type and its members are: a bar each, a part for kernels that have it alike. */
import type { ArchiveInfo, AvailabilityRow, AvailabilityRun, TypePage } from "../protocol.js";
import { useAsked } from "./asked.js";

export function AvailabilityTable({
  page,
  info,
  onlyMoved,
}: {
  readonly page: TypePage;
  readonly info: ArchiveInfo;
  readonly onlyMoved: boolean;
}) {
  const { value, failure, progress } = useAsked("availability", { ref: page.ref, archive: info.archive });
  const share = progress?.total ? progress.done / progress.total : undefined;
  if (failure) return <p class="failure">{failure}</p>;
  if (!value) {
    return (
      <p class="hint padded" role="status">
        {progress?.stage ?? `reading ${info.name}`}
        {share !== undefined && ` ${Math.round(share * 100)} %`}
      </p>
    );
  }
  const { kernels } = value;
  const rows = onlyMoved ? value.rows.filter(({ runs }) => runs.length > 1) : value.rows;
  return (
    <table class="grid availability" aria-label={`Over the kernels of ${info.name}`}>
      <thead>
        <tr>
          <th scope="col">member</th>
          <th scope="col">
            <span class="ends">
              <span>{kernels[0]}</span>
              <span>{kernels.length > 1 && kernels.at(-1)}</span>
            </span>
          </th>
          <th scope="col">
            last
            <span class="sub">{info.name}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.member}>
            <th scope="row">
              {row.member || `${page.kind} ${page.name}`}
              <Ends {...row} />
            </th>
            <td>
              <Bar runs={row.runs} kernels={kernels} />
            </td>
            <td>
              {row.runs.at(-1)!.text || "not there"}
              <span class="sub">{row.runs.at(-1)!.type}</span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Since when a member is there, until when, and where it may have gone. */
export function Ends({ since, until, movedTo }: Pick<AvailabilityRow, "since" | "until" | "movedTo">) {
  if (!since && !until) return null;
  return (
    <span class="sub">
      {since && `since ${since}`} {until && `until ${until}`} {movedTo && `→ ${movedTo}?`}
    </span>
  );
}

function Bar({ runs, kernels }: { readonly runs: readonly AvailabilityRun[]; readonly kernels: readonly string[] }) {
  let tone = 0;
  return (
    <ol class="bar">
      {runs.map((run) => {
        const isThere = run.text !== "" && run.text !== "–";
        if (isThere) tone++;
        const range = run.first === run.last ? kernels[run.first] : `${kernels[run.first]} … ${kernels[run.last]}`;
        const what = isThere ? [run.text, run.type].filter(Boolean).join(", ") : "not there";
        return (
          <li
            key={run.first}
            data-there={isThere}
            data-tone={tone % 2}
            style={{ flexGrow: run.last - run.first + 1 }}
            title={`${range}: ${what}`}
          >
            <span class="in-bar" aria-hidden="true">
              {isThere ? run.text : "–"}
            </span>
            <span class="for-readers">{`${what}: ${range}`}</span>
          </li>
        );
      })}
    </ol>
  );
}
