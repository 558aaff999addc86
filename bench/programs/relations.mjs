// relations.mjs OLD NEW: milliseconds of the first and of later questions, as JSON. An index is built with the first.

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { Btf } from "../../dist/index.js";
import { diff, identities, relations } from "../../dist/inspect.js";

const REPETITIONS = 20;

function time(act) {
  const start = performance.now();
  act();
  return performance.now() - start;
}

/** The median of later calls. */
function later(act) {
  const times = Array.from({ length: REPETITIONS }, () => time(act)).sort((a, b) => a - b);
  return times[REPETITIONS >> 1];
}

const read = (path) => {
  const bytes = readFileSync(path);
  return bytes[0] === 0x1f ? gunzipSync(bytes) : bytes;
};
const [old, now] = process.argv.slice(2).map((path) => Btf.parse(read(path)));
const index = relations(now);
const embeds = () => index.holders("embeds", "list_head");
const embedsFirst = time(embeds);
const embedsLater = later(embeds);
const identitiesFirst = time(() => identities(now));
const diffFirst = time(() => diff(old, now));
const diffLater = later(() => diff(old, now));
process.stdout.write(JSON.stringify({ embedsFirst, embedsLater, identitiesFirst, diffFirst, diffLater }));
