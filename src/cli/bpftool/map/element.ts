/** The commands on one element: lookup, update, delete, getnext, pop. */
import { ERRNO, errnoText } from "../../../live/errno.js";
import { BtfSystemError } from "../../../live/error.js";
import type { BpfMap } from "../../../live/map.js";
import { DumpFailed } from "../failures.js";
import { hexLines } from "../hex.js";
import { parseMap, parseProgram } from "../objects.js";
import { type Arguments, abbreviates, parseNumber, type Session, systemText, ToolError, Usage } from "../session.js";
import { printEntry } from "./entry.js";

/** What `key`, `value` and the flags of a command line say. */
interface Element {
  key?: Uint8Array;
  value?: Uint8Array | (Disposable & { readonly fd: number });
  flags?: number;
}

const FLAG_WORDS = [
  ["any", 0],
  ["noexist", 1],
  ["exist", 2],
] as const;

/** What may be given, and how long it is. */
interface ElementSizes {
  readonly keySize: number;
  readonly valueSize: number;
  readonly takesFlags: boolean;
  /** Whether a key is needed (default: if it has bytes). */
  readonly wantsKey?: boolean;
}

/** Reads `key`, `value` and flags. */
async function parseElement(
  session: Session,
  args: Arguments,
  map: BpfMap,
  { keySize, valueSize, takesFlags, wantsKey = keySize > 0 }: ElementSizes,
): Promise<Element> {
  const element: Element = {};
  const wantsValue = valueSize > 0;
  while (args.current !== undefined) {
    const word = args.current;
    if (abbreviates(word, "key")) {
      if (element.key || !wantsKey) throw new ToolError(keySize ? "duplicate key" : "unnecessary key");
      args.skip();
      element.key = parseBytes(args, "key", keySize);
    } else if (abbreviates(word, "value")) {
      if (element.value || !wantsValue) throw new ToolError(valueSize ? "duplicate value" : "unnecessary value");
      args.skip();
      element.value = await parseValue(session, args, map, valueSize);
    } else {
      const flag = FLAG_WORDS.find(([name]) => abbreviates(word, name));
      if (!flag) throw new ToolError(`expected key or value, got: ${word}`);
      if (!takesFlags || element.flags !== undefined) throw new ToolError(`flags specified multiple times: ${word}`);
      element.flags = flag[1];
      args.skip();
    }
  }
  if (wantsKey && !element.key) throw new ToolError("did not find key");
  if (wantsValue && !element.value) throw new ToolError("did not find value");
  return element;
}

async function parseValue(
  session: Session,
  args: Arguments,
  map: BpfMap,
  valueSize: number,
): Promise<Uint8Array | (Disposable & { readonly fd: number })> {
  const what = /^(array|hash)_of_maps$/.test(map.type)
    ? "map in map"
    : map.type === "prog_array"
      ? "map of progs"
      : undefined;
  if (!what) return parseBytes(args, "value", valueSize);
  if (valueSize !== 4) throw new ToolError(`value smaller than 4B for ${what}?`);
  if (args.count < 2) throw new ToolError(`not enough value arguments for ${what}`);
  if (what === "map in map") return await parseMap(session, args);
  if (abbreviates(args.current, "id")) {
    session.info(
      "Warning: updating program array via MAP_ID, make sure this map is kept open\n" +
        "         by some process or pinned otherwise update will be lost",
    );
  }
  return await parseProgram(session, args);
}

/** @throws ToolError */
function parseBytes(args: Arguments, name: string, count: number): Uint8Array {
  let base = 0;
  if (abbreviates(args.current, "hex")) {
    base = 16;
    args.skip();
  }
  const bytes = new Uint8Array(count);
  let i = 0;
  for (; i < count && args.current !== undefined; i++) {
    const text = args.current;
    const value = parseNumber(text, base);
    if (value === undefined) throw new ToolError(`error parsing byte: ${text}`);
    bytes[i] = value;
    args.skip();
  }
  if (i !== count) throw new ToolError(`${name} expected ${count} bytes got ${i}`);
  return bytes;
}

