/** Attaches programs by what their sections' names say. Source: libbpf's section_defs and bpf_program__attach_*. */
import { conventionOf } from "../../bpf/elf/section-names.js";
import { BtfLookupError } from "../../errors/error.js";
import { ERR_LIVE_ATTACH } from "../../errors/live.js";
import { possibleCpus } from "../cpus.js";
import { ERRNO } from "../errno.js";
import { systemError } from "../error.js";
import type { Kernel } from "../kernel.js";
import type { Link } from "../link.js";
import { hasPerfLink } from "../loader/probe.js";
import type { Program } from "../program.js";
import type { AttributeValues, FieldValue, NativeBuffer } from "../system.js";
import { Attachment } from "./attachment.js";
import { kprobeNames } from "./kernel-functions.js";
import type { AttachOptions } from "./options.js";
import {
  attachToEvent,
  openPerfEvent,
  PERF_TYPE_SOFTWARE,
  PERF_TYPE_TRACEPOINT,
  type PerfEvent,
} from "./perf-event.js";
import { findBinary, symbolOffset } from "./symbols.js";
import { tracepointId } from "./tracefs.js";
import { USDT_SPECS, type UsdtSpecs } from "./usdt.js";
import { findUsdtProbes } from "./usdt-probes.js";

/** A program that is to be attached. */
export interface Attachable {
  readonly kernel: Kernel;
  readonly program: Program;
  /** Whole name of its function. */
  readonly name: string;
  /** Of its section, without `?`. */
  readonly section: string;
  /** `enum bpf_attach_type` */
  readonly attachType: number;
  /** Where the arguments of static probes are put; `undefined` for an object without usdt.bpf.h. */
  readonly usdtSpecs: UsdtSpecs | undefined;
}

type Attach = (from: Attachable, target: string | undefined, options: AttachOptions) => Attachment;

function refuse({ name }: Attachable, note: string, cause?: unknown): never {
  throw new BtfLookupError(ERR_LIVE_ATTACH, { name, note }, cause === undefined ? undefined : { cause });
}

const required = (from: Attachable, target: string | undefined, what: string): string =>
  target ?? refuse(from, `section "${from.section}" does not say ${what}: give target`);

/** Makes a link, whatever its kind. */
function createLink(from: Attachable, target: string, values: AttributeValues<"LINK_CREATE">): Attachment {
  const { kernel, program, attachType } = from;
  const result = kernel.system.tryBpf(
    kernel.system.attribute("LINK_CREATE", {
      "link_create.prog_fd": program.fd,
      "link_create.attach_type": attachType,
      ...values,
    }),
  );
  if (result < 0) throw systemError("bpf(LINK_CREATE)", -result, { note: `program "${from.name}" on ${target}` });
  return new Attachment(from.name, target, [kernel.adopt("link", result)]);
}

const tracepoint: Attach = (from, target, options) => {
  const name = required(from, target, "which tracepoint");
  const id = tracepointId(from.name, name);
  return onEvent(from, `tracepoint ${name}`, { type: PERF_TYPE_TRACEPOINT, config: id }, options, -1);
};

/** One event, with a program on it. */
function onEvent(
  from: Attachable,
  target: string,
  event: PerfEvent,
  { cookie, pid = -1 }: AttachOptions,
  defaultPid: number,
  cpu = 0,
): Attachment {
  const { kernel } = from;
  const fd = openPerfEvent(kernel.system, event, { pid: pid === -1 ? defaultPid : pid, cpu });
  if (fd < 0)
    throw systemError("perf_event_open", -fd, {
      note: `program "${from.name}" on ${target}`,
      capability: "CAP_PERFMON",
    });
  const attachment = attachToEvent(kernel, from.program, fd, cookie);
  const links = attachment.linkFd === undefined ? [] : [kernel.adopt("link", attachment.linkFd)];
  return new Attachment(from.name, target, links, [attachment]);
}

