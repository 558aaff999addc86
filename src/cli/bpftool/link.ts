/** `bpftool link`. */
import { errnoText } from "../../live/errno.js";
import { BtfSystemError } from "../../live/error.js";
import type { Link, LinkInfo } from "../../live/link.js";
import { IdTable } from "./id-table.js";
import { known } from "./names.js";
import { parseLink } from "./objects.js";
import { pinCommand, pinTable } from "./pin.js";
import { type Arguments, type Session, systemText, ToolError } from "./session.js";
import { helpOf, type ToolObject } from "./tool-object.js";

const LINK_USAGE = `Usage: bpftool link { show | list } [LINK]
       bpftool link pin        LINK FILE
       bpftool link detach     LINK
       bpftool link help

       LINK := { id LINK_ID | pinned FILE }
`;

const MAP_ITERATORS = new Set(["bpf_map_elem", "bpf_sk_storage_map"]);

/** `link show`: one, or all. */
export async function showLinks(session: Session, args: Arguments): Promise<void> {
  const pins = session.options.showsPins ? await pinTable(session, "link") : new IdTable<string>();
  if (args.count === 2) {
    const link = await parseLink(session, args);
    try {
      await showLink(session, link, pins);
    } finally {
      link[Symbol.dispose]();
    }
    return;
  }
  if (args.count > 0) throw new ToolError(`what is '${args.current}'?`);
  session.json?.startArray();
  const kernel = await session.kernel();
  for (const link of kernel.links()) {
    try {
      await showLink(session, link, pins);
    } finally {
      link[Symbol.dispose]();
    }
    await session.flush();
  }
  session.json?.endArray();
}

async function showLink(session: Session, link: Link, pins: IdTable<string>): Promise<void> {
  let info: LinkInfo;
  try {
    info = link.info;
  } catch (error) {
    throw new ToolError(`can't get link info: ${systemText(error)}`);
  }
  const paths = pins.get(info.id);
  const type = known("link", info.typeNumber);
  const attachType = info.attachTypeNumber === undefined ? undefined : known("attach", info.attachTypeNumber);
  const details = new Map(Object.entries(info.details));
  const text = (name: string): string => String(details.get(name) ?? "");
  const { json } = session;
  if (json) {
    json.startObject().field("id", info.id);
    field(json, "type", type);
    json.field("prog_id", info.programId);
    switch (type) {
      case "raw_tracepoint":
        json.stringField("tp_name", text("tp_name"));
        break;
      case "tracing":
        field(json, "prog_type", await programType(session, info.programId));
        field(json, "attach_type", attachType ?? 0);
        break;
      case "cgroup":
        json.name("cgroup_id").raw(text("cgroup_id"));
        field(json, "attach_type", attachType ?? 0);
        break;
      case "iter":
        json.stringField("target_name", text("target_name"));
        if (MAP_ITERATORS.has(text("target_name"))) json.name("map_id").raw(text("map.map_id"));
        break;
      case "netns":
        json.name("netns_ino").raw(text("netns_ino"));
        field(json, "attach_type", attachType ?? 0);
        break;
    }
    if (pins.size > 0) {
      json.name("pinned").startArray();
      for (const path of paths) json.string(path);
      json.endArray();
    }
    json.endObject();
    return;
  }
  const named = (what: string, value: string | number): string => `${what} ${value}  `;
  let line = `${info.id}: ${typeof type === "number" ? `type ${type}` : type}  prog ${info.programId}  `;
  switch (type) {
    case "raw_tracepoint":
      line += `\n\ttp '${text("tp_name")}'  `;
      break;
    case "tracing":
      line += `\n\t${named("prog_type", await programType(session, info.programId))}${named("attach_type", attachType ?? 0)}`;
      break;
    case "cgroup":
      line += `\n\t${named("cgroup_id", text("cgroup_id"))}${named("attach_type", attachType ?? 0)}`;
      break;
    case "iter":
      line += named("target_name", text("target_name"));
      if (MAP_ITERATORS.has(text("target_name"))) line += named("map_id", text("map.map_id"));
      break;
    case "netns":
      line += `\n\t${named("netns_ino", text("netns_ino"))}${named("attach_type", attachType ?? 0)}`;
      break;
  }
  for (const path of paths) line += `\n\tpinned ${path}`;
  session.print(`${line}\n`);
}

function field(json: NonNullable<Session["json"]>, name: string, value: string | number): void {
  if (typeof value === "number") json.field(name, value);
  else json.stringField(name, value);
}

async function programType(session: Session, id: number): Promise<string | number> {
  const kernel = await session.kernel();
  using program = kernel.program(id);
  return known("program", program.info.typeNumber);
}

/** `link pin` */
export async function pinLink(session: Session, args: Arguments): Promise<void> {
  await pinCommand(session, args, parseLink);
}

/** `link detach` */
export async function detachLink(session: Session, args: Arguments): Promise<void> {
  if (args.count !== 2) throw new ToolError("link specifier is invalid or missing\n", 1);
  let link: Link;
  try {
    link = await parseLink(session, args);
  } catch (error) {
    if (error instanceof ToolError) throw new ToolError(error.message, 1);
    throw error;
  }
  try {
    link.detach();
  } catch (error) {
    if (error instanceof BtfSystemError) throw new ToolError(`failed link detach: ${errnoText(error.errno)}`, 1);
    throw error;
  } finally {
    link[Symbol.dispose]();
  }
  session.succeed();
}

/** `bpftool link` */
export const LINK: ToolObject = {
  usage: LINK_USAGE,
  commands: [
    ["show", showLinks],
    ["list", showLinks],
    ["help", helpOf(LINK_USAGE)],
    ["pin", pinLink],
    ["detach", detachLink],
  ],
};
