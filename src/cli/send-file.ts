/** A file, or a range of it, as the answer to a request. */
import { createReadStream, type Stats, statSync } from "node:fs";
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";

/**
 * Answers with a file: whole, or the one range that is asked for. 404 for what is no file.
 *
 * @param headers beside those of type, length and range
 */
export function sendFile(
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
  headers: OutgoingHttpHeaders,
): void {
  let stat: Stats | undefined;
  try {
    stat = statSync(path, { throwIfNoEntry: false });
  } catch {
    stat = undefined;
  }
  if (!stat?.isFile()) {
    response.writeHead(404, headers).end();
    return;
  }
  const stream = (range?: { start: number; end: number }): void => {
    createReadStream(path, range)
      .on("error", () => response.destroy())
      .pipe(response);
  };
  const all = { "content-type": "application/octet-stream", "accept-ranges": "bytes", ...headers };
  // Some files of /proc and /sys say that they are empty, and are not.
  if (stat.size === 0) {
    response.writeHead(200, all);
    if (request.method === "HEAD") response.end();
    else stream();
    return;
  }
  const { range } = request.headers;
  const wanted = range === undefined ? undefined : rangeOf(range, stat.size);
  if (wanted === "none") {
    response.writeHead(416, { ...all, "content-range": `bytes */${stat.size}` }).end();
    return;
  }
  const { start, end } = wanted ?? { start: 0, end: stat.size - 1 };
  response.writeHead(wanted ? 206 : 200, {
    ...all,
    "content-length": end - start + 1,
    ...(wanted && { "content-range": `bytes ${start}-${end}/${stat.size}` }),
  });
  if (request.method === "HEAD") response.end();
  else stream({ start, end });
}

/** One range of a file; `undefined` for what asks for anything else, which is answered with all of it. */
function rangeOf(text: string, size: number): { start: number; end: number } | "none" | undefined {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(text.trim()) ?? [];
  if (first === "" && last === "") return undefined;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  return start > end ? "none" : { start, end };
}