const rawTracepoint: Attach = (from, target, { cookie }) => {
  const { kernel, program } = from;
  const name = required(from, target, "which tracepoint");
  const text = kernel.system.text(name);
  const fd = kernel.system.bpf(
    "RAW_TRACEPOINT_OPEN",
    { "raw_tracepoint.name": text, "raw_tracepoint.prog_fd": program.fd, "raw_tracepoint.cookie": cookie },
    { note: `program "${from.name}" on raw tracepoint ${name}` },
  );
  return new Attachment(from.name, `raw tracepoint ${name}`, [kernel.adopt("link", fd)]);
};

/** fentry, fexit, fmod_ret, tp_btf, lsm: the program knows its target since it was loaded. */
const byBtf: Attach = (from, target, { cookie }) => {
  const { kernel, program, attachType } = from;
  const { system } = kernel;
  let result = system.tryBpf(
    system.attribute("LINK_CREATE", {
      "link_create.prog_fd": program.fd,
      "link_create.attach_type": attachType,
      "link_create.tracing.cookie": cookie,
    }),
  );
  // Kernels before 5.19 have another call for it.
  if (result === -ERRNO.EINVAL && cookie === undefined)
    result = system.tryBpf(system.attribute("RAW_TRACEPOINT_OPEN", { "raw_tracepoint.prog_fd": program.fd }));
  const what = target ?? from.section;
  if (result < 0) throw systemError("bpf(LINK_CREATE)", -result, { note: `program "${from.name}" on ${what}` });
  return new Attachment(from.name, what, [kernel.adopt("link", result)]);
};

/** In place of a function of another program: the one that it was loaded for, or one of the same type. */
const replacement: Attach = (from, target, options) => {
  const { program } = options;
  if (!program) return byBtf(from, target, options);
  const name = required(from, target, "which function");
  const found = program.btf?.find(name, "func") ?? refuse(from, `program "${program.name}" has no function "${name}"`);
  return createLink(from, `function ${name} of program ${program.id}`, {
    "link_create.target_fd": program.fd,
    "link_create.target_btf_id": found.id,
  });
};

const iterator: Attach = (from, target) => createLink(from, `iterator ${target ?? ""}`.trim(), {});

/** A kind of event that the kernel has registered under a name. */
function dynamicEvent(
  from: Attachable,
  kind: "kprobe" | "uprobe",
  isReturn: boolean,
): { readonly type: number; readonly config: bigint } {
  const { readFileSync } = process.getBuiltinModule("node:fs");
  const folder = `/sys/bus/event_source/devices/${kind}`;
  try {
    const type = Number(readFileSync(`${folder}/type`, "latin1"));
    const bit = isReturn ? Number(readFileSync(`${folder}/format/retprobe`, "latin1").replace(/\D/g, "")) : 0;
    return { type, config: isReturn ? 1n << BigInt(bit) : 0n };
  } catch (cause) {
    return refuse(
      from,
      `this kernel has no ${kind}s (CONFIG_${kind.toUpperCase()}${kind === "kprobe" ? "S" : "_EVENTS"})`,
      cause,
    );
  }
}

const kprobe =
  (isReturn: boolean): Attach =>
  (from, target, options) => {
    const [, name = "", plus] = /^([^+]+)(?:\+(\w+))?$/.exec(required(from, target, "which function")) ?? [];
    const byteOffset = options.byteOffset ?? (plus === undefined ? 0 : Number(plus));
    if (!name || !Number.isInteger(byteOffset) || byteOffset < 0)
      refuse(from, `"${target}" is not FUNCTION or FUNCTION+OFFSET`);
    if (isReturn && byteOffset) refuse(from, "a kretprobe takes no offset");
    const text = from.kernel.system.text(name);
    const event = { ...dynamicEvent(from, "kprobe", isReturn), config1: text, config2: BigInt(byteOffset) };
    return onEvent(from, `${isReturn ? "kretprobe" : "kprobe"} ${name}`, event, options, -1);
  };

