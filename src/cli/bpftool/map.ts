/** `bpftool map`: its usage and its commands. */
import { errnoText } from "../../live/errno.js";
import { BtfSystemError } from "../../live/error.js";
import { createMap } from "./map/create.js";
import { dumpMaps } from "./map/dump.js";
import { deleteKey, lookupMap, nextKey, popMap, updateMap } from "./map/element.js";
import { showMaps } from "./map/show.js";
import { parseMap } from "./objects.js";
import { pinCommand } from "./pin.js";
import { type Arguments, type Session, ToolError } from "./session.js";
import { helpOf, type ToolObject } from "./tool-object.js";

const MAP_USAGE = `Usage: bpftool map { show | list }   [MAP]
       bpftool map create     FILE type TYPE key KEY_SIZE value VALUE_SIZE \\
                              entries MAX_ENTRIES name NAME [flags FLAGS] \\
                              [inner_map MAP] [dev NAME]
       bpftool map dump       MAP
       bpftool map { update | push | enqueue } MAP [key DATA] [value VALUE] [UPDATE_FLAGS]
       bpftool map { lookup | peek } MAP [key DATA]
       bpftool map getnext    MAP [key DATA]
       bpftool map delete     MAP key DATA
       bpftool map { pop | dequeue } MAP
       bpftool map freeze     MAP
       bpftool map pin        MAP FILE
       bpftool map help

       MAP := { id MAP_ID | pinned FILE | name MAP_NAME }
       DATA := { [hex] BYTES }
       VALUE := { DATA | MAP | PROG }
       UPDATE_FLAGS := { any | exist | noexist }
`;

/** `map freeze` */
async function freezeMap(session: Session, args: Arguments): Promise<void> {
  args.require(2);
  const map = await parseMap(session, args);
  try {
    if (args.count > 0) throw new ToolError(`what is '${args.current}'?`);
    map.freeze();
  } catch (error) {
    if (error instanceof BtfSystemError) {
      throw new ToolError(`failed to freeze map: ${errnoText(error.errno)}`, -error.errno);
    }
    throw error;
  } finally {
    map[Symbol.dispose]();
  }
  session.succeed();
}

/** `map pin` */
async function pinMap(session: Session, args: Arguments): Promise<void> {
  await pinCommand(session, args, parseMap);
}

/** `bpftool map` */
export const MAP: ToolObject = {
  usage: MAP_USAGE,
  commands: [
    ["show", showMaps],
    ["list", showMaps],
    ["help", helpOf(MAP_USAGE)],
    ["dump", dumpMaps],
    ["update", updateMap],
    ["lookup", lookupMap],
    ["getnext", nextKey],
    ["delete", deleteKey],
    ["pin", pinMap],
    ["event_pipe"],
    ["create", createMap],
    ["peek", lookupMap],
    ["push", updateMap],
    ["enqueue", updateMap],
    ["pop", popMap],
    ["dequeue", popMap],
    ["freeze", freezeMap],
  ],
};
