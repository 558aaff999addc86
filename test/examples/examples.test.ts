// The examples, each started by its command and used as a person does.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startBrowser } from "../explorer/visit.js";
import type { DrivenBrowser } from "../runtimes/launch.js";
import { corpusPath, lacking, needing, runtime } from "../support/needs.js";
import { SAMPLE } from "../support/samples.js";

const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> };

let browser: DrivenBrowser;
const started: ChildProcess[] = [];
beforeAll(async () => {
  if (lacking("chromium").length === 0) browser = await startBrowser("chromium");
});
afterAll(async () => {
  await browser?.close();
  for (const child of started) process.kill(-child.pid!, "SIGTERM");
});

/** Starts an example's server and returns the address that it prints. */
async function address(name: string): Promise<string> {
  const child = spawn("npm", ["run", "--silent", name], { stdio: ["ignore", "pipe", "inherit"], detached: true });
  started.push(child);
  let said = "";
  for await (const chunk of child.stdout) {
    said += chunk;
    const [found] = /http:\/\/127\.0\.0\.1:\d+\//.exec(stripVTControlCharacters(said)) ?? [];
    if (found) return found;
  }
  throw new Error(`${name} printed no address: ${said}`);
}

/** Runs an example with a runtime that need not be on the machine's path. */
async function outputOf(name: string, program: string): Promise<string> {
  const env = { ...process.env, PATH: `${dirname(resolve(program))}:${process.env["PATH"]}` };
  const child = spawn("npm", ["run", "--silent", name], { stdio: ["ignore", "pipe", "inherit"], env });
  const ended = once(child, "close");
  const out = await text(child.stdout);
  expect(await ended).toEqual([0, null]);
  return out;
}

/** A page with an example, what it complains of, and ways to use it. */
async function visit(name: string) {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes("favicon")) complaints.push(message.text());
  });
  await page.goto(await address(name));
  const choose = async (selector: string, file: string): Promise<void> => {
    const input = await page.waitForSelector(selector);
    await (input as unknown as { uploadFile(path: string): Promise<void> }).uploadFile(resolve(file));
  };
  const until = async (selector: string, wanted: RegExp): Promise<string> => {
    await page.waitForFunction(
      (where: string, source: string) => new RegExp(source).test(document.querySelector(where)?.textContent ?? ""),
      { timeout: 30_000 },
      selector,
      wanted.source,
    );
    return await page.$eval(selector, (element) => element.textContent ?? "");
  };
  return { page, complaints, choose, until };
}

describe("in a browser", () => {
  needing("chromium")("page: opens what is chosen, and shows a struct", async () => {
    const { page, complaints, choose, until } = await visit("example:page");
    await choose("#file", SAMPLE);
    expect(await until("#status", /types/)).toMatch(/: a kernel, 95068 types \(gzip, BTF\)$/);
    expect(await until("#text", /list_head/)).toMatch(/struct list_head \{\n\tstruct list_head \* +next;/);
    await page.$eval("#name", (input) => {
      (input as HTMLInputElement).value = "task_strct";
      input.dispatchEvent(new Event("input"));
    });
    await until("#text", /did you mean "task_struct"/);
    await choose("#file", "package.json");
    await until("#status", /not BTF/);
    expect(complaints.filter((line) => !line.includes("404"))).toEqual([]);
    await page.close();
  });

  needing("chromium")("worker: searches while the page waits for nothing", async () => {
    const { page, complaints, choose, until } = await visit("example:worker");
    await choose("#file", SAMPLE);
    await until("#status", /95068 types/);
    await page.type("#pattern", "task_str");
    await until("#found", /struct task_struct/);
    expect(complaints.filter((line) => !line.includes("404"))).toEqual([]);
    await page.close();
  });

  needing("chromium", "the corpus in ../shared")("vite: compares two kernels", async () => {
    const { page, complaints, choose, until } = await visit("example:vite");
    const [old = "", now = ""] = readdirSync(corpusPath("series")).map((name) => corpusPath(`series/${name}`));
    await choose("#old", old);
    await choose("#now", now);
    await until("#status", /\d+ added, \d+ removed, \d+ changed/);
    await until("#text", /^--- old/);
    expect(complaints.filter((line) => !line.includes("404"))).toEqual([]);
    await page.close();
  });
});

describe("in a terminal", () => {
  needing("deno")("deno: members of a struct", async () => {
    expect(await outputOf("example:deno", runtime("deno"))).toBe(
      "struct list_head: 16 bytes\n     0 struct list_head * next\n     8 struct list_head * prev\n",
    );
  });
  needing("bun")("bun: who embeds a list", async () => {
    expect(await outputOf("example:bun", runtime("bun"))).toMatch(
      /^810 types embed list_head\n[\s\S]* struct task_struct\n/,
    );
  });
});

test("each has a command, and stands in the list", () => {
  const list = readFileSync("examples/README.md", "utf8");
  for (const entry of readdirSync("examples", { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    expect([entry.name, scripts[`example:${entry.name}`]]).toEqual([entry.name, expect.stringContaining("examples/")]);
    expect(list).toContain(`npm run example:${entry.name}`);
  }
});