/** `map update`, `push`, `enqueue` */
export async function updateMap(session: Session, args: Arguments): Promise<void> {
  await withMap(session, args, async (map) => {
    const { keyByteSize, valueByteSize } = map.info;
    const sizes = { keySize: keyByteSize, valueSize: valueByteSize, takesFlags: true };
    const { key, value, flags = 0 } = await parseElement(session, args, map, sizes);
    const errno = map.write(key ?? new Uint8Array(), value ?? new Uint8Array(), flags);
    if (value && Symbol.dispose in value) value[Symbol.dispose]();
    if (errno) throw new ToolError(`update failed: ${errnoText(errno)}`, -errno);
    session.succeed();
  });
}

async function withMap(session: Session, args: Arguments, act: (map: BpfMap) => Promise<void>): Promise<void> {
  if (args.count < 2) throw new Usage();
  const map = await parseMap(session, args);
  try {
    try {
      void map.info;
    } catch (error) {
      throw new ToolError(`can't get map info: ${systemText(error)}`);
    }
    await act(map);
  } finally {
    map[Symbol.dispose]();
  }
}

/** `map lookup`, `peek` */
export async function lookupMap(session: Session, args: Arguments): Promise<void> {
  await withMap(session, args, async (map) => {
    const sizes = { keySize: map.info.keyByteSize, valueSize: 0, takesFlags: false };
    const { key = new Uint8Array() } = await parseElement(session, args, map, sizes);
    const errno = map.lookup(key);
    if (errno === 0) return printEntry(session, map, key, map.value);
    if (errno !== ERRNO.ENOENT) throw new ToolError(`lookup failed: ${errnoText(errno)}`, -errno);
    if (session.json) session.json.raw("null");
    else session.print(`key:\n${hexLines(key, " ")}\n\nNot found\n`);
    throw new DumpFailed(-errno);
  });
}

/** `map getnext` */
export async function nextKey(session: Session, args: Arguments): Promise<void> {
  await withMap(session, args, async (map) => {
    const sizes = { keySize: map.info.keyByteSize, valueSize: 0, takesFlags: false, wantsKey: true };
    const key = args.count > 0 ? (await parseElement(session, args, map, sizes)).key : undefined;
    let next: Uint8Array | undefined;
    try {
      next = map.nextKey(key);
    } catch (error) {
      if (error instanceof BtfSystemError) {
        throw new ToolError(`can't get next key: ${errnoText(error.errno)}`, -error.errno);
      }
      throw error;
    }
    if (!next) throw new ToolError(`can't get next key: ${errnoText(ERRNO.ENOENT)}`, -ERRNO.ENOENT);
    const { json } = session;
    if (json) {
      json.startObject().name("key");
      if (key) json.hexBytes(key);
      else json.raw("null");
      json.name("next_key").hexBytes(next).endObject();
      return;
    }
    const before = key ? `key:\n${hexLines(key, " ")}\n` : "key: None\n";
    session.print(`${before}next key:\n${hexLines(next, " ")}\n`);
  });
}

/** `map delete` */
export async function deleteKey(session: Session, args: Arguments): Promise<void> {
  await withMap(session, args, async (map) => {
    const sizes = { keySize: map.info.keyByteSize, valueSize: 0, takesFlags: false, wantsKey: true };
    const { key = new Uint8Array() } = await parseElement(session, args, map, sizes);
    const errno = map.erase(key);
    if (errno) throw new ToolError(`delete failed: ${errnoText(errno)}`, -errno);
    session.succeed();
  });
}

/** `map pop`, `dequeue` */
export async function popMap(session: Session, args: Arguments): Promise<void> {
  await withMap(session, args, async (map) => {
    const key = new Uint8Array(map.info.keyByteSize);
    const errno = map.take(key);
    if (errno === 0) return printEntry(session, map, key, map.value);
    if (errno !== ERRNO.ENOENT) throw new ToolError(`pop failed: ${errnoText(errno)}`, -errno);
    if (session.json) session.json.raw("null");
    else session.print("Error: empty map\n");
    throw new DumpFailed(-ERRNO.ENOENT);
  });
}
