// The built explorer in real browsers, as a person uses it: the folder on a server, the page that is one file, and
// what `btfkit explore` serves.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";
import { Btf, fieldOf } from "btfkit";
import { openImage } from "btfkit/image";
import { layout, memberTextAt, relations } from "btfkit/inspect";
import { afterAll, beforeAll, describe, expect } from "vitest";
import type { DrivenBrowser } from "../runtimes/launch.js";
import { Image, STRUCT, TYPEDEF } from "../support/image.js";
import { corpusPath, needing } from "../support/needs.js";
import { FOLDER, serveFolder, startBrowser, Visit } from "./visit.js";

const KERNEL = corpusPath("vmlinux/6.12-amd64.btf.gz");
const OLD = corpusPath("series/6.1.0-47-cloud-amd64.btf.gz");
const NEW = corpusPath("series/6.1.0-56-cloud-amd64.btf.gz");
const OBJECTS = ["biolatency", "execsnoop"].map((name) => corpusPath(`objects/lt026-${name}.bpf.o`));

let folder: string;
let server: Awaited<ReturnType<typeof serveFolder>>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "btfkit-explorer-"));
  server = await serveFolder();
});

afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

function kernel(): Btf {
  return Btf.parse(gunzipSync(readFileSync(KERNEL)));
}

