// A person in front of the explorer: what they do with mouse and keys, and what they read.

import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, resolve } from "node:path";
import { executables } from "../runtimes/executables.js";
import type { BrowserName, DrivenBrowser } from "../runtimes/launch.js";

export const FOLDER = resolve("dist/explorer");

/** How long anything may take, in milliseconds: the machine may be busy. */
const PATIENCE = 30_000;

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".webmanifest": "application/manifest+json",
};

export async function startBrowser(name: BrowserName): Promise<DrivenBrowser> {
  const { launchBrowser } = await import("../runtimes/launch.js");
  return launchBrowser(name, executables[name]!);
}

/** Any server of static files: the built folder at a random port. `/slow` begins, and never ends. */
export async function serveFolder(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const server = createServer(({ url = "" }, response) => {
    const { pathname } = new URL(url, "http://localhost");
    if (pathname === "/slow") {
      response.writeHead(200, { "content-length": 50_000_000 }).write(new Uint8Array(1_000_000));
      return;
    }
    const file = join(FOLDER, pathname === "/" ? "index.html" : pathname);
    if (!file.startsWith(FOLDER) || !existsSync(file)) response.writeHead(404).end();
    else {
      const type = CONTENT_TYPES[extname(file)] ?? "application/octet-stream";
      response.writeHead(200, { "content-type": type }).end(readFileSync(file));
    }
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, stop };
}

type Page = Awaited<ReturnType<DrivenBrowser["newPage"]>>;

export class Visit implements AsyncDisposable {
  readonly page: Page;
  /** What the page complains of: errors, and what its policy forbids. */
  readonly complaints: string[] = [];
  /** Hosts that it asked. */
  readonly hosts = new Set<string>();

  constructor(page: Page) {
    this.page = page;
    page.setDefaultTimeout(PATIENCE);
    page.on("pageerror", (error) => this.complaints.push(error instanceof Error ? error.message : String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") this.complaints.push(message.text());
    });
    page.on("request", (request) => {
      if (/^(https?|wss?):/.test(request.url())) this.hosts.add(new URL(request.url()).host);
    });
    page.on("dialog", (dialog) => {
      this.complaints.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
  }

  static async at(browser: DrivenBrowser, url: string): Promise<Visit> {
    const visit = new Visit(await browser.newPage());
    await visit.page.setViewport({ width: 1280, height: 800 });
    await visit.page.goto(url);
    await visit.page.waitForSelector("#search");
    return visit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.close();
  }

  /** Chooses files, and waits until all of them are open. */
  async open(...files: string[]): Promise<void> {
    await this.choose(...files);
    await this.until(
      () => document.querySelectorAll(".result .name").length > 0 && !document.querySelector(".opening:not(.failed)"),
    );
  }

  async choose(...files: string[]): Promise<void> {
    const input = await this.page.$('input[type="file"]');
    await (input as unknown as { uploadFile(...paths: string[]): Promise<void> }).uploadFile(...files);
  }

  /** Types into the search box, as a person does who starts anew. */
  async search(text: string): Promise<void> {
    await this.page.evaluate(() => {
      const box = document.querySelector<HTMLInputElement>("#search")!;
      box.focus();
      box.select();
    });
    await this.page.keyboard.type(text);
    await this.until(
      (written) => document.querySelector<HTMLElement>(".results")?.dataset["answers"] === written,
      text,
    );
  }

  /** Opens the page of the type that a search lists first. */
  async goTo(name: string): Promise<void> {
    await this.search(name);
    await this.until((wanted) => document.querySelector(".result .name")?.textContent === wanted, name);
    await this.page.keyboard.press("Enter");
    await this.until((wanted) => document.querySelector("#type-title .name")?.textContent === wanted, name);
  }

  async tab(name: "picture" | "table" | "code" | "decode" | "history" | "diff"): Promise<void> {
    await this.click(`#tab-${name}`);
    await this.page.waitForSelector(`.tab-panel[data-tab="${name}"]`);
  }

  async view(label: "Types" | "Compare" | "Check" | "Map"): Promise<void> {
    await this.page.evaluate((wanted) => {
      [...document.querySelectorAll<HTMLElement>(".views button")].find((one) => one.textContent === wanted)!.click();
    }, label);
  }

  /** Clicks the one of several elements whose text starts so. */
  async press(selector: string, text: string): Promise<void> {
    await this.page.evaluate(
      (wanted, start) =>
        [...document.querySelectorAll<HTMLElement>(wanted)].find((one) => one.textContent?.startsWith(start))!.click(),
      selector,
      text,
    );
  }

  async click(selector: string): Promise<void> {
    await this.page.waitForSelector(selector);
    await this.page.evaluate((wanted) => document.querySelector<HTMLElement>(wanted)!.click(), selector);
  }

  async until<A>(test: (argument: A | undefined) => boolean, argument?: A): Promise<void> {
    // biome-ignore lint/suspicious/noExplicitAny: puppeteer's types follow the function's
    await this.page.waitForFunction(test as any, { timeout: PATIENCE }, argument as any);
  }

  /** The text of the first element that a selector finds, once it is there. */
  async text(selector: string): Promise<string> {
    await this.page.waitForSelector(selector);
    return this.page.$eval(selector, (element) => element.textContent ?? "");
  }

  texts(selector: string): Promise<string[]> {
    return this.page.$$eval(selector, (elements) => elements.map((element) => element.textContent ?? ""));
  }
}
