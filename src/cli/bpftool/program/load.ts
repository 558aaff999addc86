/** `bpftool prog load` and `loadall`. */
import { mkdirSync, rmSync } from "node:fs";
import { basename, dirname } from "node:path";
import { readObject } from "../../../bpf/object/object.js";
import { BtfError } from "../../../errors/error.js";
import type { Descriptor } from "../../../live/descriptor.js";
import type { LoadedMap, LoadedObject, LoadedProgram } from "../../../live/loader/loaded-object.js";
import type { BpfMap } from "../../../live/map.js";
import { readBytes } from "../../../node/file.js";
import { isFileName } from "../../object-input.js";
import { parseMap } from "../objects.js";
import { mountBpfFsFor } from "../pin.js";
import { type Arguments, abbreviates, Missing, parseNumber, type Session, ToolError } from "../session.js";

/** `prog load`: pins the object's first program. */
export const loadProgram = loader(false);
/** `prog loadall`: pins every program by its name in a folder. */
export const loadPrograms = loader(true);

interface LoadRequest {
  /** Open maps in place of the object's, by its name or its position. */
  readonly maps: readonly (readonly [name: string | number, map: BpfMap])[];
  /** Folder where the maps are pinned. */
  readonly pinMaps: string | undefined;
}

function loader(isAll: boolean): (session: Session, args: Arguments) => Promise<void> {
  return async (session, args) => {
    args.require(2);
    const [file, path] = [args.take()!, args.take()!];
    const maps: (readonly [string | number, BpfMap])[] = [];
    try {
      const pinMaps = await parseRequest(session, args, maps);
      await load(session, file, path, isAll, { maps, pinMaps });
    } finally {
      for (const [, map] of maps) map[Symbol.dispose]();
    }
    session.succeed();
  };
}

/** Reads what follows the object and the path. @returns the folder of `pinmaps` */
async function parseRequest(
  session: Session,
  args: Arguments,
  maps: (readonly [string | number, BpfMap])[],
): Promise<string | undefined> {
  let pinMaps: string | undefined;
  while (args.count > 0) {
    const word = args.current!;
    if (abbreviates(word, "type") || abbreviates(word, "dev")) throw new Missing(`prog load ${word}`);
    if (abbreviates(word, "map")) {
      args.skip();
      args.require(4);
      maps.push(await parseReplacement(session, args));
    } else if (abbreviates(word, "pinmaps")) {
      args.skip();
      args.require(1);
      pinMaps = args.take();
    } else throw new ToolError(`expected no more arguments, 'type', 'map' or 'dev', got: '${word}'?`);
  }
  return pinMaps;
}

async function parseReplacement(session: Session, args: Arguments): Promise<readonly [string | number, BpfMap]> {
  const how = args.take()!;
  let which: string | number;
  if (abbreviates(how, "idx")) {
    const text = args.take()!;
    const index = parseNumber(text);
    if (index === undefined) throw new ToolError(`can't parse ${text} as IDX`);
    which = index;
  } else if (abbreviates(how, "name")) which = args.take()!;
  else throw new ToolError(`expected 'idx' or 'name', got: '${how}'?`);
  return [which, await parseMap(session, args)];
}

async function load(session: Session, file: string, path: string, isAll: boolean, request: LoadRequest): Promise<void> {
  const kernel = await session.kernel();
  const object = attempt(session, "failed to open object file", () => readObject(readBytes(file)));
  let app: LoadedObject;
  try {
    const names = object.maps.map(({ name }) => name);
    const reuse = Object.fromEntries(
      request.maps.map(([which, map]) => [typeof which === "number" ? (names[which] ?? "") : which, map]),
    );
    app = await kernel.load(object, { name: basename(file).split(".")[0]!, reuse });
  } catch (error) {
    object[Symbol.dispose]();
    throw failure(session, "failed to load object file", error);
  }
  using loaded = app;
  await mountBpfFsFor(session, path);
  const programs = Object.values(loaded.programs) as LoadedProgram[];
  const pins = new Pins();
  if (isAll) {
    attempt(session, "failed to pin all programs", () => {
      const paths = programs.map(({ name }) => pathIn(path, name));
      for (const [i, { program }] of programs.entries()) pins.add(program, paths[i]!);
    });
  } else {
    const [first] = programs;
    if (!first) throw new ToolError("object file doesn't contain any bpf program");
    attempt(session, `failed to pin program ${first.section}`, () => pins.add(first.program, path));
  }
  const folder = request.pinMaps;
  if (folder === undefined) return;
  attempt(session, "failed to pin all maps", () => {
    const paths = loaded.plan.maps.map((map) => pathIn(folder, pinName(map)));
    for (const [i, { map }] of (Object.values(loaded.maps) as LoadedMap[]).entries()) pins.add(map, paths[i]!);
  });
}

/** A map's name in its path: a section's is the kernel's, and a dot is no character of such names. Source: sanitize_pin_path. */
function pinName({ origin, name, fullName }: LoadedObject["plan"]["maps"][number]): string {
  return (origin === "definition" || origin === "struct_ops" ? fullName : name).replaceAll(".", "_");
}

/** A path that stays in its folder, which bpftool leaves to the object. */
function pathIn(folder: string, name: string): string {
  if (!isFileName(name)) throw new ToolError(`"${name}" is no name for a pin in ${folder}`);
  return `${folder}/${name}`;
}

/** Paths at which objects were pinned; all are removed where one fails. */
class Pins {
  readonly #paths: string[] = [];

  add(object: Descriptor, path: string): void {
    try {
      makeFolder(dirname(path));
      object.pin(path);
      this.#paths.push(path);
    } catch (cause) {
      for (const pinned of this.#paths) rmSync(pinned, { force: true });
      throw cause;
    }
  }
}

/** Makes a folder, not those above it. Source: libbpf's make_parent_dir. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

function attempt<T>(session: Session, message: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw failure(session, message, error);
  }
}

/** Says the reason, as libbpf does in its words, and returns bpftool's. */
function failure(session: Session, message: string, error: unknown): Error {
  const { code, message: reason } = error as NodeJS.ErrnoException;
  if (!(error instanceof BtfError) && code === undefined) return error as Error;
  session.info(`btfkit: ${reason}`);
  return new ToolError(message);
}
