/** The layout as a picture: a cacheline a row, members to scale, free space hatched. */
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { offsetText, placeText, sizeText } from "../numbers.js";
import type { Picture, PictureBox, PictureRow, TypePage } from "../protocol.js";
import { goTo, lit, openPaths, place, togglePath } from "../state.js";
import { useAsked } from "./asked.js";
import { TableTab } from "./table-tab.js";

/** Pixels between rows, and what a row takes besides its boxes. */
const GAP = 5;
const OVERSCAN = 400;
/** From here on the table has room beside the picture. */
const SPLIT = 1280;

export const FILLS = [
  ["pointer", "pointer"],
  ["integer", "integer"],
  ["enum", "enum, bool"],
  ["array", "array"],
  ["composite", "struct, union"],
  ["bitfield", "bitfield"],
  ["free", "hole, padding"],
] as const;

const WIDTHS = [32, 64, 128, 256] as const;

export function PictureTab({ page }: { readonly page: TypePage }) {
  const outer = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [chosen, setChosen] = useState(0);
  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 0));
    if (outer.current) observer.observe(outer.current);
    return () => observer.disconnect();
  }, []);
  const isSplit = width >= SPLIT;
  const room = isSplit ? width * 0.56 : width;
  const rowBytes = chosen || fittingBytes(room);
  const { value, failure } = useAsked(
    "picture",
    width > 0 ? { ref: page.ref, rowBytes, open: openPaths.value } : undefined,
  );
  return (
    <div class="picture-tab" ref={outer} data-split={isSplit}>
      <div class="picture-half">
        <div class="legend">
          {FILLS.map(([fill, label]) => (
            <span key={fill} class="legend-item">
              <i class={`swatch fill-${fill}`} />
              {label}
            </span>
          ))}
          <label class="row-bytes">
            bytes a row{" "}
            <select value={rowBytes} onChange={(event) => setChosen(Number(event.currentTarget.value))}>
              {[...new Set([rowBytes, ...WIDTHS])]
                .sort((a, b) => a - b)
                .map((bytes) => (
                  <option key={bytes} value={bytes}>
                    {bytes}
                  </option>
                ))}
            </select>
          </label>
        </div>
        {failure && <p class="failure">{failure}</p>}
        {value && <Rows picture={value} title={page.title} />}
      </div>
      {isSplit && (
        <div class="table-half">
          <TableTab page={page} />
        </div>
      )}
    </div>
  );
}

/** The widest row in which a pointer still has room for a word. */
function fittingBytes(width: number): number {
  return width >= 620 ? 64 : width >= 330 ? 32 : 16;
}

function Rows({ picture, title }: { readonly picture: Picture; readonly title: string }) {
  const outer = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ top: 0, height: 900 });
  const [focused, setFocused] = useState("");
  const { rows, rowBytes } = picture;
  const tops = useMemo(() => {
    let y = 0;
    return rows.map(({ height }) => {
      const top = y;
      y += height + GAP;
      return top;
    });
  }, [rows]);
  const total = rows.length ? tops.at(-1)! + rows.at(-1)!.height + GAP : 0;
  const look = (): void => {
    const element = outer.current;
    if (element) setSeen({ top: element.scrollTop, height: element.clientHeight });
  };
  useLayoutEffect(look, [picture]);
  const pointed = place.value.byteOffset;
  // Only a new offset scrolls.
  useLayoutEffect(() => {
    if (pointed === undefined) return;
    const at = rows.findLastIndex(({ byteOffset }) => byteOffset <= pointed);
    if (at >= 0 && outer.current) outer.current.scrollTop = Math.max(0, tops[at]! - 80);
  }, [pointed, rows.length]);
  const keys = rows.flatMap(({ boxes }, row) => boxes.map((_, box) => `${row}-${box}`));
  const current = keys.includes(focused) ? focused : keys[0];
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const [row, index] = (current ?? "0-0").split("-").map(Number);
    const box = rows[row!]?.boxes[index!];
    if (step !== undefined) {
      const next = keys[keys.indexOf(current ?? "") + step];
      if (next) moveTo(next);
    } else if (event.key === "g" && box?.link) goTo(box.link);
    else if (event.key === "Enter" && box) activate(box);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const moveTo = (key: string): void => {
    setFocused(key);
    const row = Number(key.split("-")[0]);
    const element = outer.current!;
    const top = tops[row]!;
    if (top < element.scrollTop || top + rows[row]!.height > element.scrollTop + element.clientHeight)
      element.scrollTop = top - 60;
    requestAnimationFrame(() => document.getElementById(`box-${key}`)?.focus());
  };
  return (
    <>
      <Ruler rowBytes={rowBytes} />
      <div
        class="picture"
        role="group"
        aria-label={`Layout of ${title}, ${rowBytes} bytes a row`}
        ref={outer}
        onScroll={look}
        onKeyDown={onKeyDown}
      >
        <div class="picture-rows" style={{ height: `${total}px` }}>
          {rows.map((row, i) =>
            tops[i]! + row.height < seen.top - OVERSCAN || tops[i]! > seen.top + seen.height + OVERSCAN ? null : (
              <Row
                key={row.byteOffset}
                row={row}
                index={i}
                top={tops[i]!}
                rowBytes={rowBytes}
                focusKey={current}
                onFocus={setFocused}
                pointed={pointed}
              />
            ),
          )}
        </div>
      </div>
      <Pointed boxes={rows} />
    </>
  );
}

