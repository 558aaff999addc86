/** Bytes as a value of the type: hexadecimal at the left, members at the right; one lights up with the other. */
import { useEffect, useState } from "preact/hooks";
import { offsetText, sizeText } from "../numbers.js";
import type { Decoded, DecodedRow, TypePage } from "../protocol.js";
import { useAsked } from "./asked.js";
import { VirtualList } from "./virtual-list.js";

/** Bytes a line, and the height of a row. */
const LINE = 16;
const ROW = 24;

/** What was pasted stays as the type changes. */
let kept = "";

export function DecodeTab({ page }: { readonly page: TypePage }) {
  const [hex, setHex] = useState(kept);
  const [chosen, setChosen] = useState<DecodedRow | undefined>(undefined);
  const { value, failure } = useAsked("decode", hex.trim() ? { ref: page.ref, hex } : undefined);
  const id = page.ref.id;
  // Another type has other rows.
  useEffect(() => setChosen(undefined), [id, hex]);
  return (
    <div class="decode">
      <div class="decode-input">
        <label for="hex">Bytes, as hex, xxd, hexdump -C or a map dump</label>
        <textarea
          id="hex"
          class="mono"
          rows={4}
          spellcheck={false}
          autocomplete="off"
          placeholder="00 11 22 33 …"
          value={hex}
          onInput={(event) => {
            kept = event.currentTarget.value;
            setHex(kept);
          }}
        />
        {failure && (
          <p class="failure" role="alert">
            {failure}
          </p>
        )}
        {value?.note && <p class="warn">{value.note}</p>}
      </div>
      {value && (
        <div class="decode-halves">
          <Bytes decoded={value} chosen={chosen} onChoose={setChosen} />
          <Values decoded={value} chosen={chosen} onChoose={setChosen} />
        </div>
      )}
    </div>
  );
}

interface HalfProps {
  readonly decoded: Decoded;
  readonly chosen: DecodedRow | undefined;
  readonly onChoose: (row: DecodedRow | undefined) => void;
}

/** The innermost member that has a byte. */
function rowAt(rows: readonly DecodedRow[], byte: number): DecodedRow | undefined {
  let found: DecodedRow | undefined;
  for (const row of rows) {
    const covers = row.bitOffset < byte * 8 + 8 && row.bitOffset + row.bitSize > byte * 8;
    if (covers && (!found || row.bitSize <= found.bitSize)) found = row;
  }
  return found;
}

function Bytes({ decoded, chosen, onChoose }: HalfProps) {
  const { bytes, rows } = decoded;
  const isLit = (byte: number): boolean =>
    chosen !== undefined && chosen.bitOffset < byte * 8 + 8 && chosen.bitOffset + chosen.bitSize > byte * 8;
  const line = (index: number) => (
    <div key={index} class="hex-line">
      <span class="hex-offset">{offsetText(index * LINE)}</span>
      {Array.from(bytes.subarray(index * LINE, index * LINE + LINE), (value, i) => {
        const byte = index * LINE + i;
        return (
          // biome-ignore lint/a11y/useKeyWithClickEvents lint/a11y/noStaticElementInteractions: the values have the keys
          <span
            key={byte}
            class="hex-byte"
            data-lit={isLit(byte)}
            data-zero={value === 0}
            onMouseEnter={() => onChoose(rowAt(rows, byte))}
            onClick={() => onChoose(rowAt(rows, byte))}
          >
            {value.toString(16).padStart(2, "0")}
          </span>
        );
      })}
    </div>
  );
  return (
    <VirtualList
      class="hex-lines"
      role="group"
      aria-label="Bytes"
      tabIndex={0}
      count={Math.ceil(bytes.length / LINE)}
      rowHeight={ROW}
      shown={chosen && Math.floor(chosen.bitOffset / 8 / LINE)}
      row={line}
    />
  );
}

function Values({ decoded: { rows }, chosen, onChoose }: HalfProps) {
  const at = chosen ? rows.indexOf(chosen) : -1;
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const next = step === undefined ? undefined : rows[Math.max(0, at + step)];
    if (!next) return;
    onChoose(next);
    event.preventDefault();
  };
  return (
    <VirtualList
      class="values"
      role="listbox"
      aria-label="Values"
      aria-activedescendant={at >= 0 ? `value-${at}` : undefined}
      tabIndex={0}
      count={rows.length}
      rowHeight={ROW}
      shown={at >= 0 ? at : undefined}
      onKeyDown={onKeyDown}
      row={(index) => {
        const row = rows[index]!;
        return (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the list has the keys
          <div
            key={index}
            id={`value-${index}`}
            class="value-row"
            role="option"
            aria-selected={row === chosen}
            data-lit={row === chosen}
            title={`${row.type} ${row.path}, offset ${offsetText(Math.floor(row.bitOffset / 8))}, ${sizeText(row.bitSize)}`}
            onMouseEnter={() => onChoose(row)}
            onClick={() => onChoose(row)}
          >
            <span class="value-name" style={{ paddingLeft: `${row.depth * 14}px` }}>
              {row.name}
            </span>
            <span class="value-text">{row.value}</span>
            <span class="type">{row.type}</span>
          </div>
        );
      }}
    />
  );
}
