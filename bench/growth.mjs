// growth.mjs FILE: what archive-scale.mjs has printed, as a picture of how the archive grew: docs/archive-growth.svg.
import { readFileSync, writeFileSync } from "node:fs";
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

/** Light and dark pages; what has no class of its own is drawn in currentColor. */
const STYLE = `
  .growth { color: #1f2328; --line: #0b6bcb; }
  @media (prefers-color-scheme: dark) {
    .growth { color: #e6edf3; --line: #6cb6ff; }
  }
`;

const rows = readFileSync(process.argv[2], "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));
const { document } = parseHTML("<!doctype html><html><body></body></html>");
const figure = ({ stored, raw }) => `${(stored / 1e6).toFixed(1)} MB of ${(raw / 1e6).toFixed(0)}`;
const shown = rows.filter(({ kernels }) => kernels >= 250);
const svg = Plot.plot({
  document,
  className: "growth",
  width: 760,
  height: 340,
  marginTop: 56,
  marginLeft: 56,
  marginRight: 120,
  marginBottom: 44,
  style: { fontSize: "13px" },
  x: { label: "releases", labelArrow: "none", tickFormat: (x) => x.toLocaleString("en"), nice: true },
  y: { label: null, tickFormat: (y) => `${y} MB`, zero: true, ticks: 5 },
  marks: [
    Plot.text(["An archive of releases, each changed as Debian's change"], {
      frameAnchor: "top-left",
      dy: -44,
      fontSize: 16,
      fontWeight: 600,
    }),
    Plot.text(["Bytes of the archive, of all the BTF in it"], { frameAnchor: "top-left", dy: -22 }),
    Plot.gridY({ strokeOpacity: 0.15 }),
    Plot.line(rows, { x: "kernels", y: ({ stored }) => stored / 1e6, stroke: "var(--line)", strokeWidth: 2.5 }),
    Plot.dot(shown, { x: "kernels", y: ({ stored }) => stored / 1e6, fill: "var(--line)", r: 4 }),
    Plot.text(shown, {
      x: "kernels",
      y: ({ stored }) => stored / 1e6,
      text: figure,
      textAnchor: "start",
      dx: 6,
      dy: 12,
    }),
  ],
});
svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
const style = document.createElement("style");
style.textContent = STYLE;
svg.append(style);
writeFileSync("docs/archive-growth.svg", `${svg.outerHTML}\n`);
