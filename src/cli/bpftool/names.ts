/** The names that the bpftool knows which this drop-in follows; newer ones are numbers there. */
import { ATTACH_TYPES, PROGRAM_TYPES } from "../../bpf/elf/section-names.js";
import { LINK_TYPES, MAP_TYPES } from "../../live/types.js";

/** The bpftool that the drop-in follows, with the libbpf in it. */
export const FOLLOWED = { version: "7.1.0", libbpf: "1.1" } as const;

/** By kind: all names, and how many of them libbpf 1.1 has. */
const NAMES = {
  map: { names: MAP_TYPES, count: MAP_TYPES.indexOf("user_ringbuf") + 1 },
  program: { names: PROGRAM_TYPES, count: PROGRAM_TYPES.indexOf("syscall") + 1 },
  link: { names: LINK_TYPES, count: LINK_TYPES.indexOf("struct_ops") + 1 },
  attach: { names: ATTACH_TYPES, count: ATTACH_TYPES.indexOf("lsm_cgroup") + 1 },
} as const;

/** Returns the name of a type, or its number where bpftool has no name for it. */
export function known(kind: keyof typeof NAMES, number: number): string | number {
  const { names, count } = NAMES[kind];
  return number < count ? names[number]! : number;
}

/** Returns the number of a map type, or undefined. */
export function mapTypeNumber(name: string): number | undefined {
  const number = (MAP_TYPES as readonly string[]).indexOf(name);
  return number < 0 || number >= NAMES.map.count ? undefined : number;
}
