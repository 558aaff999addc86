/** The built explorer in Chromium: a server for each visit, files that are dropped, and a stopwatch in the page. */

import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { brotliCompressSync } from "node:zlib";

export const FOLDER = "dist/explorer";

const CONTENT_TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".webmanifest": "application/manifest+json",
};

/** Milliseconds without work after which a page is at rest. */
const REST = 1000;

/** Returns a function that starts Chromium; `undefined` where it or puppeteer is not installed. */
export async function findChromium() {
  try {
    const { executables } = await import("../test/runtimes/executables.js");
    const { launchBrowser } = await import("../test/runtimes/launch.js");
    return executables.chromium && (() => launchBrowser("chromium", executables.chromium));
  } catch (error) {
    if (error.code === "ERR_MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

/** Serves the page at a port of its own, which no cache knows, and notes the files that the page asks for. */
async function serve() {
  const asked = new Set();
  const server = createServer(({ url, headers }, response) => {
    const { pathname } = new URL(url, "http://localhost");
    const name = pathname === "/" ? "index.html" : pathname.slice(1);
    const file = join(FOLDER, name);
    if (!existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    // The service worker fetches all files for later: they are not part of the first load.
    const isForLater = name === "service-worker.js" || headers.referer?.endsWith("/service-worker.js");
    if (!isForLater) asked.add(file);
    const type = CONTENT_TYPES[extname(file)] ?? "application/octet-stream";
    response.writeHead(200, { "content-type": type }).end(readFileSync(file));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${server.address().port}/`, asked, stop };
}

/** Runs in the page before its scripts: the frame after an element is first there, by the page's clock. */
function installStopwatch() {
  const shown = (selector) =>
    new Promise((resolve) => {
      const look = () => {
        if (!document.querySelector(selector)) return;
        observer.disconnect();
        requestAnimationFrame(() => resolve(performance.now()));
      };
      const observer = new MutationObserver(look);
      observer.observe(document, { childList: true, subtree: true });
      look();
    });
  globalThis.stopwatch = { shown, interactive: shown("#search") };
}

/** A first visit to the page, in a browser of its own: processes of one browser use memory of closed pages again. */
export class Visit {
  static async with(start) {
    const visit = new Visit();
    visit.server = await serve();
    visit.browser = await start();
    visit.page = await visit.browser.newPage();
    await visit.page.setViewport({ width: 1280, height: 800 });
    await visit.page.evaluateOnNewDocument(installStopwatch);
    visit.session = await visit.page.createCDPSession();
    await visit.page.goto(visit.server.url);
    return visit;
  }

  async close() {
    await this.browser.close();
    await this.server.stop();
  }

  /** Milliseconds from the start of the navigation to the first frame with the search box, whose script has run. */
  interactive() {
    return this.page.evaluate(() => globalThis.stopwatch.interactive);
  }

  rest() {
    return wait(REST);
  }

  /** Bytes of all that the page has asked for until now, compressed by brotli. */
  loadedBytes() {
    return [...this.server.asked].reduce((sum, file) => sum + brotliCompressSync(readFileSync(file)).length, 0);
  }

  /** Drops a file; returns the milliseconds until an element is shown. */
  async drop(file, selector) {
    await this.page.evaluate((wanted) => {
      const dropped = new Promise((resolve) => {
        addEventListener("drop", () => resolve(performance.now()), { capture: true, once: true });
      });
      globalThis.stopwatch.drop = dropped.then(async (start) => (await globalThis.stopwatch.shown(wanted)) - start);
    }, selector);
    const data = { items: [], files: [file], dragOperationsMask: 1 };
    // The page draws itself anew under the first dragOver, and Chromium drops only on what has accepted one.
    for (const type of ["dragEnter", "dragOver", "dragOver", "drop"])
      await this.session.send("Input.dispatchDragEvent", { type, x: 640, y: 400, data });
    return this.page.evaluate(() => globalThis.stopwatch.drop);
  }

  /** Clicks a view's button; returns the milliseconds until an element is shown. */
  show(view, selector) {
    return this.page.evaluate(
      async (label, wanted) => {
        const button = [...document.querySelectorAll(".views button")].find((one) => one.textContent === label);
        const start = performance.now();
        button.click();
        return (await globalThis.stopwatch.shown(wanted)) - start;
      },
      view,
      selector,
    );
  }

  /** Types a word into the search box; returns for each key the milliseconds of main thread that it takes. */
  async type(word) {
    await this.page.focus("#search");
    const each = [];
    for (const key of word) {
      const before = (await this.page.metrics()).TaskDuration;
      await this.page.keyboard.press(key);
      // Nothing looks at the page meanwhile, as that is work of the same thread.
      await wait(200);
      each.push(((await this.page.metrics()).TaskDuration - before) * 1000);
    }
    const answered = await this.page.$eval(".results", (element) => element.dataset.answers);
    if (answered !== word) throw new Error(`the search has answered ${answered} and not ${word}`);
    return each;
  }

  /** Anonymous resident bytes by process that shows pages, without garbage; `undefined` where there is no /proc. */
  async residentBytes() {
    if (!existsSync("/proc/self/status")) return undefined;
    const threads = [this.session, ...this.page.workers().map(({ client }) => client)];
    for (const thread of threads) await thread.send("HeapProfiler.collectGarbage");
    await this.rest();
    const session = await this.page.browser().target().createCDPSession();
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    await session.detach();
    const renderers = processInfo.filter(({ type }) => type === "renderer");
    return new Map(renderers.map(({ id }) => [id, anonymousBytes(id)]));
  }
}

function anonymousBytes(id) {
  return Number(/^RssAnon:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${id}/status`, "utf8"))[1]) * 1024;
}
