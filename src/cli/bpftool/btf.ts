/** `bpftool btf`. */

import type { Btf } from "../../btf/btf.js";
import { dumpC } from "../../btf/dump/c.js";
import { dumpJson } from "../../btf/dump/json.js";
import { dumpRaw } from "../../btf/dump/raw.js";
import { BtfError } from "../../errors/error.js";
import type { BtfObject, BtfObjectInfo } from "../../live/btf-object.js";
import { ERRNO, errnoText } from "../../live/errno.js";
import { BtfSystemError } from "../../live/error.js";
import { openFile } from "../../node/file.js";
import { IdTable } from "./id-table.js";
import { parseMap, parseProgram } from "./objects.js";
import { type Arguments, abbreviates, parseNumber, type Session, systemText, ToolError, Usage } from "./session.js";
import { helpOf, type ToolObject } from "./tool-object.js";

const BTF_USAGE = `Usage: bpftool btf { show | list } [id BTF_ID]
       bpftool btf dump BTF_SRC [format FORMAT]
       bpftool btf help

       BTF_SRC := { id BTF_ID | prog PROG | map MAP [{key | value | kv | all}] | file FILE }
       FORMAT  := { raw | c }
       MAP := { id MAP_ID | pinned FILE | name MAP_NAME }
       PROG := { id PROG_ID | pinned FILE | tag PROG_TAG | name PROG_NAME }
`;

const SYSFS = "/sys/kernel/btf/";
const VMLINUX = `${SYSFS}vmlinux`;

/** Ids of programs or maps, by the BTF that they have. */
type Users = IdTable<number>;

/** `btf show`: one, or all. */
export async function showBtfs(session: Session, args: Arguments): Promise<void> {
  const kernel = await session.kernel();
  let wanted: BtfObject | undefined;
  if (args.count === 2) wanted = await parseBtf(session, args);
  if (args.count > 0) {
    wanted?.[Symbol.dispose]();
    throw new ToolError(`what is '${args.current}'?`);
  }
  const programs = usersOf(kernel.programs());
  const maps = usersOf(kernel.maps());
  const show = (object: BtfObject): void => {
    try {
      showBtf(session, object.info, programs, maps);
    } catch (error) {
      if (!(error instanceof BtfSystemError)) throw error;
      throw new ToolError(`can't get BTF object info: ${systemText(error)}`);
    } finally {
      object[Symbol.dispose]();
    }
  };
  if (wanted) {
    show(wanted);
    return;
  }
  session.json?.startArray();
  for (const object of kernel.btfObjects()) {
    show(object);
    await session.flush();
  }
  session.json?.endArray();
}

function usersOf(
  objects: Iterable<{ readonly info: { readonly id: number; readonly btfId: number } } & Disposable>,
): Users {
  const users: Users = new IdTable();
  for (const object of objects) {
    const { id, btfId } = object.info;
    if (btfId) users.append(btfId, id);
    object[Symbol.dispose]();
  }
  return users;
}

function showBtf(session: Session, info: BtfObjectInfo, programs: Users, maps: Users): void {
  const [programIds, mapIds] = [programs.get(info.id), maps.get(info.id)];
  const { json } = session;
  if (json) {
    json.startObject().field("id", info.id).field("size", info.byteSize);
    for (const [name, ids] of [
      ["prog_ids", programIds],
      ["map_ids", mapIds],
    ] as const) {
      json.name(name).startArray();
      for (const id of ids) json.raw(id);
      json.endArray();
    }
    json.field("kernel", info.isKernel);
    if (info.name) json.stringField("name", info.name);
    json.endObject();
    return;
  }
  const name = info.isKernel ? `[${info.name}]` : info.name || "<anon>";
  let text = `${info.id}: name ${name}  size ${info.byteSize}B`;
  if (programIds.length > 0) text += `  prog_ids ${programIds.join(",")}`;
  if (mapIds.length > 0) text += `  map_ids ${mapIds.join(",")}`;
  session.print(`${text}\n`);
}

async function parseBtf(session: Session, args: Arguments): Promise<BtfObject> {
  const kernel = await session.kernel();
  if (!abbreviates(args.current, "id")) throw new ToolError(`expected 'id', got: '${args.current}'?`);
  args.skip();
  const text = args.take() ?? "";
  const id = parseNumber(text);
  if (id === undefined) throw new ToolError(`can't parse ${text} as ID`);
  const fd = kernel.openId("BTF", id >>> 0);
  if (fd < 0) throw new ToolError(`can't get BTF object by id (${id}): ${errnoText(-fd)}`);
  return kernel.adopt("BTF", fd);
}

/** Two arguments are needed; else the usage follows the error. */
function requireOrExplain(session: Session, args: Arguments): void {
  try {
    args.require(2);
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    session.error(error.message);
    throw new Usage();
  }
}

/** libbpf's number for a file of an unknown format. */
const UNKNOWN_FORMAT = 4001;

/** The failures that are EINVAL there. */
const INVALID = -ERRNO.EINVAL;

