/** A layout as an SVG picture: cachelines as rows, members to scale, free space hatched. */

import type { Layout, LayoutMember } from "../layout/types.js";
import { type LayoutBox, type LayoutRow, layoutRows } from "./rows.js";

/** How a picture looks. */
export interface LayoutSvgOptions {
  /** `auto` follows the reader's preference (default). */
  readonly scheme?: "auto" | "light" | "dark";
  /** Offsets in hexadecimal (default false). */
  readonly hex?: boolean;
  /** Starts the ids in the picture: give each its own where several stand in one page (default `layout`). */
  readonly idPrefix?: string;
}

/** Pixels: a row's width without its offset, the margin that offsets stand in, and what stands around. */
const ROW_WIDTH = 960;
const MARGIN = 64;
const HEAD = 62;
const ROW_GAP = 4;
const FOOT = 44;
const RIGHT = 16;
/** Of the monospaced text, in pixels. */
const CHARACTER = 6.65;
const SMALL_CHARACTER = 6.05;
const INSET = 7;

type Fill = "pointer" | "integer" | "composite" | "array" | "bitfield" | "enum" | "other";

const LEGEND: readonly (readonly [Fill | "free", string])[] = [
  ["pointer", "pointer"],
  ["integer", "integer"],
  ["enum", "enum, bool"],
  ["array", "array"],
  ["composite", "struct, union"],
  ["bitfield", "bitfield"],
  ["free", "hole, padding"],
];

/** Fill and edge of each kind of box. */
const LIGHT: Readonly<Record<Fill, readonly [fill: string, edge: string]>> = {
  pointer: ["#d3e5f8", "#0b64a8"],
  integer: ["#d5efe2", "#0a7d58"],
  composite: ["#e8def6", "#7a4fb5"],
  array: ["#fbe6c4", "#b26f00"],
  bitfield: ["#f8d9e6", "#b03a77"],
  enum: ["#d6eef2", "#0b7c8c"],
  other: ["#e7e7e7", "#6b6b6b"],
};
const DARK: Readonly<Record<Fill, readonly [fill: string, edge: string]>> = {
  pointer: ["#173a5c", "#62aef0"],
  integer: ["#12412f", "#4cc795"],
  composite: ["#3a2a57", "#b391ea"],
  array: ["#4d370f", "#e5a83c"],
  bitfield: ["#52203a", "#ea86b6"],
  enum: ["#124248", "#58c3d3"],
  other: ["#3a3a3a", "#a8a8a8"],
};

const GROUND = {
  light: { paper: "#ffffff", ink: "#16191d", dim: "#4d545c", line: "#c9ced4", warn: "#a3260f", hatch: "#d9534f" },
  dark: { paper: "#12151a", ink: "#eef1f4", dim: "#aeb6bf", line: "#3a424b", warn: "#ff9a85", hatch: "#b3483c" },
};

/**
 * Returns an SVG document of a layout: a row for each cacheline, members to
 * scale, holes and padding hatched, long runs folded. It needs no fonts, scripts
 * or files besides itself, and follows the reader's colour scheme.
 *
 * @throws BtfLimitError ERR_WORK for a picture of more than 100,000 boxes
 * @example
 * const svg = layoutSvg(layout(btf.require("list_head")), { scheme: "dark" });
 * console.log(svg.slice(0, 4)); // <svg
 */
export function layoutSvg(
  layout: Layout,
  { scheme = "auto", hex = false, idPrefix = "layout" }: LayoutSvgOptions = {},
): string {
  const id = idPrefix.replace(/[^\w-]/g, "_");
  const drawing = new Drawing(layout, hex, id);
  return drawing.svg(scheme);
}

class Drawing {
  readonly #layout: Layout;
  readonly #hex: boolean;
  readonly #id: string;
  /** Pixels a bit. */
  readonly #scale: number;
  readonly #parts: string[] = [];
  readonly #named = new Set<LayoutMember | object>();