function activate(box: PictureBox): void {
  if (box.opens) togglePath(box.path);
  else if (box.link) goTo(box.link);
}

function Ruler({ rowBytes }: { readonly rowBytes: number }) {
  const marks = Array.from({ length: rowBytes / 8 + 1 }, (_, i) => i * 8);
  return (
    <div class="ruler" aria-hidden="true">
      {marks.map((byte) => (
        <span key={byte} style={{ left: `${(byte / rowBytes) * 100}%` }}>
          {offsetText(byte)}
        </span>
      ))}
    </div>
  );
}

interface RowProps {
  readonly row: PictureRow;
  readonly index: number;
  readonly top: number;
  readonly rowBytes: number;
  readonly focusKey: string | undefined;
  readonly onFocus: (key: string) => void;
  readonly pointed: number | undefined;
}

function Row({ row, index, top, rowBytes, focusKey, onFocus, pointed }: RowProps) {
  const { byteOffset, lines, height, boxes } = row;
  const isLine = byteOffset % 64 === 0;
  return (
    <div class="picture-row" data-line={isLine} style={{ top: `${top}px`, height: `${height}px` }}>
      <span class="row-offset">{offsetText(byteOffset)}</span>
      {lines > 1 ? (
        <div class="folded">… {lines.toLocaleString("en")} rows …</div>
      ) : (
        <div class="row-boxes">
          {boxes.map((box, i) => {
            const key = `${index}-${i}`;
            return (
              <Box
                key={key}
                id={key}
                box={box}
                rowBits={rowBytes * 8}
                isFocusable={key === focusKey}
                onFocus={onFocus}
                pointed={pointed}
              />
            );
          })}
        </div>
      )}
    </div>
  );
}

interface BoxProps {
  readonly id: string;
  readonly box: PictureBox;
  readonly rowBits: number;
  readonly isFocusable: boolean;
  readonly onFocus: (key: string) => void;
  readonly pointed: number | undefined;
}

function Box({ id, box, rowBits, isFocusable, onFocus, pointed }: BoxProps) {
  const {
    kind,
    fill,
    name,
    path,
    type,
    start,
    bits,
    top,
    height,
    startsBefore,
    endsAfter,
    bitOffset,
    bitSize,
    opens,
    isOpen,
  } = box;
  const isFree = fill === "free";
  const isAt = pointed !== undefined && bitOffset <= pointed * 8 + 7 && bitOffset + bitSize > pointed * 8;
  const where = `offset ${placeText(bitOffset, fill === "bitfield")}, ${sizeText(bitSize)}`;
  return (
    <button
      type="button"
      id={`box-${id}`}
      class={`box fill-${fill} box-${kind}`}
      data-lit={path !== "" && lit.value === path}
      data-at={isAt}
      data-before={startsBefore}
      data-after={endsAfter}
      data-tall={height >= 30}
      tabIndex={isFocusable ? 0 : -1}
      data-path={path || undefined}
      aria-expanded={opens ? isOpen : undefined}
      title={isFree ? `${kind}: ${sizeText(bitSize)} at ${placeText(bitOffset)}` : `${type} ${path || name}\n${where}`}
      style={{
        left: `${(start / rowBits) * 100}%`,
        width: `${(bits / rowBits) * 100}%`,
        top: `${top}px`,
        height: `${Math.max(1, height - 1)}px`,
      }}
      onMouseEnter={() => {
        lit.value = path;
      }}
      onFocus={() => {
        lit.value = path;
        onFocus(id);
      }}
      onClick={() => {
        if (opens) togglePath(path);
      }}
      onDblClick={() => box.link && !opens && goTo(box.link)}
    >
      {isFree ? (
        <span class="free-size" aria-hidden="true">
          {sizeText(bitSize)}
        </span>
      ) : (
        <>
          <span class="box-name">
            {startsBefore && "… "}
            {name}
            {opens && <span class="twist">{isOpen ? " ▾" : " ▸"}</span>}
          </span>
          <span class="box-type" aria-hidden="true">
            {type}
          </span>
        </>
      )}
      <span class="unseen">
        {isFree ? kind : path !== name && path}, {where}
      </span>
    </button>
  );
}

/** The member that is pointed at, in words, with the way to its type. */
function Pointed({ boxes }: { readonly boxes: readonly PictureRow[] }) {
  const path = lit.value;
  const box = useMemo(
    () => boxes.flatMap((row) => row.boxes).find((one) => path !== "" && one.path === path),
    [boxes, path],
  );
  return (
    <p class="pointed">
      {box ? (
        <>
          <b>{box.path}</b> <span class="type">{box.type}</span>
          <span>offset {placeText(box.bitOffset, box.fill === "bitfield")}</span>
          <span>{sizeText(box.bitSize)}</span>
          <span>cacheline {Math.floor(box.bitOffset / 512)}</span>
          {box.link && (
            <button type="button" class="link" onClick={() => goTo(box.link!)}>
              go to its type
            </button>
          )}
        </>
      ) : (
        <span class="hint">Point at a member. A click opens a struct in place.</span>
      )}
    </p>
  );
}