describe.each(["chromium", "firefox"] as const)("in %s", (name) => {
  const test = needing(name, "the corpus in ../shared");
  let browser: DrivenBrowser | undefined;

  beforeAll(async () => {
    browser = await startBrowser(name).catch(() => undefined);
  });
  afterAll(async () => {
    await browser?.close();
  });

  const visit = (url = server.url): Promise<Visit> => Visit.at(browser!, url);

  test("finds a type, and shows where its members lie", async () => {
    await using here = await visit();
    await here.open(KERNEL);
    const task = layout(kernel().require("task_struct", "struct"));
    await here.goTo("task_struct");
    expect(await here.text(".type-head .facts")).toContain(`${task.byteSize.toLocaleString("en")} B`);
    // Each box of the first line is where the library says, to scale.
    await here.page.waitForSelector(".box");
    const boxes = await here.page.$$eval(".picture-row:first-child .box-member", (elements) =>
      elements.map((element) => ({
        label: (element as HTMLElement).dataset["path"]!,
        left: Number.parseFloat((element as HTMLElement).style.left),
      })),
    );
    const rowBits =
      Number(await here.page.$eval(".row-bytes select", (element) => (element as HTMLSelectElement).value)) * 8;
    const expected = task.members.filter(({ bitOffset, bitSize }) => bitSize > 0 && bitOffset < rowBits);
    expect(boxes.map(({ label }) => label)).toEqual(expected.map((member) => member.name));
    boxes.forEach(({ left }, i) => expect(left).toBeCloseTo((expected[i]!.bitOffset / rowBits) * 100, 3));

    await here.tab("table");
    await here.page.waitForSelector(".member-rows .member-row");
    const rows = await here.page.$$eval(".member-rows .member-row", (elements) =>
      elements.slice(0, 3).map((element) => [...element.children].map((cell) => cell.textContent)),
    );
    expect(rows.map(([offset, size]) => [offset, size])).toEqual(
      task.members.slice(0, 3).map(({ byteOffset, byteSize }) => [String(byteOffset), `${byteSize} B`]),
    );

    await here.tab("code");
    expect(await here.text(".code")).toContain("struct sched_entity        se;");
    await here.page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>(".code a")]
        .find((link) => link.textContent === "sched_entity")!
        .click(),
    );
    await here.until(() => document.querySelector("#type-title .name")?.textContent === "sched_entity");
    await here.page.goBack();
    await here.until(() => document.querySelector("#type-title .name")?.textContent === "task_struct");
    await here.page.goForward();
    await here.until(() => document.querySelector("#type-title .name")?.textContent === "sched_entity");
    expect(here.complaints).toEqual([]);
    expect([...here.hosts]).toEqual([new URL(server.url).host]);
  });

  test("opens a struct in place, and what opens a member shows it in picture and table", async () => {
    await using here = await visit();
    await here.open(KERNEL);
    await here.goTo("task_struct");
    await here.click('.box[data-path="thread_info"]');
    await here.page.waitForSelector('.box[data-path="thread_info.flags"]');
    expect(await here.page.$eval('.box[data-path="thread_info"]', (box) => box.getAttribute("aria-expanded"))).toBe(
      "true",
    );
    await here.tab("table");
    await here.until(() =>
      [...document.querySelectorAll(".column-member")].some((cell) => cell.textContent === "flags"),
    );
    expect(here.complaints).toEqual([]);
  });

  test("says who uses a type, and what lies at an offset", async () => {
    await using here = await visit();
    await here.open(KERNEL);
    await here.goTo("list_head");
    const btf = kernel();
    const list = btf.require("list_head", "struct");
    const known = relations(btf);
    const counts = [
      known.holders("embeds", list).length,
      known.holders("points-to", list).length,
      known.functions("takes", list).length,
      known.functions("returns", list).length,
    ].map((count) => count.toLocaleString("en"));
    await here.until(() => !document.querySelector(".used-by .count")?.textContent?.includes("…"));
    expect(await here.texts(".relation-head .count")).toEqual(counts);
    await here.click("#used-by");
    await here.page.waitForSelector(".use-name");
    expect(await here.text(".use-name .name")).toBe(known.holders("embeds", list)[0]!.type.name);

    const task = btf.require("task_struct", "struct");
    const pid = fieldOf(btf, task, "pid").bitOffset / 8 + 1;
    await here.page.type("#offset", `task_struct+0x${pid.toString(16)}`);
    await here.until((text) => document.querySelector(".answer b")?.textContent === text, memberTextAt(task, pid));
    await here.page.focus("#offset");
    await here.page.keyboard.press("Enter");
    await here.until(() => document.querySelector("#type-title .name")?.textContent === "task_struct");
    await here.page.waitForSelector('.box[data-at="true"][data-path="pid"]');
    expect(here.page.url()).toContain(`offset=0x${pid.toString(16)}`);
    expect(here.complaints).toEqual([]);
  });

  test("decodes bytes, and selects bytes and values together", async () => {
    await using here = await visit();
    await here.open(KERNEL);
    await here.goTo("timespec64");
    await here.tab("decode");
    await here.page.type("#hex", "00000000: 0500 0000 0000 0000 1000 0000 0000 0000  ................");
    await here.page.waitForSelector(".value-row");
    expect(await here.texts(".value-name")).toEqual(["tv_sec", "tv_nsec"]);
    expect(await here.texts(".value-text")).toEqual(["5", "16"]);
    await here.page.evaluate(() => document.querySelectorAll<HTMLElement>(".hex-byte")[9]!.click());
    await here.until(
      () => document.querySelector('.value-row[aria-selected="true"] .value-name')?.textContent === "tv_nsec",
    );
    expect(await here.page.$$eval('.hex-byte[data-lit="true"]', (bytes) => bytes.length)).toBe(8);
    expect(here.complaints).toEqual([]);
  });

  test("compares two kernels member by member, and follows members through them", async () => {
    await using here = await visit();
    await here.open(OLD, NEW);
    await here.view("Compare");
    await here.until(() => / of /.test(document.querySelector(".found")?.textContent ?? ""));
    // What two C headers of bpftool's have of it, by kind and name.
    for (const chip of ["struct", "added", "removed"]) await here.press(".compare-list .chip", chip);
    const shown = async (): Promise<string[]> => {
      const signs = await here.texts(".compare-list .chip[aria-pressed=true]");
      return [...signs, (await here.text(".found")).split(" of ")[0]!];
    };
    expect((await shown()).at(-1)).toBe(String(189 + 12 + 2));
    await here.press(".compare-list .chip", "changed");
    await here.press(".compare-list .chip", "removed");
    expect((await shown()).at(-1)).toBe("12");
    await here.press(".compare-list .chip", "changed");
    await here.press(".compare-list .chip", "added");
    await here.click(".difference");
    await here.page.waitForSelector(".compare-detail .sides td");
    expect(await here.text(".compare-detail .facts")).toContain("functions use it");

    await here.view("Types");
    await here.goTo("task_struct");
    await here.tab("history");
    await here.until(() => document.querySelectorAll(".grid tbody tr").length > 100);
    expect(await here.texts(".grid thead th")).toHaveLength(3);
    await here.tab("diff");
    await here.until(() => document.querySelector(".compared .facts")?.textContent !== undefined);
    expect(here.complaints).toEqual([]);
  });

  test("checks objects on kernels, with the lines of the source", async () => {
    await using here = await visit();
    await here.open(KERNEL, ...OBJECTS);
    await here.view("Check");
    await here.until((count) => document.querySelectorAll(".verdict button").length === count, OBJECTS.length);
    const verdicts = OBJECTS.map((object) => {
      const [cell] = JSON.parse(commandOutput("check", object, "--target", KERNEL, "--json")).cells;
      return cell.verdict as string;
    });
    expect(
      await here.page.$$eval(".verdict button", (cells) => cells.map((cell) => cell.className.replace("verdict-", ""))),
    ).toEqual(verdicts);
    await here.click(".verdict button");
    expect(await here.text(".findings .source-line")).toMatch(/\.[ch]:\d+: \S/);
    expect(here.complaints).toEqual([]);
  });

  test("shows what makes up a kernel, and leads from there to its types", async () => {
    await using here = await visit();
    await here.open(KERNEL);
    await here.view("Map");
    await here.page.waitForSelector(".map-group");
    expect((await here.texts(".map-group")).length).toBeGreaterThan(50);
    await here.click('.map-group[aria-label^="tcp:"]');
    await here.until(() => document.querySelector(".result .name")?.textContent?.startsWith("tcp_") ?? false);
    expect(here.complaints).toEqual([]);
  });

  test("finds by size, holes, members and relations", async () => {
    await using here = await visit();
    await here.open(KERNEL);
    const found = async (words: string): Promise<number> => {
      await here.search(words);
      return Number((await here.text(".found")).split(" ")[0]!.replaceAll(",", ""));
    };
    const btf = kernel();
    const known = relations(btf);
    expect(await found("size:>9000")).toBe(
      [...btf.ofKind("struct"), ...btf.ofKind("union")].filter((type) => type.byteSize > 9000 && type.name).length,
    );
    expect(await found("embeds:list_head")).toBe(known.holders("embeds", "list_head").length);
    expect(await found("member:pid")).toBe(known.withMember((member) => member === "pid").length);
    expect(here.complaints).toEqual([]);
  });

  test("a link says what to open, and leads there once it is", async () => {
    let url: string;
    {
      await using here = await visit();
      await here.open(KERNEL);
      await here.goTo("file_operations");
      await here.tab("table");
      await here.until(() => location.hash.includes("tab=table"));
      url = here.page.url();
      expect(url).toMatch(/#kernel=6\.12-amd64~[0-9a-f]{12}&type=struct\.file_operations&tab=table$/);
    }
    await using there = await visit(url);
    expect(await there.text(".start")).toContain("struct file_operations of 6.12-amd64");
    await there.choose(KERNEL);
    await there.until(() => document.querySelector("#type-title .name")?.textContent === "file_operations");
    await there.page.waitForSelector('.tab-panel[data-tab="table"]');
    expect(there.complaints).toEqual([]);
  });

  test("works by keys alone", async () => {
    await using here = await visit();
    await here.open(KERNEL);
    const { keyboard } = here.page;
    const focused = (): Promise<string> =>
      here.page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.id ?? "");
    await keyboard.press("/");
    expect(await focused()).toBe("Search types");
    await keyboard.type("list_head");
    await here.until(() => document.querySelector<HTMLElement>(".results")?.dataset["answers"] === "list_head");
    await keyboard.press("ArrowDown");
    await here.until(() => document.querySelector("#result-1")?.getAttribute("aria-selected") === "true");
    await keyboard.press("ArrowUp");
    await keyboard.press("Enter");
    await here.until(() => document.querySelector("#type-title .name")?.textContent === "list_head");
    await keyboard.press("2");
    await here.page.waitForSelector('.tab-panel[data-tab="table"]');
    await keyboard.press("1");
    await here.page.waitForSelector(".box");
    await here.page.focus(".box");
    await keyboard.press("ArrowRight");
    await here.until(() => (document.activeElement as HTMLElement | null)?.dataset["path"] === "prev");
    await keyboard.press("u");
    await here.until(() => document.activeElement?.id === "used-by");
    await keyboard.press("o");
    await here.until(() => document.activeElement?.id === "offset");
    await keyboard.press("Tab");
    await here.page.focus("#main");
    await keyboard.press("?");
    await here.page.waitForSelector("dialog[open]");
    await keyboard.press("Escape");
    await here.until(() => document.querySelector("dialog") === null);
    await here.page.focus("#main");
    await keyboard.press("m");
    await here.page.waitForSelector(".map");
    await keyboard.press("t");
    await here.page.waitForSelector("#type-title");
    expect(here.complaints).toEqual([]);
  });

  test("says what is wrong with a file in the library's words, and goes on", async () => {
    const cut = join(folder, "cut.btf");
    writeFileSync(cut, gunzipSync(readFileSync(KERNEL)).subarray(0, 100_000));
    const noise = join(folder, "noise.bin");
    writeFileSync(noise, randomBytes(4096));
    const module = join(folder, "module.btf");
    writeFileSync(module, gunzipSync(readFileSync(corpusPath("modules/6.12-amd64-veth.btf.gz"))));
    await using here = await visit();
    for (const file of [cut, noise, module]) {
      await here.choose(file);
      await here.page.waitForSelector(".opening.failed");
      const said = await here.text(".opening.failed p");
      if (file === module) expect(said).toContain("open its kernel first");
      else {
        const refusal = await openImage(readFileSync(file)).catch((error: Error) => error.message);
        expect(said).toBe(`${basename(file)} ${refusal}`);
      }
      await here.click(".opening.failed button");
    }
    await here.open(KERNEL);
    await here.choose(module);
    await here.until(() => document.querySelector(".foot")?.textContent?.includes("1 modules") ?? false);
    await here.goTo("veth_priv");
    expect(here.complaints).toEqual([]);
  });

  test("hostile names are text", async () => {
    const hostile = '<img src=x onerror="document.title=1">';
    const image = new Image();
    const int = image.int("int");
    const loop = image.nextId;
    image.composite(STRUCT, hostile, 8, [
      [hostile, int, 0],
      ["n".repeat(1_000_000), int, 32],
    ]);
    // A struct that holds itself, and a typedef of itself.
    image.composite(STRUCT, "loop", 8, [["again", loop + 1, 0]]);
    image.ref(TYPEDEF, loop + 2, "endless");
    const file = join(folder, "<b>hostile.btf");
    writeFileSync(file, image.bytes());
    await using here = await visit();
    await here.open(file);
    await here.search("<img");
    await here.page.keyboard.press("Enter");
    await here.page.waitForSelector(".box");
    expect(await here.text("#type-title .name")).toBe(hostile);
    for (const tab of ["table", "code", "picture"] as const) {
      await here.tab(tab);
      expect(await here.page.$$eval("#main img, #main b b", (found) => found.length)).toBe(0);
    }
    for (const name of ["loop", "endless"]) await here.goTo(name);
    await here.view("Map");
    await here.page.waitForSelector(".map");
    expect(here.complaints).toEqual([]);
  });

  test("opens a package of 30 MB, and stops when it is told to", async () => {
    const inside = join(folder, "package");
    execFileSync("mkdir", ["-p", inside]);
    writeFileSync(join(inside, "a.bin"), randomBytes(30_000_000));
    writeFileSync(join(inside, "vmlinux.btf"), gunzipSync(readFileSync(NEW)));
    const file = join(folder, "package.tar.gz");
    execFileSync("tar", ["-czf", file, "-C", inside, "a.bin", "vmlinux.btf"]);
    await using here = await visit();
    await here.open(file);
    await here.goTo("task_struct");
    await here.click(".brand");
    await here.page.type(".url-form input", `${server.url}slow`);
    await here.page.keyboard.press("Enter");
    await here.until(() => document.querySelector(".opening button")?.textContent === "Cancel");
    expect(await here.text(".opening p")).toMatch(/^downloading slow \d+ %$/);
    await here.click(".opening button");
    await here.until(() => document.querySelector(".opening") === null);
    await here.goTo("list_head");
    expect(here.complaints).toEqual([]);
  });

  test("the page that is one file works from disk", async () => {
    await using here = await visit(pathToFileURL(join(FOLDER, "explorer.html")).href);
    await here.open(KERNEL);
    await here.goTo("task_struct");
    await here.page.waitForSelector(".box");
    await here.tab("decode");
    await here.page.type("#hex", "00");
    await here.page.waitForSelector(".value-row");
    expect(here.complaints).toEqual([]);
    expect([...here.hosts]).toEqual([]);
  });

  test("works without a server after the first visit", async () => {
    const own = await serveFolder();
    await using here = await visit(own.url);
    await here.page.evaluate(async () => {
      await navigator.serviceWorker.ready;
    });
    await here.page.reload();
    await here.until(() => navigator.serviceWorker.controller !== null);
    await own.stop();
    await here.page.reload();
    await here.page.waitForSelector("#search");
    await here.open(KERNEL);
    await here.goTo("task_struct");
    await here.page.waitForSelector(".box");
  });

  test("btfkit explore serves its files to this page alone", async () => {
    const serving = spawn(process.execPath, ["dist/cli/btfkit.cjs", "explore", KERNEL, "--no-open"]);
    try {
      const url = await firstLine(serving);
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{32}\/$/);
      await using here = await visit(url);
      await here.goTo("task_struct");
      await here.page.waitForSelector(".box");
      expect(here.complaints).toEqual([]);
      expect([...here.hosts]).toEqual([new URL(url).host]);
    } finally {
      serving.kill("SIGINT");
    }
    expect(await new Promise((done) => serving.once("exit", done))).toBe(0);
  });

  test("fits 360 and 2,560 pixels in every view", async () => {
    await using here = await visit();
    await here.open(OLD, NEW, ...OBJECTS);
    await here.goTo("sk_buff");
    for (const width of [360, 900, 2560]) {
      await here.page.setViewport({ width, height: 800 });
      for (const view of ["Types", "Compare", "Check", "Map"] as const) {
        await here.view(view);
        const seen = await here.page.evaluate(() => [
          document.documentElement.scrollWidth,
          document.querySelector("main")!.scrollWidth,
        ]);
        expect(Math.max(...seen), `${view} at ${width}`).toBeLessThanOrEqual(width);
      }
    }
    expect(here.complaints).toEqual([]);
  });
});

