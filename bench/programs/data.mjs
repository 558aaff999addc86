// Decodes records of five events of libbpf-tools, in four ways: by hand, by binary-parser, by closures, by made code.
// Prints nanoseconds for a record, the best of some rounds, as JSON, a line for each event.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";
import { readObject } from "../../dist/bpf.js";
import { decoderOf } from "../../dist/data.js";

const [folder, rounds = "12"] = process.argv.slice(2);
const RECORDS = 2000;

const text = new TextDecoder();
/** Text up to the first NUL. */
function textOf(bytes, at, length) {
  const end = bytes.indexOf(0, at);
  return text.decode(bytes.subarray(at, end < 0 || end > at + length ? at + length : end));
}

/** Each event: its object, its type, and how somebody who knows its layout reads it. */
const EVENTS = [
  {
    object: "capable",
    type: "cap_event",
    read: (view, at, bytes) => ({
      pid: view.getUint32(at, true),
      cap: view.getUint32(at + 4, true),
      tgid: view.getUint32(at + 8, true),
      uid: view.getUint32(at + 12, true),
      audit: view.getInt32(at + 16, true),
      insetid: view.getInt32(at + 20, true),
      ret: view.getInt32(at + 24, true),
      task: textOf(bytes, at + 28, 16),
    }),
    parse: (parser, string) =>
      parser
        .uint32le("pid")
        .uint32le("cap")
        .uint32le("tgid")
        .uint32le("uid")
        .int32le("audit")
        .int32le("insetid")
        .int32le("ret")
        .string("task", string(16)),
  },
  {
    object: "execsnoop",
    type: "event",
    read: (view, at, bytes) => ({
      pid: view.getInt32(at, true),
      ppid: view.getInt32(at + 4, true),
      uid: view.getUint32(at + 8, true),
      retval: view.getInt32(at + 12, true),
      args_count: view.getInt32(at + 16, true),
      args_size: view.getUint32(at + 20, true),
      comm: textOf(bytes, at + 24, 16),
      args: textOf(bytes, at + 40, 7680),
    }),
    parse: (parser, string) =>
      parser
        .int32le("pid")
        .int32le("ppid")
        .uint32le("uid")
        .int32le("retval")
        .int32le("args_count")
        .uint32le("args_size")
        .string("comm", string(16))
        .string("args", string(7680)),
  },
  {
    object: "gethostlatency",
    type: "event",
    read: (view, at, bytes) => ({
      time: view.getBigUint64(at, true),
      pid: view.getUint32(at + 8, true),
      comm: textOf(bytes, at + 12, 16),
      host: textOf(bytes, at + 28, 80),
    }),
    parse: (parser, string) =>
      parser.uint64le("time").uint32le("pid").string("comm", string(16)).string("host", string(80)),
  },
  {
    object: "sigsnoop",
    type: "event",
    read: (view, at, bytes) => ({
      pid: view.getUint32(at, true),
      tpid: view.getUint32(at + 4, true),
      sig: view.getInt32(at + 8, true),
      ret: view.getInt32(at + 12, true),
      comm: textOf(bytes, at + 16, 16),
    }),
    parse: (parser, string) =>
      parser.uint32le("pid").uint32le("tpid").int32le("sig").int32le("ret").string("comm", string(16)),
  },
  {
    object: "solisten",
    type: "event",
    read: (view, at, bytes) => ({
      addr: new Uint32Array(bytes.slice(at, at + 16).buffer),
      pid: view.getUint32(at + 16, true),
      proto: view.getUint32(at + 20, true),
      backlog: view.getInt32(at + 24, true),
      ret: view.getInt32(at + 28, true),
      port: view.getUint16(at + 32, true),
      task: textOf(bytes, at + 34, 16),
    }),
    parse: (parser, string) =>
      parser
        .array("addr", { type: "uint32le", length: 4 })
        .uint32le("pid")
        .uint32le("proto")
        .int32le("backlog")
        .int32le("ret")
        .uint16le("port")
        .string("task", string(16)),
  },
];

/** npm's binary-parser, where the bench's packages are installed. */
function parserClass() {
  try {
    return createRequire(new URL("../package.json", import.meta.url))("binary-parser").Parser;
  } catch {
    return undefined;
  }
}
const Parser = parserClass();
const string = (length) => ({ length, stripNull: true, encoding: "utf8" });

let kept;
/** Best time of a record in nanoseconds. */
function nanoseconds(size, read) {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < Number(rounds); round++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < RECORDS; i++) kept = read(i * size);
    best = Math.min(best, Number(process.hrtime.bigint() - start) / RECORDS);
  }
  return best;
}

const results = EVENTS.map(({ object, type, read, parse }) => {
  const { btf } = readObject(readFileSync(`${folder}/lt026-${object}.bpf.o`));
  const struct = btf.require(type, "struct");
  const closures = decoderOf(struct);
  const made = decoderOf(struct, { compile: true });
  const size = closures.byteSize;
  const bytes = new Uint8Array(size * RECORDS);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 7) % 23 === 0 ? 0 : 0x61 + (i % 26);
  const view = new DataView(bytes.buffer);
  const parser = Parser && parse(new Parser(), string);
  return {
    event: `${object} ${type}`,
    size,
    byHand: nanoseconds(size, (at) => read(view, at, bytes)),
    made: nanoseconds(size, (at) => made(view, at)),
    closures: nanoseconds(size, (at) => closures(view, at)),
    parser: parser && nanoseconds(size, (at) => parser.parse(bytes.subarray(at, at + size))),
  };
});
for (const result of results) process.stdout.write(`${JSON.stringify(result)}\n`);
if (kept === undefined) process.exitCode = 1;
