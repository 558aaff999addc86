// Memory that open Btfs hold: node --expose-gc held-memory.mjs FILE
import { readFileSync } from "node:fs";
import process from "node:process";
import { openFile } from "../../dist/node.js";

/** Bytes of the process without what it maps from files, its program text above all. Linux only. */
function anonymous() {
  try {
    return Number(/^Anonymous: *(\d+)/m.exec(readFileSync("/proc/self/smaps_rollup", "utf8"))[1]) * 1024;
  } catch {
    return undefined;
  }
}

function look() {
  globalThis.gc();
  return { resident: process.memoryUsage.rss(), anonymous: anonymous() };
}

// The first look pages in what looking needs.
look();
const before = look();
const first = openFile(process.argv[2]);
const afterFirst = look();
const second = openFile(process.argv[2]);
const afterSecond = look();

console.log(
  JSON.stringify({
    first: afterFirst.resident - before.resident,
    firstAnonymous: afterFirst.anonymous - before.anonymous,
    second: afterSecond.resident - afterFirst.resident,
    types: first.size + second.size,
  }),
);
