/** The rows that have a native counterpart, as bars of time relative to it. */
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { quantity, ratio } from "./format.mjs";

const HEADINGS = { open: "Open", find: "Find by name", dump: "Dump, whole process", edit: "Merge and encode" };

/** Longer bars are cut off here, so that the others stay readable; the figures beside them tell. */
const LONGEST = 3;

/** Light and dark pages; what has no class of its own is drawn in currentColor. */
const STYLE = `
  .bench { color: #1f2328; }
  .bench .faster { fill: #2a9d78; }
  .bench .slower { fill: #d08424; }
  @media (prefers-color-scheme: dark) {
    .bench { color: #e6edf3; }
  }
`;

const WIDTH = 960;
const ROW = 24;
const TOP = 112;
const BOTTOM = 36;
const NAMES = 330;
const FIGURES = 210;

/** Figures beside the bars: what they show, and where they end, measured from the plot area. */
const COLUMNS = [
  { title: "ratio", right: 58, text: (row) => ratio(row.ratio), fontWeight: 600 },
  { title: "btfkit", right: 130, text: (row) => quantity(row.ours, row.unit) },
  { title: "native", right: 200, text: (row) => quantity(row.theirs, row.unit) },
];

function circumstances({ date, machine, subject }) {
  const tools = ["node", "bun", "deno", "bpftool", "libbpf"].filter((tool) => machine[tool]);
  const size = `${(subject.byteSize / 1e6).toFixed(1)} MB, ${subject.typeCount.toLocaleString("en")} types`;
  return `vmlinux BTF (${size}), ${machine.cpu}, ${tools.map((tool) => `${tool} ${machine[tool]}`).join(", ")}, ${date}`;
}

/** A line of text above the bars. */
const headline = (text, top, options) =>
  Plot.text([text], { frameAnchor: "top-left", textAnchor: "start", dx: 12 - NAMES, dy: top - TOP, ...options });

/** A column of figures with its title. */
function column({ title, right, text, ...options }, rows) {
  const place = { textAnchor: "end", dx: right, fontVariant: "tabular-nums", ...options };
  return [
    Plot.text(rows, { text, y: "name", frameAnchor: "right", ...place }),
    Plot.text([title], { frameAnchor: "top-right", ...place, dy: -18 }),
  ];
}

const bars = (className, rows) =>
  Plot.barX(rows, { x: (row) => Math.min(row.ratio, LONGEST), y: "name", className, insetTop: 4, insetBottom: 4 });

function marks(results, rows, groups) {
  const targeted = rows.filter((row) => row.target);
  return [
    headline("btfkit beside libbpf and bpftool", 24, { fontSize: 18, fontWeight: 600 }),
    headline(circumstances(results), 48),
    headline("Medians of time relative to the native tool, shorter is faster. Ticks are targets.", 68),
    Plot.axisX({ label: null, tickSize: 0 }),
    Plot.gridX({ strokeOpacity: 0.15 }),
    Plot.text(groups, {
      text: (group) => HEADINGS[group],
      y: (group) => group,
      frameAnchor: "left",
      textAnchor: "start",
      dx: 12 - NAMES,
      fontWeight: 600,
    }),
    Plot.text(rows, {
      text: (row) => `${row.name} / ${row.against}`,
      y: "name",
      frameAnchor: "left",
      textAnchor: "end",
      dx: -10,
    }),
    bars(
      "faster",
      rows.filter((row) => row.ratio <= 1),
    ),
    bars(
      "slower",
      rows.filter((row) => row.ratio > 1),
    ),
    Plot.ruleX([1]),
    Plot.text(["native = 1"], { x: [1], frameAnchor: "top", dy: -18 }),
    Plot.tickX(targeted, { x: (row) => row.target.ratio, y: "name", strokeWidth: 3, insetTop: 3, insetBottom: 3 }),
    Plot.text(
      rows.filter((row) => row.ratio > LONGEST),
      { text: () => "→", x: () => LONGEST, y: "name", textAnchor: "end", dx: -4 },
    ),
    ...COLUMNS.map((one) => column(one, rows)),
  ];
}

/** The results as an SVG document. */
export function chart(results) {
  const rows = results.rows.filter((row) => row.ratio !== undefined);
  const groups = Object.keys(HEADINGS).filter((group) => rows.some((row) => row.group === group));
  const lines = groups.flatMap((group) => [
    group,
    ...rows.filter((row) => row.group === group).map(({ name }) => name),
  ]);

  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const svg = Plot.plot({
    document,
    className: "bench",
    width: WIDTH,
    height: TOP + lines.length * ROW + BOTTOM,
    marginTop: TOP,
    marginBottom: BOTTOM,
    marginLeft: NAMES,
    marginRight: FIGURES,
    style: { fontSize: "13px" },
    x: { domain: [0, LONGEST], ticks: 6, tickFormat: (x) => `${x} ×` },
    y: { domain: lines, padding: 0, axis: null },
    marks: marks(results, rows, groups),
  });
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const style = document.createElement("style");
  style.textContent = STYLE;
  svg.append(style);
  return `${svg.outerHTML}\n`;
}
