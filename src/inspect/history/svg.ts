/** Histories as a step chart: kernels from left to right, offsets upwards. */

import type { MemberHistory } from "./history.js";
import { bytesText } from "./text.js";

/** Pixels. */
const COLUMN = 92;
const HEIGHT = 240;
const TOP = 44;
const LEFT = 64;
const RIGHT = 28;
const LEGEND_ROW = 20;
/** Lines that are told apart by colour; further ones take the colours again, dashed. */
const COLOURS = 6;
/** Characters of a kernel's name that a column has room for, slanted. */
const NAME = 30;

const STYLE = `
  .chart { font: 12px system-ui, sans-serif; fill: #1f2328; }
  .back { fill: #ffffff; }
  .grid { stroke: #d8dee4; stroke-width: 1; }
  .muted { fill: #59636e; }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
  .again { stroke-dasharray: 5 4; }
  .c0 { stroke: #0969da; } .c1 { stroke: #bc4c00; } .c2 { stroke: #1a7f37; }
  .c3 { stroke: #8250df; } .c4 { stroke: #bf3989; } .c5 { stroke: #7d6200; }
  .dot { fill: #ffffff; stroke-width: 2; }
  @media (prefers-color-scheme: dark) {
    .chart { fill: #e6edf3; } .back, .dot { fill: #0d1117; } .grid { stroke: #30363d; } .muted { fill: #9198a1; }
    .c0 { stroke: #58a6ff; } .c1 { stroke: #f0883e; } .c2 { stroke: #3fb950; }
    .c3 { stroke: #bc8cff; } .c4 { stroke: #f778ba; } .c5 { stroke: #d4a72c; }
  }
`;

function escaped(text: string): string {
  const safe = text.replace(/\p{Cc}/gu, "\ufffd");
  return safe.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** Steps between the marks of an axis: 1, 2, 4, 8 … bytes times a power of ten or two that gives few of them. */
function marksOf(least: number, most: number): number[] {
  let step = 1;
  while ((most - least) / step > 6) step *= 2;
  const marks: number[] = [];
  for (let at = Math.floor(least / step) * step; at <= most + step - 1; at += step) marks.push(at);
  return marks.length > 1 ? marks : [marks[0] ?? 0, (marks[0] ?? 0) + step];
}

/**
 * Returns histories as a step chart in SVG, for light and dark surroundings: a line a member, offsets in bytes, a gap
 * where a kernel does not have it. Each dot says offset, size and type when it is pointed at.
 *
 * @example
 * const kernels = ["6.1.0-49", "6.1.0-50"].map((name) => ({ name, btfs: [btf] }));
 * console.log(historySvg(history(["task_struct.pid"], kernels)).startsWith("<svg ")); // true
 */
export function historySvg(histories: readonly MemberHistory[]): string {
  const kernels = histories[0]?.states.map(({ kernel }) => kernel) ?? [];
  const offsets = histories.flatMap(({ states }) =>
    states.flatMap(({ bitOffset }) => (bitOffset === undefined ? [] : [bitOffset / 8])),
  );
  const marks = marksOf(Math.min(...offsets, offsets.length > 0 ? Infinity : 0), Math.max(...offsets, 0));
  const [low, high] = [marks[0]!, marks.at(-1)!];
  const names = kernels.map((name) => (name.length > NAME ? `${name.slice(0, NAME - 1)}…` : name));
  const legend = histories.length * LEGEND_ROW;
  const right = Math.max(RIGHT, ...names.map((name, i) => textReach(name) - (kernels.length - 1 - i) * COLUMN));
  const width = LEFT + Math.max(0, kernels.length - 1) * COLUMN + right + COLUMN / 2;
  const bottom = TOP + HEIGHT;
  const height = bottom + 24 + Math.max(0, ...names.map((name) => textReach(name) * 0.62)) + legend + 16;
  const x = (i: number): number => LEFT + COLUMN / 4 + i * COLUMN;
  const y = (bytes: number): number => bottom - ((bytes - low) / (high - low)) * HEIGHT;
  const round = (value: number): string => String(Math.round(value * 10) / 10);

  let text = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${round(width)} ${round(height)}" width="${round(width)}" height="${round(height)}" class="chart" role="img" aria-label="Offsets of ${escaped(histories.map(({ member }) => member).join(", "))}">\n`;
  text += `<style>${STYLE}</style>\n<rect class="back" width="100%" height="100%"/>\n`;
  text += `<text x="12" y="24" class="muted">offset in bytes</text>\n`;
  for (const mark of marks) {
    text += `<path class="grid" d="M${LEFT} ${round(y(mark))}H${round(x(kernels.length - 1) + COLUMN / 4)}"/>`;
    text += `<text x="${LEFT - 8}" y="${round(y(mark) + 4)}" text-anchor="end" class="muted">${mark}</text>\n`;
  }
  for (const [i, name] of names.entries()) {
    text += `<text transform="translate(${round(x(i))} ${bottom + 18}) rotate(35)" class="muted">${escaped(name)}</text>\n`;
  }
  histories.forEach((history, n) => {
    const style = `c${n % COLOURS}${n >= COLOURS ? " again" : ""}`;
    let path = "";
    let before: number | undefined;
    history.states.forEach(({ bitOffset }, i) => {
      if (bitOffset === undefined) before = undefined;
      else {
        const level = round(y(bitOffset / 8));
        // A step stands half way between the kernels that it lies between.
        path +=
          before === undefined ? `M${round(x(i))} ${level}` : `H${round(x(i) - COLUMN / 2)}V${level}H${round(x(i))}`;
        before = bitOffset;
      }
    });
    if (path) text += `<path class="line ${style}" d="${path}"/>\n`;
    history.states.forEach(({ bitOffset, bitSize, type, kernel }, i) => {
      if (bitOffset === undefined) return;
      const title = `${history.member} in ${kernel}: offset ${bytesText(bitOffset)}, size ${bytesText(bitSize)}, ${type}`;
      text += `<circle class="dot ${style}" cx="${round(x(i))}" cy="${round(y(bitOffset / 8))}" r="3.5"><title>${escaped(title.replace(/\s+/g, " "))}</title></circle>\n`;
    });
  });
  histories.forEach(({ member, since, until, movedTo }, n) => {
    const at = height - 16 - legend + n * LEGEND_ROW + 12;
    const facts = [since && `since ${since}`, until && `until ${until}`, movedTo && `moved to ${movedTo.path}?`].filter(
      Boolean,
    );
    const style = `c${n % COLOURS}${n >= COLOURS ? " again" : ""}`;
    text += `<path class="line ${style}" d="M12 ${round(at - 4)}h24"/>`;
    text += `<text x="44" y="${round(at)}">${escaped(member)}<tspan class="muted" dx="8">${escaped(facts.join(", "))}</tspan></text>\n`;
  });
  return `${text}</svg>\n`;
}

/** About how far a slanted name reaches to the right, in pixels. */
function textReach(name: string): number {
  return name.length * 6.6 * 0.82 + 12;
}
