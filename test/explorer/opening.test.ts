// Ways to open a kernel in the explorer but for the file chooser: the sample, an address, a drop, and what was kept.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect } from "vitest";
import type { DrivenBrowser } from "../runtimes/launch.js";
import { needing } from "../support/needs.js";
import { serveFolder, startBrowser, Visit } from "./visit.js";

const KERNEL = "test/data/vmlinux-6.1-cloud-amd64.btf.gz";

let server: Awaited<ReturnType<typeof serveFolder>>;

beforeAll(async () => {
  server = await serveFolder();
});
afterAll(() => server.stop());

describe.each(["chromium", "firefox"] as const)("in %s", (name) => {
  const test = needing(name);
  let browser: DrivenBrowser | undefined;

  beforeAll(async () => {
    browser = await startBrowser(name).catch(() => undefined);
  });
  afterAll(async () => {
    await browser?.close();
  });

  const isOpen = (here: Visit): Promise<void> =>
    here.until(
      () => document.querySelectorAll(".result .name").length > 0 && !document.querySelector(".opening:not(.failed)"),
    );

  test("the sample, by one click", async () => {
    await using here = await Visit.at(browser!, server.url);
    await here.press("button", "Try the sample");
    await isOpen(here);
    await here.goTo("task_struct");
    expect(here.complaints).toEqual([]);
    expect([...here.hosts]).toEqual([new URL(server.url).host]);
  });

  test("an address whose server allows it, and one whose server does not", async () => {
    const bytes = gunzipSync(readFileSync(KERNEL));
    const files = createServer(({ url }, response) => {
      response.writeHead(200, url === "/open" ? { "access-control-allow-origin": "*" } : {}).end(bytes);
    });
    await new Promise<void>((done) => files.listen(0, "127.0.0.1", done));
    const { port } = files.address() as AddressInfo;
    try {
      await using here = await Visit.at(browser!, server.url);
      for (const path of ["closed", "open"]) {
        await here.page.$eval(".url-form input", (input) => {
          (input as HTMLInputElement).value = "";
        });
        await here.page.type(".url-form input", `http://127.0.0.1:${port}/${path}`);
        await here.page.keyboard.press("Enter");
        if (path === "closed") expect(await here.text(".opening.failed")).toMatch(/allow|CORS|fetch/i);
      }
      await isOpen(here);
      await here.goTo("sk_buff");
    } finally {
      files.closeAllConnections();
      await new Promise((done) => files.close(done));
    }
  });

  test("what is dropped on the page", async () => {
    await using here = await Visit.at(browser!, server.url);
    await here.page.evaluate(async (base64) => {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([bytes], "dropped.btf.gz"));
      for (const type of ["dragover", "drop"])
        document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
    }, readFileSync(KERNEL).toString("base64"));
    await isOpen(here);
    await here.goTo("sk_buff");
    expect(here.complaints).toEqual([]);
  });

  test("what was opened before is kept if the person wants it, and forgotten when not", async () => {
    await using here = await Visit.at(browser!, server.url);
    /** Visits the page anew. What it still loads would be cut off, of which Firefox complains. */
    const again = async (): Promise<void> => {
      await here.page.waitForNetworkIdle();
      await here.page.goto("about:blank");
      await here.page.goto(server.url);
      await here.page.waitForSelector(keep);
    };
    const keep = '.recent input[type="checkbox"]';
    await here.click(keep);
    await here.open(KERNEL);
    await here.until(
      () =>
        new Promise((done) => {
          const opening = indexedDB.open("btfkit", 1);
          opening.onsuccess = () => {
            const count = opening.result.transaction("files").objectStore("files").count();
            count.onsuccess = () => {
              opening.result.close();
              done(count.result === 1);
            };
          };
        }) as unknown as boolean,
    );
    await again();
    await here.click(".recent li button");
    await isOpen(here);
    await here.goTo("task_struct");
    await again();
    await here.click(keep);
    await again();
    expect(await here.texts(".recent li")).toEqual([]);
    expect(here.complaints).toEqual([]);
  });
});
