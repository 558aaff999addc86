/** Headless Chromium on pages of the application, which a server on this machine hands out. */
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { launch } from "puppeteer-core";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** No page takes longer, in milliseconds. */
const DEADLINE = 120_000;

const CONTENT_TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** As strict as a page with WebAssembly can be: no eval, nothing inline but the import map. */
const NONCE = "import-map";
const POLICY = `default-src 'self'; script-src 'self' 'wasm-unsafe-eval' 'nonce-${NONCE}'`;

/** A page that knows where the installed package's entry lies, as its `exports` tell; `script` is run first. */
function page(folder, script) {
  const { exports } = JSON.parse(readFileSync(join(folder, "node_modules/btfkit/package.json"), "utf8"));
  const imports = { btfkit: join("/node_modules/btfkit", exports["."].default) };
  return `<!doctype html><meta charset="utf-8"><script type="importmap" nonce="${NONCE}">${JSON.stringify({ imports })}</script>
${script ? `<script src="${script}"></script>` : ""}<script type="module" src="/guest/start-page.js"></script>`;
}

/** @param site a folder with an `index.html` and files of its own, instead of the page */
function serve(folder, { script, site } = {}) {
  const html = site ? readFileSync(join(site, "index.html")) : page(folder, script);
  const isFile = (path) => existsSync(path) && statSync(path).isFile();
  const server = createServer(({ url }, response) => {
    const { pathname } = new URL(url, "http://localhost");
    const path = [site, folder]
      .filter(Boolean)
      .map((root) => join(root, normalize(pathname)))
      .find(isFile);
    if (pathname === "/") {
      response.writeHead(200, { "content-type": CONTENT_TYPES[".html"], "content-security-policy": POLICY }).end(html);
    } else if (!path) response.writeHead(404).end();
    else {
      response.writeHead(200, { "content-type": CONTENT_TYPES[extname(path)] ?? "application/octet-stream" });
      createReadStream(path).pipe(response);
    }
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

/** Opens the browser; `run` runs a guest in a new page and hands its lines to `print`; `runAt` on a server of one's own. */
export async function openBrowser(executablePath, folder) {
  const userDataDir = mkdtempSync(join(tmpdir(), "btfkit-chromium-"));
  const browser = await launch({ executablePath, headless: true, args: FLAGS, userDataDir });

  const runAt = async (origin, guest, argument, print) => {
    const page = await browser.newPage();
    let timer;
    try {
      await new Promise((resolve, reject) => {
        timer = setTimeout(() => reject(new Error("the page does not come to its end")), DEADLINE);
        page.on("pageerror", reject);
        page
          .exposeFunction("report", (line) => (line === "done" ? resolve() : print(line)))
          .then(() => page.goto(`${origin}?${new URLSearchParams({ guest, argument })}`))
          .catch(reject);
      });
    } finally {
      clearTimeout(timer);
      await page.close();
    }
  };
  const run = async (guest, argument, print, settings) => {
    const server = await serve(folder, settings);
    try {
      await runAt(`http://localhost:${server.address().port}/`, guest, argument, print);
    } finally {
      server.close();
    }
  };
  const close = async () => {
    await browser.close();
    rmSync(userDataDir, { recursive: true, force: true });
  };
  return { run, runAt, close };
}