const kprobeMulti =
  (isReturn: boolean): Attach =>
  (from, target, { cookie }) => {
    const { system } = from.kernel;
    const pattern = required(from, target, "which functions");
    const names = kprobeNames(pattern);
    if (names.length === 0) refuse(from, `no function of the kernel is called "${pattern}"`);
    const texts = names.map((name) => system.text(name));
    const table = system.allocate(8 * names.length);
    for (const [i, text] of texts.entries()) table.view.setBigUint64(8 * i, BigInt(text.address), true);
    const cookies = cookie === undefined ? undefined : system.allocate(8 * names.length);
    for (let i = 0; cookies && i < names.length; i++) cookies.view.setBigUint64(8 * i, cookie!, true);
    const attachment = createLink(from, `${names.length} functions ${pattern}`, {
      "link_create.kprobe_multi.flags": isReturn ? 1 : 0,
      "link_create.kprobe_multi.cnt": names.length,
      "link_create.kprobe_multi.syms": table,
      ...(cookies && { "link_create.kprobe_multi.cookies": cookies }),
    });
    return attachment;
  };

/** `path:function+offset`, as sections name the target of a uprobe. */
function uprobeTarget(
  from: Attachable,
  target: string | undefined,
  options: AttachOptions,
): { path: string; symbol: string; byteOffset: bigint } {
  const text = required(from, target, "which file and function");
  const colon = text.lastIndexOf(":");
  const [file, rest] = colon < 0 ? [text, undefined] : [text.slice(0, colon), text.slice(colon + 1)];
  const [, symbol = "", plus] = /^(.*?)(?:\+(\w+))?$/.exec(options.symbol ?? rest ?? "") ?? [];
  const byteOffset = BigInt(options.byteOffset ?? (plus === undefined ? 0 : Number(plus)));
  const path = findBinary(from.name, file);
  const isNumber = /^(0x[\da-f]+|\d+)$/i.test(symbol);
  if (symbol === "" && options.byteOffset === undefined) refuse(from, `"${text}" names no function: FILE:FUNCTION`);
  const start = symbol === "" ? 0n : isNumber ? BigInt(symbol) : symbolOffset(from.name, path, symbol);
  return { path, symbol: symbol || `+${byteOffset}`, byteOffset: start + byteOffset };
}

const uprobe =
  (isReturn: boolean): Attach =>
  (from, target, options) => {
    const { path, symbol, byteOffset } = uprobeTarget(from, target, options);
    const text = from.kernel.system.text(path);
    const event = { ...dynamicEvent(from, "uprobe", isReturn), config1: text, config2: byteOffset };
    return onEvent(from, `${isReturn ? "uretprobe" : "uprobe"} ${path}:${symbol}`, event, options, -1);
  };

const uprobeMulti =
  (isReturn: boolean): Attach =>
  (from, target, options) => {
    const { path, symbol, byteOffset } = uprobeTarget(from, target, options);
    const { system } = from.kernel;
    const text = system.text(path);
    const offsets = system.allocate(8);
    offsets.view.setBigUint64(0, byteOffset, true);
    const cookies = options.cookie === undefined ? undefined : system.allocate(8);
    cookies?.view.setBigUint64(0, options.cookie!, true);
    return createLink(from, `${path}:${symbol}`, {
      "link_create.uprobe_multi.path": text,
      "link_create.uprobe_multi.offsets": offsets,
      "link_create.uprobe_multi.cnt": 1,
      "link_create.uprobe_multi.flags": isReturn ? 1 : 0,
      "link_create.uprobe_multi.pid": options.pid ?? 0,
      ...(cookies && { "link_create.uprobe_multi.cookies": cookies }),
    });
  };

const TRACE_UPROBE_MULTI = 48;