  constructor(layout: Layout, hex: boolean, id: string) {
    this.#layout = layout;
    this.#hex = hex;
    this.#id = id;
    this.#scale = ROW_WIDTH / (layout.cachelineBytes * 8);
  }

  svg(scheme: "auto" | "light" | "dark"): string {
    const rows = layoutRows(this.#layout);
    this.#head();
    let y = HEAD;
    for (const row of rows) {
      this.#row(row, y);
      y += row.height + ROW_GAP;
    }
    this.#legend(y + 14);
    const width = MARGIN + ROW_WIDTH + RIGHT;
    const height = y + FOOT;
    const title = escaped(this.#title());
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" class="${this.#id}" width="${width}" height="${round(height)}" viewBox="0 0 ${width} ${round(height)}" role="img" aria-label="${title}">`,
      `<title>${title}</title>`,
      `<style>${this.#style(scheme)}</style>`,
      `<defs><pattern id="${this.#id}-hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="f" width="7" height="7"/><rect class="h" width="2" height="7"/></pattern></defs>`,
      `<rect class="p" width="${width}" height="${round(height)}"/>`,
      ...this.#parts,
      "</svg>\n",
    ].join("\n");
  }

  #title(): string {
    const { kind, name, byteSize } = this.#layout;
    return `${kind} ${name || "(anonymous)"}, ${grouped(byteSize)} ${byteSize === 1 ? "byte" : "bytes"}`;
  }

  #style(scheme: "auto" | "light" | "dark"): string {
    const root = `svg.${this.#id}`;
    const colours = (which: "light" | "dark"): string => {
      const { paper, ink, dim, line, warn, hatch } = GROUND[which];
      const fills = Object.entries(which === "light" ? LIGHT : DARK)
        .map(
          ([fill, [colour, edge]]) =>
            `${root} .${fill}{fill:${colour};stroke:${edge}}${root} .${fill}-edge{fill:${edge}}`,
        )
        .join("");
      return (
        `${root} .p,${root} .f{fill:${paper}}${root} text{fill:${ink}}${root} .d{fill:${dim}}${root} .w{fill:${warn}}` +
        `${root} .h{fill:${hatch}}${root} .l{stroke:${line}}${root} .e{fill:${line}}${root} .free{fill:url(#${this.#id}-hatch);stroke:${hatch}}${root} .g{fill:${paper}}${fills}`
      );
    };
    const font = `${root} text{font:11px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}${root} .t{font-size:16px;font-weight:600}${root} .s{font-size:10px}${root} .b{font-weight:600}`;
    if (scheme !== "auto") return font + colours(scheme);
    return `${font}${colours("light")}@media (prefers-color-scheme:dark){${colours("dark")}}`;
  }

