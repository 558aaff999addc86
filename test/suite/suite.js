/**
 * The API suite: the same in every runtime. It imports nothing but itself; what
 * it is called with is declared in suite.d.ts.
 */
import { dataAndCode } from "./data.js";
import { dumps } from "./dump.js";
import { entries } from "./entries.js";
import { errors } from "./errors.js";
import { kernel } from "./kernel.js";
import { lookup } from "./lookup.js";
import { memory } from "./memory.js";
import { elfFiles, initialising, opening } from "./open.js";
import { query } from "./query.js";
import { views } from "./views.js";

export function suite(context) {
  const parts = [opening, elfFiles, lookup, views, query, dumps, errors, memory, kernel, entries, dataAndCode];
  for (const part of [...parts, initialising]) part(context);
}
