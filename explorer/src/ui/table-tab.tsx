/** The layout as a table: offset, size, member, type. */
import { placeText, sizeText } from "../numbers.js";
import type { MemberRow, TypePage } from "../protocol.js";
import { goTo, lit, openPaths, place, togglePath } from "../state.js";
import { useAsked } from "./asked.js";
import { VirtualList } from "./virtual-list.js";

const ROW = 24;

export function TableTab({ page }: { readonly page: TypePage }) {
  const { value, failure } = useAsked("members", { ref: page.ref, open: openPaths.value });
  if (failure) return <p class="failure">{failure}</p>;
  const rows = value ?? [];
  const pointed = place.value.byteOffset;
  const shown = pointed === undefined ? -1 : rows.findIndex((row) => covers(row, pointed));
  return (
    <div class="member-table" role="table" aria-label={`Members of ${page.title}`} aria-rowcount={rows.length + 1}>
      <div class="member-row head-row" role="row">
        {["offset", "size", "member", "type"].map((name) => (
          <span key={name} role="columnheader" class={`column-${name}`}>
            {name}
          </span>
        ))}
      </div>
      <VirtualList
        class="member-rows"
        role="rowgroup"
        tabIndex={0}
        count={rows.length}
        rowHeight={ROW}
        shown={shown >= 0 ? shown : undefined}
        row={(index) => (
          <Row key={index} row={rows[index]!} isAt={pointed !== undefined && covers(rows[index]!, pointed)} />
        )}
      />
    </div>
  );
}

function covers({ bitOffset, bitSize }: MemberRow, byteOffset: number): boolean {
  return bitOffset <= byteOffset * 8 + 7 && bitOffset + bitSize > byteOffset * 8;
}

function Row({ row, isAt }: { readonly row: MemberRow; readonly isAt: boolean }) {
  const { depth, kind, path, name, type, bitOffset, bitSize, isBitfield, fill, opens, isOpen, link } = row;
  return (
    <div
      class="member-row"
      role="row"
      data-lit={path !== "" && lit.value === path}
      data-at={isAt}
      data-free={fill === "free"}
      onMouseEnter={() => {
        lit.value = path;
      }}
    >
      <span role="cell" class="column-offset">
        {placeText(bitOffset, isBitfield)}
      </span>
      <span role="cell" class="column-size">
        {sizeText(bitSize)}
      </span>
      <span role="cell" class="column-member" style={{ paddingLeft: `${depth * 16}px` }}>
        <i class={`swatch fill-${fill}`} />
        {kind !== "member" ? (
          <span class="warn">{kind}</span>
        ) : opens ? (
          <button type="button" class="plain" aria-expanded={isOpen} title={path} onClick={() => togglePath(path)}>
            {name || "(anonymous)"} <span class="twist">{isOpen ? "▾" : "▸"}</span>
          </button>
        ) : (
          <span title={path}>{name || "(anonymous)"}</span>
        )}
      </span>
      <span role="cell" class="column-type" title={type}>
        {link ? (
          <button type="button" class="link" onClick={() => goTo(link)}>
            {type}
          </button>
        ) : (
          type
        )}
      </span>
    </div>
  );
}
