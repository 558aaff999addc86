/** On which kernels of an archive a type and its members are, and where. */
import type { BtfType } from "btfkit";
import type { Archive } from "btfkit/archive";
import type { MemberHistory } from "btfkit/inspect";
import type { Availability, AvailabilityRow, AvailabilityRun, TypeRef } from "../protocol.js";
import { archiveOf } from "./archives.js";
import { guessText, pathsOf, textOf } from "./history.js";
import { typeOf } from "./kernels.js";
import type { CallContext } from "./worker.js";

/** Members that are asked for at a time: it can be stopped in between. */
const AT_ONCE = 8;

type Cell = Pick<AvailabilityRun, "text" | "type">;

export async function availabilityOf(
  { ref, archive }: { readonly ref: TypeRef; readonly archive: number },
  { signal, progress }: CallContext,
): Promise<Availability> {
  const { type } = typeOf(ref);
  const { name, archive: kept } = archiveOf(archive);
  const kernels = kept.kernels.map(({ id }) => id);
  const rows = [await rowOfType(kept, type, kernels)];
  const paths = [...new Set(pathsOf(type))];
  const prefix = `${type.kind} ${type.name}.`;
  for (let from = 0; from < paths.length; from += AT_ONCE) {
    signal.throwIfAborted();
    progress({ stage: `reading ${name}`, done: from, total: paths.length });
    const histories = await kept.history(paths.slice(from, from + AT_ONCE).map((path) => prefix + path));
    rows.push(...histories.map((one) => rowOfMember(one, prefix)));
  }
  return { kernels, rows };
}

function rowOfMember({ member, states, since, until, movedTo }: MemberHistory, prefix: string): AvailabilityRow {
  const cells = states.map((state) => ({ text: textOf(state), type: state.type ?? "" }));
  const moved = movedTo && guessText(movedTo);
  return { member: member.slice(prefix.length), since, until, movedTo: moved, runs: runsOf(cells) };
}

async function rowOfType(archive: Archive, type: BtfType, kernels: readonly string[]): Promise<AvailabilityRow> {
  const sizes = new Map<string, number>();
  const { kind, name } = type as BtfType & { readonly kind: "struct" | "union" };
  for await (const { kernels: having, byteSize = 0 } of archive.find({ name, kind })) {
    for (const id of having) sizes.set(id, Math.max(byteSize, sizes.get(id) ?? 0));
  }
  const cells = kernels.map((id) => {
    const size = sizes.get(id);
    return { text: size === undefined ? "" : `${size.toLocaleString("en")} B`, type: "" };
  });
  const [first, last] = [cells.findIndex(({ text }) => text), cells.findLastIndex(({ text }) => text)];
  return {
    member: "",
    since: first > 0 ? kernels[first] : undefined,
    until: last >= 0 && last < kernels.length - 1 ? kernels[last] : undefined,
    movedTo: undefined,
    runs: runsOf(cells),
  };
}

/** Cells that are the same and beside one another, as one. */
function runsOf(cells: readonly Cell[]): AvailabilityRun[] {
  const runs: { first: number; last: number; text: string; type: string }[] = [];
  for (const [at, { text, type }] of cells.entries()) {
    const before = runs.at(-1);
    if (before?.text === text && before.type === type) before.last = at;
    else runs.push({ first: at, last: at, text, type });
  }
  return runs;
}
