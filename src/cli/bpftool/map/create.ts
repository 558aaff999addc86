/** `bpftool map create`. */

import { readdirSync, readFileSync } from "node:fs";
import { ERRNO, errnoText } from "../../../live/errno.js";
import type { BpfMap } from "../../../live/map.js";
import { mapTypeNumber } from "../names.js";
import { parseMap } from "../objects.js";
import { pinAt } from "../pin.js";
import { type Arguments, abbreviates, parseNumber, type Session, systemText, ToolError } from "../session.js";

/** `map create` */
export async function createMap(session: Session, args: Arguments): Promise<void> {
  args.require(7);
  const path = args.take()!;
  const sizes = { key: 0, value: 0, entries: 0, flags: 0 };
  let type = 0;
  let name: string | undefined;
  let inner: BpfMap | undefined;
  let interfaceIndex = 0;
  const number = (what: keyof typeof sizes, title: string): void => {
    args.skip();
    if (sizes[what]) throw new ToolError(`${title} already specified`);
    const text = args.current ?? "";
    const value = parseNumber(text);
    if (value === undefined) throw new ToolError(`can't parse ${text} as ${title}`);
    sizes[what] = value >>> 0;
    args.skip();
  };
  try {
    while (args.count > 0) {
      args.require(2);
      const word = args.current!;
      if (abbreviates(word, "type")) {
        args.skip();
        if (type) throw new ToolError("map type already specified");
        const wanted = mapTypeNumber(args.current!);
        if (wanted === undefined) throw new ToolError(`unrecognized map type: ${args.current}`);
        type = wanted;
        args.skip();
      } else if (abbreviates(word, "name")) {
        args.skip();
        name = args.take();
      } else if (abbreviates(word, "key")) number("key", "key size");
      else if (abbreviates(word, "value")) number("value", "value size");
      else if (abbreviates(word, "entries")) number("entries", "max entries");
      else if (abbreviates(word, "flags")) number("flags", "flags");
      else if (abbreviates(word, "dev")) {
        args.skip();
        if (interfaceIndex) throw new ToolError("offload device already specified");
        const device = args.take()!;
        interfaceIndex = interfaceNumber(device);
        if (!interfaceIndex) {
          throw new ToolError(`unrecognized netdevice '${device}': ${errnoText(ERRNO.ENODEV)}`);
        }
      } else if (abbreviates(word, "inner_map")) {
        args.skip();
        args.require(2);
        inner = await parseMap(session, args);
      } else throw new ToolError(`unknown arg ${word}`);
    }
    if (name === undefined) throw new ToolError("map name not specified");
    const kernel = await session.kernel();
    let map: BpfMap;
    try {
      map = kernel.createMap({
        type,
        name,
        keyByteSize: sizes.key,
        valueByteSize: sizes.value,
        maxEntries: sizes.entries,
        flags: sizes.flags,
        interfaceIndex,
        ...(inner && { innerMap: inner }),
      });
    } catch (error) {
      throw new ToolError(`map create failed: ${systemText(error)}`);
    }
    try {
      await pinAt(session, map, path);
    } finally {
      map[Symbol.dispose]();
    }
  } finally {
    inner?.[Symbol.dispose]();
  }
  session.succeed();
}

function interfaceNumber(name: string): number {
  if (!readdirSync("/sys/class/net").includes(name)) return 0;
  return Number(readFileSync(`/sys/class/net/${name}/ifindex`, "utf8"));
}
