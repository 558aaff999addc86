/** Processes that hold descriptors of maps, programs, links and BTF. */

import { attempt as attemptFile } from "../node/attempt.js";

/** A process. */
export interface Holder {
  readonly pid: number;
  /** The name of its main thread, at most 15 bytes. */
  readonly name: string;
}

/** The holders of objects, by kind and id. */
export interface Holders {
  readonly maps: ReadonlyMap<number, readonly Holder[]>;
  readonly programs: ReadonlyMap<number, readonly Holder[]>;
  readonly links: ReadonlyMap<number, readonly Holder[]>;
}

const KINDS = { map_id: "maps", prog_id: "programs", link_id: "links" } as const;

/**
 * Returns which processes hold which objects, from /proc: those that this process
 * may look at. A process that ends meanwhile is left out.
 *
 * @throws BtfEnvironmentError ERR_FILE where /proc cannot be read: Deno wants --allow-all for it
 * @example
 * const kernel = await Kernel.open();
 * const map = kernel.createMap({ type: "array", keyByteSize: 4, valueByteSize: 4, maxEntries: 1 });
 * console.log(findHolders().maps.get(map.id)?.[0]?.pid === process.pid); // true
 * map[Symbol.dispose]();
 */
export function findHolders(): Holders {
  const { readdirSync, readFileSync, readlinkSync } = process.getBuiltinModule("node:fs");
  const found = {
    maps: new Map<number, Holder[]>(),
    programs: new Map<number, Holder[]>(),
    links: new Map<number, Holder[]>(),
  };
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch {
      return undefined;
    }
  };
  for (const pid of attemptFile("/proc", () => readdirSync("/proc"))) {
    if (!/^\d+$/.test(pid)) continue;
    let holder: Holder | undefined;
    for (const fd of attempt(() => readdirSync(`/proc/${pid}/fd`)) ?? []) {
      const target = attempt(() => readlinkSync(`/proc/${pid}/fd/${fd}`));
      if (!target || !/bpf[-_](map|prog|link)/.test(target)) continue;
      const info = attempt(() => readFileSync(`/proc/${pid}/fdinfo/${fd}`, "latin1")) ?? "";
      // A link names its program after itself: the first id is the object's.
      const [, kind, id] = /^(link_id|map_id|prog_id):\t(\d+)/m.exec(info) ?? [];
      if (kind === undefined) continue;
      holder ??= {
        pid: Number(pid),
        name: (attempt(() => readFileSync(`/proc/${pid}/comm`, "utf8")) ?? "").trimEnd(),
      };
      const objects = found[KINDS[kind as keyof typeof KINDS]];
      const holders = objects.get(Number(id)) ?? [];
      if (!holders.some((one) => one.pid === Number(pid))) holders.push(holder);
      objects.set(Number(id), holders);
    }
  }
  return found;
}
