/** Programs on perf events: software and hardware counters, tracepoints, kprobes and uprobes. */

import { BtfLookupError } from "../../errors/error.js";
import { ERR_LIVE_ATTACH } from "../../errors/live.js";
import { ERRNO } from "../errno.js";
import { systemError } from "../error.js";
import type { Kernel } from "../kernel.js";
import { hasPerfLink } from "../loader/probe.js";
import type { Program } from "../program.js";
import type { NativeBuffer, System } from "../system.js";

/** `struct perf_event_attr` of its first version with bp_len (112 bytes): fields that are used here. */
const ATTR_SIZE = 112;
const TYPE = 0;
const SIZE = 4;
const CONFIG = 8;
const SAMPLE_PERIOD = 16;
const FLAGS = 40;
const WAKEUP_EVENTS = 48;
const CONFIG1 = 56;
const CONFIG2 = 64;
const SAMPLE_TYPE = 24;

/** `freq`: the period is a number of samples a second. */
const FLAG_FREQ = 1n << 10n;

export const PERF_TYPE_SOFTWARE = 1;
export const PERF_TYPE_TRACEPOINT = 2;
const PERF_FLAG_FD_CLOEXEC = 8;
const BPF_PERF_EVENT = 41;
const PERF_EVENT_IOC_ENABLE = 0x2400;
const PERF_EVENT_IOC_DISABLE = 0x2401;
const PERF_EVENT_IOC_SET_BPF = 0x40042408;

/** What an event counts. */
export interface PerfEvent {
  readonly type: number;
  readonly config: number | bigint;
  readonly config1?: bigint | NativeBuffer;
  readonly config2?: bigint;
  readonly period?: number;
  readonly frequency?: number;
  readonly sampleType?: number;
  readonly wakeupEvents?: number;
}

/** Opens a perf event. @returns its descriptor, or the negative of errno */
export function openPerfEvent(
  system: System,
  event: PerfEvent,
  { pid = -1, cpu = 0 }: { readonly pid?: number; readonly cpu?: number } = {},
): number {
  const attr = system.allocate(ATTR_SIZE);
  attr.setU32(TYPE, event.type);
  attr.setU32(SIZE, ATTR_SIZE);
  const big = (at: number, value: number | bigint | NativeBuffer): void =>
    attr.view.setBigUint64(
      at,
      BigInt.asUintN(64, typeof value === "object" ? BigInt(value.address) : BigInt(value)),
      true,
    );
  big(CONFIG, event.config);
  big(SAMPLE_PERIOD, event.frequency ?? event.period ?? 0);
  big(SAMPLE_TYPE, event.sampleType ?? 0);
  if (event.frequency !== undefined) big(FLAGS, FLAG_FREQ);
  attr.setU32(WAKEUP_EVENTS, event.wakeupEvents ?? 0);
  if (event.config1 !== undefined) big(CONFIG1, event.config1);
  if (event.config2 !== undefined) big(CONFIG2, event.config2);
  return system.call("perf_event_open", attr.address, pid, pid === -1 ? cpu : -1, -1, PERF_FLAG_FD_CLOEXEC);
}

/** A program on a perf event. Disposing of it detaches the program. */
export interface PerfAttachment extends Disposable {
  /** The link, where the kernel has links of perf events (5.15). */
  readonly linkFd: number | undefined;
}

/**
 * Puts a program on an open event, which is closed with it. Source: libbpf's
 * bpf_program__attach_perf_event_opts.
 *
 * @throws BtfSystemError
 */
export function attachToEvent(
  kernel: Kernel,
  program: Program,
  event: number,
  cookie: bigint | undefined,
): PerfAttachment {
  const { system } = kernel;
  if (hasPerfLink(kernel)) {
    const result = system.tryBpf(
      system.attribute("LINK_CREATE", {
        "link_create.prog_fd": program.fd,
        "link_create.target_fd": event,
        "link_create.attach_type": BPF_PERF_EVENT,
        "link_create.perf_event.bpf_cookie": cookie ?? 0n,
      }),
    );
    if (result < 0) {
      system.close(event);
      throw systemError("bpf(LINK_CREATE)", -result, { note: `program "${program.name}" on a perf event` });
    }
    enable(system, event, program);
    return { linkFd: result, [Symbol.dispose]: () => system.close(event) };
  }
  if (cookie !== undefined) {
    system.close(event);
    throw new BtfLookupError(ERR_LIVE_ATTACH, { name: program.name, note: "this kernel takes no cookies" });
  }
  const result = system.call("ioctl", event, PERF_EVENT_IOC_SET_BPF, program.fd);
  if (result < 0) {
    system.close(event);
    const note = result === -ERRNO.EEXIST ? "another program is on this event already" : undefined;
    throw systemError("ioctl(PERF_EVENT_IOC_SET_BPF)", -result, note ? { note } : {});
  }
  enable(system, event, program);
  return {
    linkFd: undefined,
    [Symbol.dispose]: () => {
      system.call("ioctl", event, PERF_EVENT_IOC_DISABLE);
      system.close(event);
    },
  };
}

function enable(system: System, event: number, program: Program): void {
  const result = system.call("ioctl", event, PERF_EVENT_IOC_ENABLE);
  if (result >= 0) return;
  system.close(event);
  throw systemError("ioctl(PERF_EVENT_IOC_ENABLE)", -result, { note: `program "${program.name}"` });
}
