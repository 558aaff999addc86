/** Links of the kernel: what a program is attached to. */

import { ATTACH_TYPES, type AttachType } from "../bpf/elf/section-names.js";
import { Descriptor, readInfo } from "./descriptor.js";
import { INFO_SIZE, LINK_INFO } from "./layouts.js";
import type { Program } from "./program.js";
import type { NativeBuffer, System } from "./system.js";
import { LINK_TYPES, type LinkType } from "./types.js";

/** What a link of a type says besides: its fields, as `struct bpf_link_info` names them, the strings read. */
export type LinkDetails = Readonly<Record<string, number | bigint | string>>;

/** What the kernel says about a link. */
export interface LinkInfo {
  readonly id: number;
  /** `"type N"` for a type that this version does not know. */
  readonly type: LinkType | `type ${number}`;
  /** The number of the type. */
  readonly typeNumber: number;
  readonly programId: number;
  /** Where it is attached, if the type says it. */
  readonly attachType?: AttachType | `type ${number}`;
  /** The number of the attach type. */
  readonly attachTypeNumber?: number;
  readonly details: LinkDetails;
}

type LinkField = keyof typeof LINK_INFO;
/** The fields for a name that the kernel writes if it is given room: the pointer, and the length of the room. */
type NameFields = readonly [pointer: LinkField, length: LinkField];

/** The names of each type of link. */
const NAMES: Readonly<Record<string, NameFields>> = {
  raw_tracepoint: ["raw_tracepoint.tp_name", "raw_tracepoint.tp_name_len"],
  iter: ["iter.target_name", "iter.target_name_len"],
  uprobe_multi: ["uprobe_multi.path", "uprobe_multi.path_size"],
};

/** The kinds of links on perf events, by number (`enum bpf_perf_event_type`). */
const PERF_KINDS = ["unspec", "uprobe", "uretprobe", "kprobe", "kretprobe", "tracepoint", "event"] as const;

const UPROBE: NameFields = ["perf_event.uprobe.file_name", "perf_event.uprobe.name_len"];
const KPROBE: NameFields = ["perf_event.kprobe.func_name", "perf_event.kprobe.name_len"];

/** The names of each kind of link on a perf event. */
const PERF_NAMES: Readonly<Record<string, NameFields>> = {
  uprobe: UPROBE,
  uretprobe: UPROBE,
  kprobe: KPROBE,
  kretprobe: KPROBE,
  tracepoint: ["perf_event.tracepoint.tp_name", "perf_event.tracepoint.name_len"],
};

/** Room for a name, in bytes. */
const NAME_SIZE = 4096;

/**
 * A link. Disposing of its last descriptor detaches the program, unless the link is pinned.
 *
 * @example
 * const kernel = await Kernel.open();
 * try {
 *   kernel.link(0x7fffffff);
 * } catch (error) {
 *   console.log(String(error)); // BtfLookupError: the kernel has no link with id 2147483647
 * }
 */
export class Link extends Descriptor {
  /** @internal */
  constructor(system: System, fd: number) {
    super(system, fd, "link");
  }

  /**
   * What the kernel says about it at this moment.
   *
   * @throws BtfSystemError
   */
  get info(): LinkInfo {
    const info = this.readInfo(this.system.allocate(INFO_SIZE));
    const typeNumber = info.u32(LINK_INFO.type[0]);
    const type = LINK_TYPES[typeNumber] ?? (`type ${typeNumber}` as const);
    const details = this.#details(type, info);
    const attachTypeNumber = details["attach_type"];
    return {
      id: info.u32(LINK_INFO.id[0]),
      type,
      typeNumber,
      programId: info.u32(LINK_INFO.prog_id[0]),
      ...(typeof attachTypeNumber === "number" && {
        attachTypeNumber,
        attachType: ATTACH_TYPES[attachTypeNumber] ?? (`type ${attachTypeNumber}` as const),
      }),
      details,
    };
  }

  /** The kernel's number for it. */
  get id(): number {
    return this.readInfo(this.system.allocate(INFO_SIZE)).u32(LINK_INFO.id[0]);
  }

  /** As bpftool names it; `"type N"` for a type that this version does not know. */
  get type(): LinkInfo["type"] {
    return this.info.type;
  }

  /**
   * Puts another program in place of the link's, at once.
   *
   * @param expected the program that it has to replace, else EPERM
   * @throws BtfSystemError; EINVAL if the type of link cannot be updated
   */
  update(program: Program, expected?: Program): void {
    const replaces = 4;
    this.system.bpf("LINK_UPDATE", {
      "link_update.link_fd": this.fd,
      "link_update.new_prog_fd": program.fd,
      ...(expected && { "link_update.flags": replaces, "link_update.old_prog_fd": expected.fd }),
    });
  }

  /**
   * Detaches the program; the link itself stays, without effect.
   *
   * @throws BtfSystemError; EOPNOTSUPP if the type of link only ends with its last descriptor
   */
  detach(): void {
    this.system.bpf("LINK_DETACH", { "link_detach.link_fd": this.fd });
  }

  #details(type: string, first: NativeBuffer): LinkDetails {
    const event = type === "perf_event" ? PERF_KINDS[first.u32(LINK_INFO["perf_event.type"][0])] : undefined;
    const fields = event ? PERF_NAMES[event] : NAMES[type];
    const [pointer, length] = fields ?? [];
    const prefix = event ? `perf_event.${pointer?.split(".")[1] ?? event}.` : `${type}.`;
    let info = first;
    let text = "";
    if (fields) {
      info = this.system.allocate(INFO_SIZE);
      const buffer = this.system.allocate(NAME_SIZE);
      info.view.setBigUint64(LINK_INFO[fields[0]][0], BigInt(buffer.address), true);
      info.setU32(LINK_INFO[fields[1]][0], NAME_SIZE);
      readInfo(this.system, this.fd, info);
      text = textOf(buffer.bytes);
    }
    const details: Record<string, number | bigint | string> = event ? { event } : {};
    for (const [name, [offset, size]] of Object.entries(LINK_INFO)) {
      if (!name.startsWith(prefix) || name === length) continue;
      const value = size === 8 ? info.u64(offset) : info.u32(offset);
      details[name.slice(prefix.length)] = name === pointer ? text : value;
    }
    return details;
  }
}

function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(bytes.subarray(0, end < 0 ? bytes.length : end)).toString("utf8");
}
