/** The search: what is typed, and what it finds. One search at a time; of those that wait, the newest. */
import { batch, computed, effect, signal } from "@preact/signals";
import type { Kind } from "btfkit";
import { call } from "./client.js";
import type { Condition, ResultRow, SearchResult } from "./protocol.js";
import { kernels, place } from "./state.js";

export const text = signal("");
export const kinds = signal<readonly Kind[]>([]);
export const result = signal<SearchResult | undefined>(undefined);
export const failure = signal<string | undefined>(undefined);
/** What was written when the result that is shown was asked for. */
export const answered = signal("");
export const selected = signal(0);
/** Rows by their index, of the result that is shown. */
export const rows = signal<ReadonlyMap<number, ResultRow>>(new Map());

const CHUNK = 100;
const asked = new Set<number>();

/** The words of a query: `size:>4096 embeds:list_head` are conditions, the rest is looked for in names. */
export const query = computed(() => parseQuery(text.value));

export interface ParsedQuery {
  readonly text: string;
  readonly conditions: readonly Condition[];
  readonly kinds: readonly Kind[];
}

export function parseQuery(written: string): ParsedQuery {
  const words: string[] = [];
  const conditions: Condition[] = [];
  const wanted: Kind[] = [];
  for (const word of written.split(/\s+/).filter(Boolean)) {
    const [, what, value] = /^([a-z-]+):(.*)$/.exec(word) ?? [];
    const condition = what && value ? conditionOf(what, value) : undefined;
    if (condition) conditions.push(condition);
    else if (what === "kind" && value) wanted.push(value as Kind);
    else if (!["struct", "union", "enum"].includes(word) || written.trim() === word) words.push(word);
    else wanted.push(word as Kind);
  }
  return { text: words.join(" "), conditions, kinds: wanted };
}

function conditionOf(what: string, value: string): Condition | undefined {
  switch (what) {
    case "size":
    case "holes": {
      const range = rangeOf(value);
      return range && { what, ...range };
    }
    case "embeds":
    case "points-to":
    case "takes":
    case "returns":
    case "member":
    case "file":
      return { what, name: value };
    default:
      return undefined;
  }
}

/** `64`, `>4096`, `<=16`, `64-128`: bytes. */
function rangeOf(value: string): { readonly from: number; readonly to: number } | undefined {
  const [, sign, first, last] = /^(>=?|<=?)?(\d+)(?:-(\d+))?$/.exec(value) ?? [];
  if (first === undefined) return undefined;
  const number = Number(first);
  switch (sign) {
    case ">":
      return { from: number + 1, to: Number.MAX_SAFE_INTEGER };
    case ">=":
      return { from: number, to: Number.MAX_SAFE_INTEGER };
    case "<":
      return { from: 0, to: number - 1 };
    case "<=":
      return { from: 0, to: number };
    default:
      return { from: number, to: last === undefined ? number : Number(last) };
  }
}

let running = false;
let again = false;

async function run(): Promise<void> {
  const kernel = place.peek().kernel;
  if (kernel === undefined || !kernels.peek().some((one) => one.kernel === kernel)) {
    result.value = undefined;
    return;
  }
  if (running) {
    again = true;
    return;
  }
  running = true;
  try {
    const written = text.peek();
    const { kinds: wanted, ...rest } = query.peek();
    const found = await call("search", { kernel, kinds: [...kinds.peek(), ...wanted], ...rest });
    asked.clear();
    batch(() => {
      rows.value = new Map(found.first.map((row, i) => [i, row]));
      selected.value = 0;
      answered.value = written;
      result.value = found;
      failure.value = undefined;
    });
  } catch (error) {
    failure.value = (error as Error).message;
  } finally {
    running = false;
    if (again) {
      again = false;
      void run();
    }
  }
}

effect(() => {
  text.value;
  kinds.value;
  kernels.value;
  place.value.kernel;
  void run();
});

/** Asks for the rows of a stretch that are not there yet. */
export async function need(from: number, to: number): Promise<void> {
  const found = result.peek();
  if (!found) return;
  for (let chunk = Math.floor(from / CHUNK); chunk * CHUNK < Math.min(to, found.total); chunk++) {
    const start = chunk * CHUNK;
    if (asked.has(chunk) || hasAll(Math.max(from, start), Math.min(to, start + CHUNK, found.total))) continue;
    asked.add(chunk);
    const got = await call("rows", { token: found.token, from: start, to: start + CHUNK });
    if (result.peek() !== found) return;
    const merged = new Map(rows.peek());
    got.forEach((row, i) => {
      merged.set(start + i, row);
    });
    rows.value = merged;
  }
}

function hasAll(from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (!rows.peek().has(i)) return false;
  return true;
}
