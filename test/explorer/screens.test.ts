// What the explorer looks like: each screen as a coarse grid of how bright it is, compared with the grids of screens
// that somebody has looked at (screens.json). Fonts may differ a little; a part that has moved, or a colour that is
// gone, may not. `BTFKIT_SCREENS=write` makes the file anew, and leaves the screens in build/screens to be looked at.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect } from "vitest";
import type { DrivenBrowser } from "../runtimes/launch.js";
import { needing } from "../support/needs.js";
import { serveFolder, startBrowser, Visit } from "./visit.js";

const KERNEL = "test/data/vmlinux-6.1-cloud-amd64.btf.gz";
const FILE = "test/explorer/screens.json";
const FOLDER = "build/screens";
const HEIGHT = 800;
/** Pixels a cell. */
const CELL = 40;
/** Levels, of 255, by which a cell may differ; and how many cells of a hundred may differ by more. */
const LEVELS = 24;
const PERCENT = 4;

/** Milliseconds between two pictures of a page, and how many are taken until two are equal. */
const PAUSE = 150;
const TRIES = 40;

type Grid = readonly string[];

const isWriting = process.env["BTFKIT_SCREENS"] === "write";
const known: Record<string, Grid> = isWriting ? {} : JSON.parse(readFileSync(FILE, "utf8"));

let browser: DrivenBrowser | undefined;
let server: Awaited<ReturnType<typeof serveFolder>>;

beforeAll(async () => {
  browser = await startBrowser("chromium").catch(() => undefined);
  server = await serveFolder();
});

afterAll(async () => {
  await browser?.close();
  await server.stop();
  if (isWriting) writeFileSync(FILE, `${JSON.stringify(known, null, 2)}\n`);
});

/** Returns the mean brightness of each cell of a picture, two hexadecimal digits each, a string a row. */
async function gridOf(png: string): Promise<Grid> {
  // A page of its own: the explorer's policy forbids pictures from elsewhere.
  const page = await browser!.newPage();
  try {
    return await page.evaluate(
      async (source, cell) => {
        const image = new Image();
        image.src = `data:image/png;base64,${source}`;
        await image.decode();
        const [columns, rows] = [Math.ceil(image.width / cell), Math.ceil(image.height / cell)];
        const canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = [columns * cell, rows * cell];
        const context = canvas.getContext("2d")!;
        context.drawImage(image, 0, 0, columns * cell, rows * cell);
        return Array.from({ length: rows }, (_, row) =>
          Array.from({ length: columns }, (_, column) => {
            const { data } = context.getImageData(column * cell, row * cell, cell, cell);
            let sum = 0;
            for (let i = 0; i < data.length; i += 4) sum += data[i]! + data[i + 1]! + data[i + 2]!;
            return Math.round(sum / (3 * cell * cell))
              .toString(16)
              .padStart(2, "0");
          }).join(""),
        );
      },
      png,
      CELL,
    );
  } finally {
    await page.close();
  }
}

/** A picture of the page once it no longer changes. */
async function settled({ page }: Visit): Promise<string> {
  let png = "";
  for (let tries = 0; tries < TRIES; tries++) {
    const next = await page.screenshot({ encoding: "base64" });
    if (next === png) return png;
    png = next;
    await new Promise((done) => setTimeout(done, PAUSE));
  }
  return png;
}

/** Cells of a hundred that differ by more than they may; all of them if the size does. */
function difference(a: Grid, b: Grid): number {
  const [left, right] = [a, b].map((grid) => Buffer.from(grid.join(""), "hex")) as [Buffer, Buffer];
  if (left.length !== right.length) return 100;
  return (100 * left.filter((level, i) => Math.abs(level - right[i]!) > LEVELS).length) / left.length;
}

needing("chromium")("views at three widths, light and dark, look as they did", async () => {
  await using here = await Visit.at(browser!, server.url);
  const unlike: string[] = [];
  const look = async (name: string): Promise<void> => {
    // Nothing blinks.
    await here.page.evaluate(() => document.querySelector<HTMLElement>(":focus")?.blur());
    const png = await settled(here);
    if (isWriting) {
      mkdirSync(FOLDER, { recursive: true });
      writeFileSync(`${FOLDER}/${name}.png`, png, "base64");
      known[name] = await gridOf(png);
      return;
    }
    const differing = difference(known[name] ?? [], await gridOf(png));
    if (differing > PERCENT) unlike.push(`${name}: ${differing.toFixed(1)} % of the cells`);
  };
  const at = async (name: string): Promise<void> => {
    for (const width of [360, 1280, 2560]) {
      await here.page.setViewport({ width, height: HEIGHT });
      for (const scheme of width === 1280 ? ["light", "dark"] : ["light"]) {
        await here.page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
        await look(`${name}-${width}-${scheme}`);
      }
    }
    await here.page.setViewport({ width: 1280, height: HEIGHT });
  };
  await at("start");
  await here.open(KERNEL);
  await here.goTo("sk_buff");
  for (const tab of ["picture", "table", "code"] as const) {
    await here.tab(tab);
    await at(tab);
  }
  await here.view("Map");
  await here.page.waitForSelector(".map-group");
  await at("map");
  expect(unlike).toEqual([]);
});
