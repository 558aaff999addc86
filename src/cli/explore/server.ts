/**
 * The explorer's server: the built page and the files that were named, to this machine alone. Other users and pages of
 * other origins cannot guess the path, and a request that names another host (DNS rebinding) is refused.
 */
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isFileName } from "../../archive/root.js";
import { ROOT } from "../../archive/store.js";
import { InputError } from "../exit.js";
import { sendFile } from "../send-file.js";

export interface ServedFile {
  readonly name: string;
  readonly file: string;
  /** Split BTF on this file. */
  readonly modules?: readonly ServedFile[];
  /** It is the folder of an archive, whose files are served. */
  readonly isArchive?: boolean;
}

export interface ExplorerServer extends AsyncDisposable {
  readonly url: string;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".webmanifest": "application/manifest+json",
};

const HEADERS = {
  "cache-control": "no-store",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

const SAMPLE = /^sample-.*\.gz$/;

/** The page lies beside the executable; the executable as one file has none. */
const appFolder = (): string => fileURLToPath(new URL("../explorer/", import.meta.url));

/** Serves until it is disposed. @throws InputError where this build has no explorer, or the port is taken */
export async function serveExplorer(files: readonly ServedFile[], port: number): Promise<ExplorerServer> {
  const folder = appFolder();
  if (!existsSync(join(folder, "index.html"))) throw new InputError("this build of btfkit has no explorer in it");
  const token = randomBytes(16).toString("hex");
  const paths = new Map(appFiles(folder).map((file) => [file, join(folder, file)]));
  const served = files.map((file) => publish(file, paths));
  const page = pageWith(readFileSync(join(folder, "index.html"), "utf8"), served, paths);
  let hosts: readonly string[] = [];

  const server = createServer((request, response) => {
    const refuse = (status: number): void => void response.writeHead(status, HEADERS).end();
    if (!hosts.includes(request.headers.host ?? "")) return refuse(403);
    if (request.method !== "GET" && request.method !== "HEAD") return refuse(405);
    const path = pathOf(request, token);
    if (path === undefined) return refuse(404);
    if (path === "" || path === "index.html") return send(request, response, ".html", Buffer.from(page));
    const file = paths.get(path) ?? archivedFile(path, paths);
    if (file === undefined) return refuse(404);
    sendFile(file, request, response, { ...HEADERS, ...typeOf(file) });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => reject(new InputError(`port ${port}: ${cause.message}`, { cause })));
    server.listen(port, "127.0.0.1", resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  hosts = [`127.0.0.1:${bound}`, `localhost:${bound}`];
  return {
    url: `http://127.0.0.1:${bound}/${token}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Files of the page, by their paths in it. */
function appFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => statSync(join(folder, file)).isFile());
}

interface Published {
  readonly name: string;
  readonly path: string;
  readonly modules?: readonly Published[];
}

/** Gives a file a path of its own, which does not say where it lies. */
function publish({ name, file, modules, isArchive }: ServedFile, paths: Map<string, string>): Published {
  const path = `files/${paths.size}${isArchive ? "/" : ""}`;
  paths.set(path, file);
  return { name, path, ...(modules && { modules: modules.map((module) => publish(module, paths)) }) };
}

/** A file of an archive's folder: no other path leads there, and none out of it, by a link for example. */
function archivedFile(path: string, paths: ReadonlyMap<string, string>): string | undefined {
  const [, folder = "", file = ""] = /^(files\/\d+\/)(.+)$/.exec(path) ?? [];
  const place = paths.get(folder);
  if (place === undefined || (file !== ROOT && !isFileName(file))) return undefined;
  try {
    const path = realpathSync(join(place, file));
    return path === join(realpathSync(place), file) ? path : undefined;
  } catch {
    return undefined;
  }
}

/** The page with the list of files in its head, and without the sample where that is not there. */
function pageWith(html: string, files: readonly Published[], paths: ReadonlyMap<string, string>): string {
  const list = JSON.stringify(files).replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
  const hasSample = [...paths.keys()].some((path) => SAMPLE.test(path));
  const page = hasSample ? html : html.replace(/ *<meta name="sample"[^>]*>\n?/, "");
  return page.replace("</head>", () => `  <meta name="files" content="${list}">\n  </head>`);
}

/** The path behind the token; `undefined` for any other. */
function pathOf({ url = "" }: IncomingMessage, token: string): string | undefined {
  const path = url.replace(/[?#].*$/s, "");
  return path.startsWith(`/${token}/`) ? path.slice(token.length + 2) : undefined;
}

function send({ method }: IncomingMessage, response: ServerResponse, extension: string, bytes: Uint8Array): void {
  response.writeHead(200, { ...HEADERS, "content-type": CONTENT_TYPES[extension], "content-length": bytes.length });
  response.end(method === "HEAD" ? undefined : bytes);
}

function typeOf(file: string): { "content-type"?: string } {
  const type = CONTENT_TYPES[extname(file)];
  return type ? { "content-type": type } : {};
}
