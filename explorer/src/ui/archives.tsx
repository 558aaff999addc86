/** The opened archives: their kernels, each of which a click opens. */
import { useState } from "preact/hooks";
import { showKernel } from "../link.js";
import { grouped } from "../numbers.js";
import type { ArchivedKernel, ArchiveInfo } from "../protocol.js";
import { archives, closeArchive, kernels, openArchived } from "../state.js";
import { VirtualList } from "./virtual-list.js";

const ROW = 28;
/** Rows without a scroll bar. */
const SHOWN = 10;

export function Archives() {
  return (
    <>
      {archives.value.map((info) => (
        <Archive key={info.archive} info={info} />
      ))}
    </>
  );
}

function Archive({ info }: { readonly info: ArchiveInfo }) {
  const { archive, name } = info;
  const [wanted, setWanted] = useState("");
  const words = wanted.toLowerCase().split(/\s+/);
  const found = info.kernels.filter((kernel) => words.every((word) => textOf(kernel).includes(word)));
  return (
    <section class="archive" aria-label={`Archive ${name}`}>
      <header>
        <h2>{name}</h2>
        <span class="hint">
          {grouped(info.kernels.length)} {info.kernels.length === 1 ? "kernel" : "kernels"}
        </span>
        <button
          type="button"
          class="quiet"
          aria-label={`Close archive ${name}`}
          title="Close this archive"
          onClick={() => void closeArchive(archive)}
        >
          ×
        </button>
      </header>
      <p class="hint">Open one to look at its types; History then shows each member over all of them.</p>
      {info.kernels.length > SHOWN && (
        <input
          type="search"
          aria-label={`Search the kernels of ${name}`}
          placeholder="release, distribution, architecture"
          value={wanted}
          onInput={(event) => setWanted(event.currentTarget.value)}
        />
      )}
      <VirtualList
        class="archived"
        style={{ height: `${Math.max(1, Math.min(found.length, SHOWN)) * ROW}px` }}
        count={found.length}
        rowHeight={ROW}
        row={(index) => <Row key={found[index]!.id} archive={archive} kernel={found[index]!} />}
      />
    </section>
  );
}

function Row({ archive, kernel }: { readonly archive: number; readonly kernel: ArchivedKernel }) {
  const { id, distribution, architecture } = kernel;
  const open = kernels.value.find(({ name, steps }) => name === id && steps[0] === "archive");
  const choose = async (): Promise<void> => {
    const number = open?.kernel ?? (await openArchived(archive, id));
    if (number !== undefined) await showKernel(number);
  };
  return (
    <button type="button" class="archived-row quiet" data-open={open !== undefined} onClick={() => void choose()}>
      <span class="mono">{id}</span>
      <span class="hint">{[distribution, architecture, open && "open"].filter(Boolean).join(" · ")}</span>
    </button>
  );
}

function textOf({ id, release, distribution, architecture }: ArchivedKernel): string {
  return `${id} ${release} ${distribution} ${architecture}`.toLowerCase();
}
