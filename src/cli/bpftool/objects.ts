/** Objects as bpftool's command line names them: by id, name, tag, or path. */

import { BtfLookupError } from "../../errors/error.js";
import { isBpfFs } from "../../live/descriptor.js";
import { ERRNO, errnoText } from "../../live/errno.js";
import { BtfSystemError } from "../../live/error.js";
import type { Kernel } from "../../live/kernel.js";
import { Link } from "../../live/link.js";
import { BpfMap } from "../../live/map.js";
import { Program } from "../../live/program.js";
import { NothingFound } from "./failures.js";
import { type Arguments, abbreviates, parseNumber, type Session, systemText, ToolError, Usage } from "./session.js";

/** The longest name of a map, and of a program with BTF, with their NUL. */
const MAP_NAME_LIMIT = 16;
const PROGRAM_NAME_LIMIT = 128;

/** Takes the argument after a keyword. */
function argument(args: Arguments): string {
  args.skip();
  const text = args.take();
  if (text === undefined) throw new Usage();
  return text;
}

/** @throws ToolError */
export function parseId(text: string): number {
  const id = parseNumber(text);
  if (id === undefined) throw new ToolError(`can't parse ${text} as ID`);
  return id >>> 0;
}

/**
 * The maps that `id N`, `name NAME` or `pinned PATH` stands for.
 *
 * @throws ToolError; Usage
 */
export async function parseMaps(session: Session, args: Arguments): Promise<BpfMap[]> {
  const kernel = await session.kernel();
  const word = args.current;
  if (abbreviates(word, "id")) {
    const id = parseId(argument(args));
    const fd = kernel.openId("MAP", id);
    if (fd < 0) throw new ToolError(`get map by id (${id}): ${errnoText(-fd)}`);
    return [kernel.adopt("map", fd)];
  }
  if (abbreviates(word, "name")) {
    const name = argument(args);
    if (name.length > MAP_NAME_LIMIT - 1) throw new ToolError("can't parse name");
    return select("map", kernel, (map: BpfMap) => map.name === name);
  }
  if (abbreviates(word, "pinned")) {
    return [expectKind(openPinned(kernel, argument(args)), BpfMap)];
  }
  throw new ToolError(`expected 'id', 'name' or 'pinned', got: '${word ?? "(null)"}'?`);
}

/**
 * The programs that `id N`, `tag TAG`, `name NAME` or `pinned PATH` stands for.
 *
 * @throws ToolError; Usage
 */
export async function parsePrograms(session: Session, args: Arguments): Promise<Program[]> {
  const kernel = await session.kernel();
  const word = args.current;
  if (abbreviates(word, "id")) {
    const id = parseId(argument(args));
    const fd = kernel.openId("PROG", id);
    if (fd < 0) throw new ToolError(`get by id (${id}): ${errnoText(-fd)}`);
    return [kernel.adopt("program", fd)];
  }
  if (abbreviates(word, "tag")) {
    const tag = argument(args);
    if (!/^[\da-f]{16}/i.test(tag)) throw new ToolError("can't parse tag");
    return select("prog", kernel, (program: Program) => program.info.tag === tag.slice(0, 16).toLowerCase());
  }
  if (abbreviates(word, "name")) {
    const name = argument(args);
    if (name.length > PROGRAM_NAME_LIMIT - 1) throw new ToolError("can't parse name");
    return select("prog", kernel, (program: Program) => program.fullName === name);
  }
  if (abbreviates(word, "pinned")) {
    return [expectKind(openPinned(kernel, argument(args)), Program)];
  }
  throw new ToolError(`expected 'id', 'tag', 'name' or 'pinned', got: '${word ?? "(null)"}'?`);
}

/** @throws ToolError; Usage */
export async function parseLink(session: Session, args: Arguments): Promise<Link> {
  const kernel = await session.kernel();
  const word = args.current;
  if (abbreviates(word, "id")) {
    const id = parseId(argument(args));
    const fd = kernel.openId("LINK", id);
    if (fd < 0) throw new ToolError(`failed to get link with ID ${id}: ${errnoText(-fd)}`, fd);
    return kernel.adopt("link", fd);
  }
  if (abbreviates(word, "pinned")) return expectKind(openPinned(kernel, argument(args)), Link);
  throw new ToolError(`expected 'id' or 'pinned', got: '${word ?? "(null)"}'?`);
}

/** The one map that is named. */
export async function parseMap(session: Session, args: Arguments): Promise<BpfMap> {
  return single(await parseMaps(session, args), "maps");
}

/** The one program that is named. */
export async function parseProgram(session: Session, args: Arguments): Promise<Program> {
  return single(await parsePrograms(session, args), "programs");
}

function single<T extends Disposable>(found: readonly T[], what: string): T {
  if (found.length === 1) return found[0]!;
  for (const one of found) one[Symbol.dispose]();
  if (found.length === 0) throw new NothingFound();
  throw new ToolError(`several ${what} match this handle`);
}

function select<T extends BpfMap | Program>(kind: "map" | "prog", kernel: Kernel, matches: (one: T) => boolean): T[] {
  const found: T[] = [];
  try {
    for (const one of (kind === "map" ? kernel.maps() : kernel.programs()) as Generator<T>) {
      if (matches(one)) found.push(one);
      else one[Symbol.dispose]();
    }
  } catch (error) {
    for (const one of found) one[Symbol.dispose]();
    if (error instanceof BtfSystemError) throw new ToolError(systemText(error));
    throw error;
  }
  return found;
}

/** @throws ToolError */
export function openPinned(kernel: Kernel, path: string): BpfMap | Program | Link {
  try {
    return kernel.pinned(path);
  } catch (error) {
    if (error instanceof BtfLookupError) throw new ToolError("incorrect object type: unknown");
    if (!(error instanceof BtfSystemError)) throw error;
    const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) || "/" : ".";
    const isOutside = errnoText(error.errno) === "Permission denied" && !isBpfFs(kernel.system, folder);
    const why = isOutside ? "directory not in bpf file system (bpffs)" : systemText(error);
    // bpftool cuts the path to look at its folder, and shows what is left.
    const shown = error.errno === ERRNO.EACCES || isOutside ? folder : path;
    throw new ToolError(`bpf obj get (${shown}): ${why}`);
  }
}

function expectKind<T extends BpfMap | Program | Link>(
  found: BpfMap | Program | Link,
  kind: abstract new (...args: never) => T,
): T {
  if (found instanceof kind) return found;
  const name = found instanceof BpfMap ? "map" : found instanceof Program ? "prog" : "link";
  found[Symbol.dispose]();
  throw new ToolError(`incorrect object type: ${name}`);
}
