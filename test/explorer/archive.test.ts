// An archive in the explorer: by its address, as a folder, and served with the page; what it shows of a type is what
// the library says.
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { Btf } from "btfkit";
import { Archive, ArchiveWriter } from "btfkit/archive";
import { layout } from "btfkit/inspect";
import { archiveFolder } from "btfkit/node";
import { afterAll, beforeAll, describe, expect } from "vitest";
import type { DrivenBrowser } from "../runtimes/launch.js";
import { corpusPath, needing } from "../support/needs.js";
import { serveFolder, startBrowser, Visit } from "./visit.js";

const KERNELS = ["6.1.0-47-cloud-amd64", "6.1.0-56-cloud-amd64", "6.12.117+deb12-cloud-amd64"];

let folder: string;
let place: string;
let page: Awaited<ReturnType<typeof serveFolder>>;
const started: ChildProcess[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "btfkit-explorer-"));
  place = join(folder, "kernels");
  page = await serveFolder();
});

afterAll(async () => {
  for (const one of started) one.kill("SIGINT");
  await page.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function makeArchive(): Promise<void> {
  const writer = await ArchiveWriter.open(archiveFolder(place));
  try {
    for (const id of KERNELS) {
      if (writer.kernels.some((kernel) => kernel.id === id)) continue;
      const vmlinux = gunzipSync(readFileSync(corpusPath(`series/${id}.btf.gz`)));
      await writer.add({ id, architecture: "x86_64", vmlinux });
    }
    await writer.commit();
  } finally {
    await writer.close();
  }
}

/** Starts a command that serves until it is interrupted; returns the address that it prints. */
function serve(...args: string[]): Promise<string> {
  const child = spawn(process.execPath, ["dist/cli/btfkit.cjs", ...args], { stdio: ["ignore", "pipe", "inherit"] });
  started.push(child);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.stdout!.once("data", (text: Buffer) => resolve(/http:\S+/.exec(String(text))![0]));
  });
}

/** What the history of a type says of its members, as text that a screen reader reads. */
async function expected(type: string): Promise<string[][]> {
  const archive = await Archive.open(archiveFolder(place));
  const last = Btf.parse(gunzipSync(readFileSync(corpusPath(`series/${KERNELS.at(-1)}.btf.gz`))));
  const names = layout(last.require(type, "struct")).members.map(({ name }) => name);
  const histories = await archive.history(names.map((name) => `struct ${type}.${name}`));
  return histories.map(({ states }) => {
    const texts = states.map(({ state, bitOffset = 0, bitSize = 0, type: of }) =>
      state === "present"
        ? `${(bitOffset / 8).toLocaleString("en")} · ${bitSize / 8} B, ${of}`
        : state === "no-type" || state === "no-member"
          ? "not there"
          : "",
    );
    const runs: string[] = [];
    for (let first = 0; first < texts.length; ) {
      let last = first;
      while (texts[last + 1] === texts[first]) last++;
      runs.push(`${texts[first]}: ${first === last ? KERNELS[first] : `${KERNELS[first]} … ${KERNELS[last]}`}`);
      first = last + 1;
    }
    return runs;
  });
}

const TYPE = "kmem_cache";

describe.each(["chromium", "firefox"] as const)("in %s", (name) => {
  const test = needing(name, "the corpus in ../shared");
  let browser: DrivenBrowser | undefined;

  beforeAll(async () => {
    browser = await startBrowser(name).catch(() => undefined);
    if (browser) await makeArchive();
  });
  afterAll(async () => {
    await browser?.close();
  });

  const openAt = async (here: Visit, url: string): Promise<void> => {
    await here.page.$eval(".url-form input", (input) => {
      (input as HTMLInputElement).value = "";
    });
    await here.page.type(".url-form input", url);
    await here.page.keyboard.press("Enter");
  };

  /** Opens the newest kernel of the archive that is shown, and looks at a type's history. */
  const look = async (here: Visit): Promise<void> => {
    await here.until((count) => document.querySelectorAll(".archived-row").length === count, KERNELS.length);
    await here.press(".archived-row", KERNELS.at(-1)!);
    await here.until(() => document.querySelectorAll(".result .name").length > 0);
    await here.goTo(TYPE);
    await here.tab("history");
    await here.page.waitForSelector(".availability");
    const rows = await here.page.$$eval(".availability tbody tr", (all) =>
      all.map((row) => [...row.querySelectorAll(".for-readers")].map((part) => part.textContent ?? "")),
    );
    expect(rows[0]!.join()).toMatch(/^[\d,]+ B: /);
    expect(rows.slice(1)).toEqual(await expected(TYPE));
    expect(here.complaints).toEqual([]);
  };

  test("by its address", async () => {
    const url = await serve("archive", "serve", place, "--port", "0");
    await using here = await Visit.at(browser!, page.url);
    await openAt(here, url);
    await look(here);
    // Another kernel of it, with the type that is shown.
    await here.page.select(".kernel-choice select", "more");
    await here.press(".archived-row", KERNELS[0]!);
    await here.until((wanted) => document.querySelectorAll(".kernel-choice option").length === wanted, 3);
    expect(await here.text("h1")).not.toBe("");
  });

  test("served with the page, and nothing else of its folder", async () => {
    writeFileSync(join(place, "secret"), "no");
    const url = await serve("explore", place, "--no-open");
    await using here = await Visit.at(browser!, url);
    await look(here);
    const [{ path: root }] = JSON.parse(
      await here.page.$eval('meta[name="files"]', (meta) => (meta as HTMLMetaElement).content),
    );
    const link = `data/${"0".repeat(64)}`;
    symlinkSync("/etc/passwd", join(place, link));
    for (const file of [link, "secret", "data", "lock", "../secret", "data/..%2fsecret", ""]) {
      expect((await fetch(`${url}${root}${file}`)).status, file).toBe(404);
    }
    const start = await fetch(`${url}${root}archive.btfa`, { headers: { range: "bytes=0-7" } });
    expect([start.status, await start.text()]).toEqual([206, "BTFKIT-A"]);
    for (const file of ["secret", link]) rmSync(join(place, file));
  });

  if (name === "chromium") {
    test("as a folder that is chosen", async () => {
      await using here = await Visit.at(browser!, page.url);
      const input = await here.page.$('input[aria-label="Folder to open"]');
      await (input as unknown as { uploadFile(...paths: string[]): Promise<void> }).uploadFile(place);
      await look(here);
    });
  }

  test("what is damaged is said in the library's words, and the rest is shown", async () => {
    const damaged = join(folder, `damaged-${name}`);
    cpSync(place, damaged, { recursive: true });
    const files = readdirSync(join(damaged, "data")).map((file) => join(damaged, "data", file));
    // The images of all kernels: what describes them, and the definitions, are smaller or larger.
    for (const file of files) {
      const bytes = readFileSync(file);
      bytes.fill(0x5a, bytes.length >> 1, (bytes.length >> 1) + 64);
      if (statSync(file).size > 1000) writeFileSync(file, bytes);
    }
    const url = await serve("archive", "serve", damaged, "--port", "0");
    await using here = await Visit.at(browser!, page.url);
    await openAt(here, url);
    await here.until((count) => document.querySelectorAll(".archived-row").length === count, KERNELS.length);
    await here.press(".archived-row", KERNELS[0]!);
    expect(await here.text(".opening.failed")).toMatch(/damaged|SHA-256|does not/i);
    await openAt(here, `${url}nothing/`);
    await here.until(() => document.querySelectorAll(".opening.failed").length === 2);
  });
});