const usdt: Attach = (from, target, options) => {
  const { kernel, name } = from;
  const text = required(from, target, "which file, provider and probe");
  const [, file, provider, probe] = /^(.+):([^:]+):([^:]+)$/.exec(text) ?? [];
  if (!file || !provider || !probe) return refuse(from, `"${text}" is not FILE:PROVIDER:PROBE`);
  const specs =
    from.usdtSpecs ?? refuse(from, `its object has no map "${USDT_SPECS}": include <bpf/usdt.bpf.h> in its source`);
  const path = findBinary(name, file);
  const probes = findUsdtProbes(name, path, provider, probe);
  if (!hasPerfLink(kernel)) refuse(from, "this kernel takes no cookies (5.15 does): static probes need them");
  const places = specs.place(name, probes, options.cookie ?? 0n);
  const what = `static probe ${path}:${provider}:${probe}`;
  const attached: Attachment[] = [];
  try {
    if (from.attachType === TRACE_UPROBE_MULTI) {
      const table = (values: readonly bigint[]): NativeBuffer => {
        const buffer = kernel.system.allocate(8 * values.length);
        for (const [i, value] of values.entries()) buffer.view.setBigUint64(8 * i, value, true);
        return buffer;
      };
      attached.push(
        createLink(from, what, {
          "link_create.uprobe_multi.path": kernel.system.text(path),
          "link_create.uprobe_multi.offsets": table(probes.map(({ byteOffset }) => byteOffset)),
          "link_create.uprobe_multi.ref_ctr_offsets": table(probes.map(({ semaphoreOffset }) => semaphoreOffset)),
          "link_create.uprobe_multi.cookies": table(places.ids),
          "link_create.uprobe_multi.cnt": probes.length,
          "link_create.uprobe_multi.pid": options.pid ?? 0,
        }),
      );
    } else {
      const { type, config } = dynamicEvent(from, "uprobe", false);
      const config1 = kernel.system.text(path);
      for (const [i, { byteOffset, semaphoreOffset }] of probes.entries()) {
        // The kernel counts the semaphore up and down: its place is in the upper half.
        const event = { type, config: config | (semaphoreOffset << 32n), config1, config2: byteOffset };
        attached.push(onEvent(from, what, event, { ...options, cookie: places.ids[i]! }, -1));
      }
    }
  } catch (cause) {
    for (const one of attached) one[Symbol.dispose]();
    places[Symbol.dispose]();
    throw cause;
  }
  return new Attachment(
    name,
    what,
    attached.flatMap(({ link }) => link ?? []),
    [...attached, places],
  );
};

const systemCall =
  (isReturn: boolean): Attach =>
  (from, target, options) => {
    const name = required(from, target, "which system call");
    const prefix = process.arch === "arm64" ? "__arm64_sys_" : "__x64_sys_";
    return kprobe(isReturn)(from, `${prefix}${name}`, options);
  };

/** Samples of the processor's time, on each CPU. */
const samples: Attach = (from, _target, options) => {
  const { frequency = 99 } = options;
  const attached: Attachment[] = [];
  try {
    for (let cpu = 0; cpu < possibleCpus(); cpu++) {
      const event = { type: PERF_TYPE_SOFTWARE, config: 0, frequency };
      attached.push(onEvent(from, `cpu ${cpu}`, event, options, -1, cpu));
    }
  } catch (cause) {
    for (const one of attached) one[Symbol.dispose]();
    throw cause;
  }
  const links = attached.flatMap(({ link }) => (link ? [link] : []));
  return new Attachment(
    from.name,
    `${frequency} samples a second on ${attached.length} CPUs`,
    links as Link[],
    attached,
  );
};

function interfaceIndex(from: Attachable, { interface: wanted, target }: AttachOptions): number {
  const name = wanted ?? target ?? refuse(from, "give interface: the name of a network interface");
  if (typeof name === "number") return name;
  const { readFileSync } = process.getBuiltinModule("node:fs");
  try {
    if (!/^[\w.@:-]+$/.test(name)) throw new Error("not a name of an interface");
    return Number(readFileSync(`/sys/class/net/${name}/ifindex`, "latin1"));
  } catch (cause) {
    return refuse(from, `there is no network interface "${name}"`, cause);
  }
}

const onInterface =
  (what: string): Attach =>
  (from, _target, options) => {
    const index = interfaceIndex(from, options);
    return createLink(from, `${what} on ${options.interface ?? options.target}`, {
      "link_create.target_fd": index,
      "link_create.flags": options.flags,
    });
  };