describe("accessibility", () => {
  const test = needing("chromium", "the corpus in ../shared");
  const axe = readFileSync("explorer/node_modules/axe-core/axe.min.js", "utf8");

  test("axe finds nothing in any view, light or dark", async () => {
    const browser = await startBrowser("chromium");
    try {
      await using here = await Visit.at(browser, server.url);
      const faults = async (where: string): Promise<string[]> => {
        await here.page.evaluate(axe);
        const found = await here.page.evaluate(async () => {
          const { violations } = await (
            globalThis as unknown as {
              axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
            }
          ).axe.run();
          return violations.map(({ id, nodes }) => `${id}: ${nodes[0]!.html.slice(0, 200)} (${nodes.length})`);
        });
        return found.map((one) => `${where}: ${one}`);
      };
      const all: string[] = [];
      for (const scheme of ["light", "dark"]) {
        await here.page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
        if (scheme === "light") {
          all.push(...(await faults("start")));
          await here.open(OLD, NEW, ...OBJECTS);
          await here.goTo("task_struct");
        }
        await here.view("Types");
        for (const tab of ["picture", "table", "code", "decode", "history", "diff"] as const) {
          await here.tab(tab);
          await here.until(() => document.querySelector(".tab-panel")?.textContent !== "…");
          all.push(...(await faults(`${scheme} ${tab}`)));
        }
        for (const [view, ready] of [
          ["Compare", ".difference"],
          ["Check", ".verdict button"],
          ["Map", ".map-group"],
        ] as const) {
          await here.view(view);
          await here.page.waitForSelector(ready);
          all.push(...(await faults(`${scheme} ${view}`)));
        }
        await here.page.focus("#main");
        await here.page.keyboard.press("?");
        await here.page.waitForSelector("dialog[open]");
        all.push(...(await faults(`${scheme} help`)));
        await here.page.keyboard.press("Escape");
      }
      expect(all).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});

function commandOutput(...args: string[]): string {
  try {
    return execFileSync(process.execPath, ["dist/cli/btfkit.cjs", ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

function firstLine({ stdout }: ChildProcess): Promise<string> {
  return new Promise((done, fail) => {
    let text = "";
    stdout!.on("data", (chunk) => {
      text += chunk;
      if (text.includes("\n")) done(text.split("\n", 1)[0]!);
    });
    stdout!.once("end", () => fail(new Error(`ended after: ${text}`)));
  });
}
