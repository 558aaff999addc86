// Archives on servers: few requests, ranges that a server ignores or breaks off, the served folder.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Archive, ArchiveWriter } from "btfkit/archive";
import { BtfBuilder, encode } from "btfkit/edit";
import { archiveFolder } from "btfkit/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MemoryStore } from "../support/memory-store.js";
import { needing, runtime } from "../support/needs.js";

const folder = mkdtempSync(join(tmpdir(), "btfkit-http-"));
const store = new MemoryStore();

/** A kernel of many structs, of which one changes. */
function kernel(version: number): Uint8Array {
  const builder = new BtfBuilder();
  const int = builder.int("int", { byteSize: 4 });
  for (let i = 0; i < 3000; i++) {
    const size = 8 + (i === 1500 ? version * 4 : 0);
    const last = { bitOffset: size * 8 - 32 };
    builder.struct(`type_${i}`, { byteSize: size }, [
      [`member_of_${i}`, int],
      [`other_${i * 7}`, int, last],
    ]);
  }
  return encode(builder.build());
}

beforeAll(async () => {
  for (const one of [store, archiveFolder(folder)]) {
    const writer = await ArchiveWriter.open(one);
    for (let version = 0; version < 4; version++) await writer.add({ id: `v${version}`, vmlinux: kernel(version) });
    await writer.commit();
    await writer.close();
  }
});

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true });
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/kernels`;
}

const bytesAt = (url = ""): Buffer => Buffer.from(store.files.get(url.replace("/kernels/", "")) ?? []);

describe("a server", () => {
  test("that ignores ranges is named", async () => {
    const url = await serve((request, response) => response.end(bytesAt(request.url)));
    const archive = await Archive.open(url);
    expect(archive.kernels).toHaveLength(4);
    const refused = { code: "ERR_ARCHIVE_RANGE", message: expect.stringContaining(url) };
    await expect(archive.history(["type_1500.other_10500"])).rejects.toMatchObject(refused);
  });

  test("that sends less than was asked for is named; one that breaks off is asked again", async () => {
    let broken = 1;
    const url = await serve((request, response) => {
      const bytes = bytesAt(request.url);
      const [, first, last] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? "") ?? [];
      if (first === undefined) return void response.end(bytes);
      const part = bytes.subarray(Number(first), Number(last) + 1);
      response.writeHead(206, { "content-length": part.length });
      if (broken-- > 0) return void response.write(part.subarray(0, 10), () => response.destroy());
      response.end(part);
    });
    const [found] = await (await Archive.open(url)).history(["type_1500.other_10500"]);
    expect(found!.states.every(({ state }) => state === "present")).toBe(true);
    broken = 9;
    await expect((await Archive.open(url)).history(["type_1.other_7"])).rejects.toMatchObject({ code: "ERR_FILE" });
    const short = await serve((request, response) => {
      if (request.headers.range) response.writeHead(206).end("few");
      else response.end(bytesAt(request.url));
    });
    const refused = (await Archive.open(short)).history(["type_1.other_7"]);
    await expect(refused).rejects.toMatchObject({ code: "ERR_ARCHIVE_RANGE" });
  });

  test("that has no archive", async () => {
    const url = await serve((_, response) => response.writeHead(404).end());
    await expect(Archive.open(url)).rejects.toMatchObject({ code: "ERR_FILE", message: expect.stringContaining(url) });
    const page = await serve((_, response) => response.end("<!doctype html><title>hello</title>"));
    await expect(Archive.open(page)).rejects.toMatchObject({ code: "ERR_ARCHIVE" });
  });
});

describe("btfkit archive serve", () => {
  let child: ChildProcess;
  let url = "";
  beforeAll(async () => {
    child = spawn(process.execPath, ["dist/cli/btfkit.cjs", "archive", "serve", folder]);
    const line = await new Promise<string>((resolve) => child.stdout!.once("data", (data) => resolve(String(data))));
    url = /http:\S+/.exec(line)![0];
  });
  afterAll(() => void child.kill());

  test("a history takes two requests", async () => {
    const asked: string[] = [];
    let bytes = 0;
    const archive = await Archive.open(url, {
      fetch: async (address, init) => {
        asked.push(address);
        const response = await fetch(address, init);
        bytes += Number(response.headers.get("content-length"));
        return response;
      },
    });
    const [found] = await archive.history(["type_1500.other_10500"]);
    expect(found!.states.map(({ bitOffset }) => bitOffset)).toEqual([32, 64, 96, 128]);
    expect(asked).toHaveLength(2);
    expect(bytes).toBeLessThan(50_000);
    expect(Buffer.compare(await archive.get("v2"), kernel(2))).toBe(0);
  });

  test("serves the archive's files, parts of them, and nothing else", async () => {
    const status = async (path: string, init: RequestInit = {}): Promise<number> =>
      (await fetch(url + path, init)).status;
    expect(await status("archive.btfa")).toBe(200);
    expect(await status("archive.btfa", { method: "HEAD" })).toBe(200);
    expect(await status("archive.btfa", { method: "POST" })).toBe(405);
    expect(await status("lock")).toBe(404);
    expect(await status("data/..%2f..%2fetc%2fpasswd")).toBe(404);
    const part = await fetch(`${url}archive.btfa`, { headers: { range: "bytes=0-7" } });
    expect([part.status, await part.text()]).toEqual([206, "BTFKIT-A"]);
    expect(part.headers.get("content-range")).toMatch(/^bytes 0-7\/\d+$/);
    expect(part.headers.get("access-control-allow-origin")).toBe("*");
    expect(await status("archive.btfa", { headers: { range: "bytes=99999999-" } })).toBe(416);
  });

  for (const host of ["deno", "bun"] as const) {
    needing(host)(`${host} reads it`, async () => {
      const { execFile } = await import("node:child_process");
      const program = `
        import { Archive } from "btfkit/archive";
        const archive = await Archive.open(${JSON.stringify(url)});
        const [found] = await archive.history(["type_1500.other_10500"]);
        console.log(found.states.map(({ bitOffset }) => bitOffset).join(), (await archive.get("v3")).length);
      `;
      const file = join("build", `archive-${host}.mjs`);
      const { writeFileSync } = await import("node:fs");
      writeFileSync(file, program);
      const args = host === "deno" ? ["run", "-A", file] : [file];
      const out = await new Promise<string>((resolve, reject) => {
        execFile(runtime(host), args, (error, text) => (error ? reject(error) : resolve(text)));
      });
      expect(out).toBe(`32,64,96,128 ${kernel(3).length}\n`);
    });
  }
});
