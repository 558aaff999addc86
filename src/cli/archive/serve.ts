/** `btfkit archive serve`: an archive's files by HTTP, with ranges, to anybody who may read them. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { isFileName } from "../../archive/root.js";
import { ROOT } from "../../archive/store.js";
import type { Context, ExitCode } from "../context.js";
import { InputError } from "../exit.js";
import { sendFile } from "../send-file.js";
import type { ArchiveOptions } from "./options.js";
import { openArchive } from "./target.js";

/** Pages of any origin may read. */
const HEADERS = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "range",
  "access-control-expose-headers": "content-range, content-length",
  "access-control-max-age": "86400",
  "x-content-type-options": "nosniff",
};
const FOREVER = "public, max-age=31536000, immutable";

/** Serves until the process is told to end. */
export async function serve(place: string, options: ArchiveOptions, context: Context): Promise<ExitCode> {
  const { kernels } = await openArchive(place);
  const server = await listen(archiveServer(place), options.port, options.host);
  const { address, port, family } = server.address() as AddressInfo;
  const host = family === "IPv6" ? `[${address}]` : address;
  await context.out.write(`${kernels.length} kernels at http://${host}:${port}/\n`);
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  return 0;
}

function listen(server: Server, port: number, host: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => reject(new InputError(`${host}:${port}: ${cause.message}`, { cause })));
    server.listen(port, host, () => resolve(server));
  });
}

export function archiveServer(place: string): Server {
  return createServer((request, response) => answer(place, request, response));
}

function answer(place: string, request: IncomingMessage, response: ServerResponse): void {
  const refuse = (status: number): void => {
    response.writeHead(status, HEADERS).end();
  };
  if (request.method === "OPTIONS") {
    refuse(204);
    return;
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    refuse(405);
    return;
  }
  const file = (request.url ?? "").split("?")[0]!.replace(/^\//, "");
  // No other path leads into the file system.
  if (file !== ROOT && !isFileName(file)) {
    refuse(404);
    return;
  }
  sendFile(join(place, file), request, response, {
    ...HEADERS,
    "cache-control": file === ROOT ? "no-cache" : FOREVER,
  });
}