/** `btf dump` */
export async function dumpBtf(session: Session, args: Arguments): Promise<void> {
  requireOrExplain(session, args);
  const source = args.take()!;
  const roots: number[] = [];
  let id: number | undefined;
  let btf: Btf | undefined;
  if (abbreviates(source, "map")) {
    requireOrExplain(session, args);
    using map = await parseMap(session, args);
    const { info } = map;
    id = info.btfId;
    const word = args.current;
    const isAll = abbreviates(word, "all");
    const [isKey, isValue] = [abbreviates(word, "key"), abbreviates(word, "value")];
    if (!isAll && !isValue) roots.push(info.keyTypeId);
    if (!isAll && !isKey) roots.push(info.valueTypeId);
    if (isAll || isKey || isValue || abbreviates(word, "kv")) args.skip();
  } else if (abbreviates(source, "prog")) {
    requireOrExplain(session, args);
    using program = await parseProgram(session, args);
    id = program.info.btfId;
  } else if (abbreviates(source, "id")) {
    const text = args.take()!;
    const number = parseNumber(text);
    if (number === undefined) throw new ToolError(`can't parse ${text} as ID`);
    id = number >>> 0;
  } else if (abbreviates(source, "file")) {
    btf = openBtf(session, args.take()!);
  } else throw new ToolError(`unrecognized BTF source specifier: '${source}'`);

  const isC = parseFormat(args);
  btf ??= await openById(session, id!);
  if (isC && session.json) {
    throw new ToolError("JSON output for C-syntax dump is not supported", -ERRNO.EOPNOTSUPP);
  }
  await write(session, btf, isC, roots);
}

function parseFormat(args: Arguments): boolean {
  let isC = false;
  while (args.count > 0) {
    const word = args.take()!;
    if (!abbreviates(word, "format")) throw new ToolError(`unrecognized option: '${word}'`, INVALID);
    const format = args.take();
    if (format === undefined) throw new ToolError("expecting value for 'format' option\n", INVALID);
    if (format !== "c" && format !== "raw") {
      throw new ToolError(`unrecognized format specifier: '${format}', possible values: raw, c`, INVALID);
    }
    isC = format === "c";
  }
  return isC;
}

function openBtf(session: Session, path: string): Btf {
  const { baseBtf } = session.options;
  try {
    const isModule = path.startsWith(SYSFS) && path !== VMLINUX;
    const base = baseBtf ?? (isModule ? VMLINUX : undefined);
    return openFile(path, base === undefined ? {} : { base: openFile(base) });
  } catch (error) {
    if (!(error instanceof BtfError)) throw error;
    const { code, errno } = (error.cause ?? {}) as NodeJS.ErrnoException;
    const number = code && errno !== undefined ? Math.abs(errno) : UNKNOWN_FORMAT;
    throw new ToolError(`failed to load BTF from ${path}: ${errnoText(number)}`, -number);
  }
}

async function openById(session: Session, id: number): Promise<Btf> {
  const kernel = await session.kernel();
  const fd = kernel.openId("BTF", id);
  if (fd < 0) {
    if (!session.options.baseBtf) session.error(`can't get BTF object by id (${id}): ${errnoText(-fd)}`);
    throw new ToolError(`get btf by id (${id}): ${errnoText(-fd)}`, fd);
  }
  using object = kernel.adopt("BTF", fd);
  const { isKernel, name } = object.info;
  const isModule = isKernel && name !== "vmlinux";
  if (isModule && session.options.baseBtf === undefined) {
    session.info(
      `Warning: valid base BTF was not specified with -B option, falling back to standard base BTF (${VMLINUX})`,
    );
  }
  const basePath = session.options.baseBtf ?? (isModule ? VMLINUX : undefined);
  return object.open(basePath === undefined ? undefined : openFile(basePath));
}

/** The macros that later versions of bpftool define for kernel functions, between the pragma and the first type. */
const NEW_MACROS =
  /#ifndef __ksym\n[\s\S]*?#endif\n\n#ifndef __weak\n[\s\S]*?#endif\n\n#ifndef __bpf_fastcall\n[\s\S]*?#endif\n#endif\n\n/;

function withoutNewMacros(chunk: Uint8Array): Uint8Array {
  return Buffer.from(Buffer.from(chunk).toString("latin1").replace(NEW_MACROS, ""), "latin1");
}

async function write(session: Session, btf: Btf, isC: boolean, roots: readonly number[]): Promise<void> {
  await session.flush(true);
  const { json } = session;
  const types = roots.length > 0 ? { types: roots } : {};
  if (roots.some((root) => !btf.get(root))) throw new Usage();
  const dump = isC
    ? dumpC(btf, { ...types, sorted: false, kfuncs: false, compatible: "bpftool-7.8" })
    : json
      ? dumpJson(btf, { ...types, pretty: json.isPretty })
      : dumpRaw(btf, types);
  // The JSON ends in a line feed, which the end of the output has too.
  let held: Uint8Array = new Uint8Array();
  let isFirst = isC;
  await dump.drainAsync(async (chunk) => {
    await session.write(held);
    held = isFirst ? withoutNewMacros(chunk) : chunk.slice();
    isFirst = false;
  });
  await session.write(json ? held.subarray(0, -1) : held);
}

/** `bpftool btf` */
export const BTF: ToolObject = {
  usage: BTF_USAGE,
  commands: [
    ["show", showBtfs],
    ["list", showBtfs],
    ["help", helpOf(BTF_USAGE)],
    ["dump", dumpBtf],
  ],
};