  #head(): void {
    const { kind, name, byteSize, cachelineBytes, statistics, isPacked, forcedAlignment } = this.#layout;
    const { cachelines, holes, holeBytes, bitHoles, holeBits, paddingBytes, paddingBits } = statistics;
    const facts = [
      `${grouped(byteSize)} bytes`,
      `${grouped(cachelines)} ${cachelines === 1 ? "cacheline" : "cachelines"} of ${cachelineBytes}`,
      `${grouped(statistics.members)} ${statistics.members === 1 ? "member" : "members"}`,
    ];
    if (isPacked) facts.push("packed");
    if (forcedAlignment) facts.push(`aligned to ${forcedAlignment}`);
    const free: string[] = [];
    if (holes) free.push(`${holes} ${holes === 1 ? "hole" : "holes"} (${grouped(holeBytes)} bytes)`);
    if (bitHoles) free.push(`${bitHoles} bit ${bitHoles === 1 ? "hole" : "holes"} (${holeBits} bits)`);
    if (paddingBytes) free.push(`${grouped(paddingBytes)} bytes of padding`);
    if (paddingBits) free.push(`${paddingBits} bits of padding`);
    const title = cut(`${kind} ${name || "(anonymous)"}`, 60);
    this.#parts.push(`<text class="t" x="${MARGIN}" y="24">${escaped(title)}</text>`);
    const after = MARGIN + title.length * 9.7 + 16;
    this.#parts.push(
      `<text x="${round(after)}" y="24"><tspan class="d">${facts.join(" · ")}</tspan>${free.length ? `<tspan class="w"> · ${free.join(" · ")}</tspan>` : ""}</text>`,
    );
    for (let byte = 0; byte <= cachelineBytes; byte += Math.max(8, cachelineBytes / 16)) {
      const x = round(MARGIN + byte * 8 * this.#scale);
      const anchor = byte === cachelineBytes ? ' text-anchor="end"' : "";
      this.#parts.push(
        `<path class="l" d="M${x} ${HEAD - 8}v5"/>`,
        `<text class="d s" x="${x}" y="${HEAD - 12}"${anchor}>${this.#number(byte)}</text>`,
      );
    }
  }

  #number(value: number): string {
    return this.#hex ? `0x${value.toString(16)}` : grouped(value);
  }

  #row({ byteOffset, lines, height, boxes }: LayoutRow, y: number): void {
    const middle = round(y + height / 2 + 4);
    this.#parts.push(
      `<text class="d" x="${MARGIN - 8}" y="${lines > 1 ? middle : round(y + 15)}" text-anchor="end">${this.#number(byteOffset)}</text>`,
    );
    if (lines > 1) {
      this.#parts.push(
        `<path class="l" stroke-dasharray="2 4" d="M${MARGIN} ${round(y + height / 2)}h${ROW_WIDTH}"/>`,
        `<rect class="p" x="${MARGIN + ROW_WIDTH / 2 - 70}" y="${y}" width="140" height="${height}"/>`,
        `<text class="d" x="${MARGIN + ROW_WIDTH / 2}" y="${middle}" text-anchor="middle">… ${grouped(lines)} lines …</text>`,
      );
      return;
    }
    for (const box of boxes) this.#box(box, y);
  }

  #box(box: LayoutBox, y: number): void {
    const { kind, member, gap, bitOffset, bitSize, startsBefore, endsAfter, top, height } = box;
    const rowBits = this.#layout.cachelineBytes * 8;
    const x = round(MARGIN + (bitOffset % rowBits) * this.#scale);
    const width = round(bitSize * this.#scale);
    const at = round(y + top);
    const shown = round(Math.max(1, height - 1));
    const isFree = kind === "hole" || kind === "padding";
    const fill = member ? fillOf(member) : "free";
    // What goes on in another row has no edge towards it.
    const edges = `M${x} ${at}h${width}${endsAfter ? `m0 ${shown}` : `v${shown}`}h${round(-width)}${startsBefore ? "" : "z"}`;
    const parts = [
      `<rect class="${fill}" stroke="none" style="stroke:none" x="${x}" y="${at}" width="${width}" height="${shown}"/>`,
      `<path class="${fill}" style="fill:none" d="${edges}"/>`,
    ];
    if (!isFree && kind === "member" && !startsBefore && width >= 6) {
      parts.push(`<rect class="${fill}-edge" x="${x}" y="${at}" width="3" height="${shown}"/>`);
    }
    const key = member ?? gap!;
    const isNamed = this.#named.has(key);
    if (isNamed && startsBefore && member && width >= ROW_WIDTH / 8) {
      const label = cut(`… ${member.name || `(${member.category})`}`, Math.floor((width - INSET) / SMALL_CHARACTER));
      parts.push(`<text class="d s" x="${round(x + INSET)}" y="${round(at + shown / 2 + 4)}">${escaped(label)}</text>`);
    }
    if (!isNamed) {
      const isRoomy = width >= INSET * 2 + CHARACTER * 3;
      if (isRoomy || !endsAfter) this.#named.add(key);
      if (isRoomy) parts.push(...this.#label(box, x, at, width, shown));
    }
    this.#parts.push(`<g><title>${escaped(this.#hint(box))}</title>${parts.join("")}</g>`);
  }

  #label({ kind, member, gap }: LayoutBox, x: number, y: number, width: number, height: number): string[] {
    const room = Math.floor((width - INSET - 4) / CHARACTER);
    const left = round(x + INSET);
    if (gap) {
      const bytes = gap.bitSize / 8;
      const size = Number.isInteger(bytes) ? `${grouped(bytes)} B` : `${gap.bitSize} bit`;
      const text = [`${size} ${gap.kind}`, size, size.split(" ")[0]!].find((one) => one.length <= room);
      if (!text) return [];
      const middle = round(x + width / 2);
      const plate = round(text.length * CHARACTER + 8);
      const centre = round(y + height / 2 + 4);
      return [
        `<rect class="g" x="${round(middle - plate / 2)}" y="${round(centre - 11)}" width="${plate}" height="15" rx="2"/>`,
        `<text class="w" x="${middle}" y="${centre}" text-anchor="middle">${text}</text>`,
      ];
    }
    const name = member!.name || `(${member!.category})`;
    const type = member!.bitfieldBits ? `:${member!.bitfieldBits}` : member!.typeText;
    if (kind === "band" || height < 30) {
      const line = round(y + height / 2 + 4);
      const label = cut(name, room);
      const rest = room - label.length - 2;
      const tail = rest >= Math.min(6, type.length) ? ` <tspan class="d">${escaped(cut(type, rest))}</tspan>` : "";
      return [`<text x="${left}" y="${line}"><tspan class="b">${escaped(label)}</tspan>${tail}</text>`];
    }
    const middle = y + height / 2;
    const small = Math.floor((width - INSET - 4) / SMALL_CHARACTER);
    return [
      `<text class="b" x="${left}" y="${round(middle - 3)}">${escaped(cut(name, room))}</text>`,
      `<text class="d s" x="${left}" y="${round(middle + 11)}">${escaped(cut(type, small))}</text>`,
    ];
  }

  #hint({ member, gap, path }: LayoutBox): string {
    if (gap) {
      const bits = gap.bitOffset % 8;
      const at = `${this.#number(Math.floor(gap.bitOffset / 8))}${bits ? `, bit ${bits}` : ""}`;
      const size = gap.bitSize % 8 ? `${gap.bitSize} bits` : `${grouped(gap.bitSize / 8)} bytes`;
      return `${gap.kind}: ${size} at ${at}`;
    }
    const { declaration, byteOffset, byteSize, bitfieldBits, bitfieldOffset, name } = member!;
    const bits = bitfieldBits ? `, bit ${bitfieldOffset}` : "";
    const within = path && path !== name ? `${path} — ` : "";
    return `${within}${declaration}\noffset ${this.#number(byteOffset)}${bits}, ${grouped(byteSize)} bytes`;
  }

  #legend(y: number): void {
    let x = MARGIN;
    for (const [fill, text] of LEGEND) {
      this.#parts.push(
        `<rect class="${fill}" x="${x}" y="${round(y - 10)}" width="14" height="12"/>`,
        `<text class="d s" x="${x + 20}" y="${round(y)}">${text}</text>`,
      );
      x += 20 + text.length * SMALL_CHARACTER + 22;
    }
  }
}

function fillOf({ category }: LayoutMember): Fill {
  switch (category) {
    case "struct":
    case "union":
      return "composite";
    case "bool":
      return "enum";
    case "float":
      return "integer";
    default:
      return category;
  }
}

/** A text in so many characters. */
function cut(text: string, room: number): string {
  return text.length <= room ? text : `${text.slice(0, Math.max(0, room - 1))}…`;
}

function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Text as XML has it; what XML cannot hold becomes U+FFFD. */
function escaped(text: string): string {
  return text
    .replace(/[\p{Cc}\ufffe\uffff]/gu, (char) => ("\t\n\r".includes(char) ? char : "\ufffd"))
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/"/g, "&quot;");
}
