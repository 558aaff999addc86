// serve.mjs FOLDER [PORT]: a server of static files for this machine alone: the folder, and btfkit's files at /btfkit/.
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };

const [folder = ".", port = "0"] = process.argv.slice(2);
const places = { "/btfkit/": fileURLToPath(new URL("../dist/", import.meta.url)), "/": resolve(folder) };

const server = createServer(({ url = "/" }, response) => {
  const { pathname } = new URL(url, "http://localhost");
  const [prefix, root] = Object.entries(places).find(([start]) => pathname.startsWith(start));
  const file = join(root, pathname === "/" ? "index.html" : decodeURIComponent(pathname.slice(prefix.length)));
  if (!file.startsWith(root) || !existsSync(file) || !statSync(file).isFile()) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
  createReadStream(file).pipe(response);
});
server.listen(Number(port), "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/`));
