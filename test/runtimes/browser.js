/** Headless browsers on pages of the application, which a server on this machine hands out. */
import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { launchBrowser } from "./launch.js";

/** No page takes longer, in milliseconds. */
const DEADLINE = 120_000;

const CONTENT_TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** Nothing inline but the import map. */
const NONCE = "import-map";

/** No eval in any; with and without WebAssembly. */
const POLICIES = {
  wasm: `default-src 'self'; script-src 'self' 'wasm-unsafe-eval' 'nonce-${NONCE}'`,
  strict: `default-src 'self'; script-src 'self' 'nonce-${NONCE}'`,
};

/** Where the installed package's entries lie, as its `exports` tell. */
function entriesOf(folder) {
  const { exports } = JSON.parse(readFileSync(join(folder, "node_modules/btfkit/package.json"), "utf8"));
  const entries = Object.entries(exports).filter(([, target]) => target.default);
  return Object.fromEntries(
    entries.map(([name, target]) => [join("btfkit", name), join("/node_modules/btfkit", target.default)]),
  );
}

/** A page that knows the entries; `script` is run first. */
function page(imports, script) {
  return `<!doctype html><meta charset="utf-8"><script type="importmap" nonce="${NONCE}">${JSON.stringify({ imports })}</script>
${script ? `<script src="${script}"></script>` : ""}<script type="module" src="/guest/start-page.js"></script>`;
}

/**
 * Hands out files; below /resolved, for workers, which have no import map, with
 * the paths of the package's entries.
 *
 * @param policy "wasm" or "strict"
 * @param site a folder with an `index.html` and files of its own, instead of the page
 */
function serve(folder, { policy = "wasm", script, site }) {
  const imports = entriesOf(folder);
  const html = site ? readFileSync(join(site, "index.html")) : page(imports, script);
  const resolved = (path) =>
    readFileSync(path, "utf8").replace(/(?<=\bfrom ")btfkit[^"]*(?=")/g, (specifier) => imports[specifier]);
  const isFile = (path) => existsSync(path) && statSync(path).isFile();
  const server = createServer(({ url }, response) => {
    const { pathname } = new URL(url, "http://localhost");
    const file = normalize(pathname.replace(/^\/resolved\//, "/"));
    const path = [site, folder]
      .filter(Boolean)
      .map((root) => join(root, file))
      .find(isFile);
    // A worker goes by the policy of its own script.
    const start = (contentType) =>
      response.writeHead(200, { "content-type": contentType, "content-security-policy": POLICIES[policy] });
    if (pathname === "/") start(CONTENT_TYPES[".html"]).end(html);
    else if (!path) response.writeHead(404).end();
    else {
      start(CONTENT_TYPES[extname(path)] ?? "application/octet-stream");
      if (pathname.startsWith("/resolved/")) response.end(resolved(path));
      else createReadStream(path).pipe(response);
    }
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

/**
 * Opens a browser. `run` runs a guest in a new page and hands its lines to
 * `print`; `runAt` on a server of one's own. Settings: those of the server,
 * `argument`, the guest's, and `worker`: the suite runs in a "dedicated",
 * "shared" or "service" one.
 */
export async function openBrowser({ name, executable }, folder) {
  const driven = await launchBrowser(name, executable);

  const runAt = async (origin, guest, print, { argument = "", worker = "" } = {}) => {
    const page = await driven.newPage();
    let timer;
    try {
      const lines = await new Promise((resolve, reject) => {
        timer = setTimeout(() => reject(new Error("the page does not come to its end")), DEADLINE);
        // Firefox reports what a policy forbids as an error of the page.
        page.on("pageerror", (error) => /^Content-Security-Policy/.test(error.message) || reject(error));
        page
          .exposeFunction("report", resolve)
          .then(() => page.goto(`${origin}?${new URLSearchParams({ guest, argument, worker })}`))
          .catch(reject);
      });
      for (const line of lines) print(line);
    } finally {
      clearTimeout(timer);
      await page.close();
    }
  };
  const run = async (guest, print, settings = {}) => {
    const server = await serve(folder, settings);
    try {
      await runAt(`http://localhost:${server.address().port}/`, guest, print, settings);
    } finally {
      server.close();
    }
  };
  return { run, runAt, close: driven.close };
}