/** Opens a file for a link, which keeps what it stands for. */
function onFile(
  from: Attachable,
  path: string,
  what: string,
  values: Readonly<Record<string, FieldValue>> = {},
): Attachment {
  const { openSync, closeSync } = process.getBuiltinModule("node:fs");
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (cause) {
    return refuse(from, `${path}: ${(cause as Error).message}`, cause);
  }
  try {
    return createLink(from, `${what} ${path}`, { "link_create.target_fd": fd, ...values });
  } finally {
    closeSync(fd);
  }
}

const controlGroup: Attach = (from, target, { cgroup, flags }) =>
  onFile(from, cgroup ?? target ?? rootGroup(), "control group", { "link_create.flags": flags });

/** Where the second version of control groups is mounted: programs attach to these alone. */
function rootGroup(): string {
  const { readFileSync } = process.getBuiltinModule("node:fs");
  const [, path = "/sys/fs/cgroup"] = /^\S+ (\S+) cgroup2 /m.exec(readFileSync("/proc/self/mounts", "latin1")) ?? [];
  return path;
}

const networkNamespace: Attach = (from, target, { netns }) =>
  onFile(from, netns ?? target ?? "/proc/self/ns/net", "network namespace");

const netfilter: Attach = (from, _target, { netfilter: { family = 2, hook = 1, priority = 0 } = {}, flags }) =>
  createLink(from, `netfilter hook ${hook}`, {
    "link_create.netfilter.pf": family,
    "link_create.netfilter.hooknum": hook,
    "link_create.netfilter.priority": priority,
    "link_create.netfilter.flags": flags,
  });

/** By the part of the section's name in front of the target. */
const BY_CONVENTION: Readonly<Record<string, Attach>> = {
  tracepoint,
  tp: tracepoint,
  raw_tracepoint: rawTracepoint,
  raw_tp: rawTracepoint,
  tp_btf: byBtf,
  fentry: byBtf,
  fexit: byBtf,
  fmod_ret: byBtf,
  fsession: byBtf,
  lsm: byBtf,
  freplace: replacement,
  iter: iterator,
  kprobe: kprobe(false),
  kretprobe: kprobe(true),
  "kprobe.multi": kprobeMulti(false),
  "kretprobe.multi": kprobeMulti(true),
  "kprobe.session": kprobeMulti(false),
  uprobe: uprobe(false),
  uretprobe: uprobe(true),
  "uprobe.multi": uprobeMulti(false),
  "uretprobe.multi": uprobeMulti(true),
  ksyscall: systemCall(false),
  kretsyscall: systemCall(true),
  perf_event: samples,
  usdt,
};

/** By the program's type, where the section's name says no more. */
const BY_TYPE: Readonly<Record<string, Attach>> = {
  xdp: onInterface("xdp"),
  sched_cls: onInterface("tcx"),
  cgroup_skb: controlGroup,
  cgroup_sock: controlGroup,
  cgroup_sock_addr: controlGroup,
  cgroup_sysctl: controlGroup,
  cgroup_sockopt: controlGroup,
  cgroup_device: controlGroup,
  sock_ops: controlGroup,
  sk_lookup: networkNamespace,
  flow_dissector: networkNamespace,
  netfilter,
};

/**
 * Attaches a program.
 *
 * @throws BtfLookupError ERR_LIVE_ATTACH for a program whose section says no way, or a target that is not there;
 *   BtfSystemError where the kernel refuses
 */
export function attach(from: Attachable, options: AttachOptions): Attachment {
  const found = conventionOf(from.section);
  if (!found) return refuse(from, `section "${from.section}" does not say how`);
  const { convention } = found;
  const plain = convention.name.replace(/\.[sw](?=\.|$)/, "");
  const way = BY_CONVENTION[plain] ?? BY_TYPE[convention.type];
  if (!way) return refuse(from, `programs of section "${from.section}" are not attached by themselves`);
  return way(from, options.target ?? found.attachTo, options);
}
