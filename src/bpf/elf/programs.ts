/** The programs of a BPF object, and what the names of their sections say about them. */

import { ERR_ELF_SECTION } from "../../errors/btf.js";
import { BtfFormatError } from "../../errors/error.js";
import { type ElfSection, SHT_PROGBITS } from "./file.js";
import { SHF_EXECINSTR } from "./section-types.js";
import type { ElfSymbol } from "./symbols.js";

/** Bytes of one instruction slot; an ld_imm64 takes two. */
export const INSN_SIZE = 8;

/** `BPF_PROG_TYPE_*` in lower case, the index being the number. */
export const PROGRAM_TYPES = [
  "unspec",
  "socket_filter",
  "kprobe",
  "sched_cls",
  "sched_act",
  "tracepoint",
  "xdp",
  "perf_event",
  "cgroup_skb",
  "cgroup_sock",
  "lwt_in",
  "lwt_out",
  "lwt_xmit",
  "sock_ops",
  "sk_skb",
  "cgroup_device",
  "sk_msg",
  "raw_tracepoint",
  "cgroup_sock_addr",
  "lwt_seg6local",
  "lirc_mode2",
  "sk_reuseport",
  "flow_dissector",
  "cgroup_sysctl",
  "raw_tracepoint_writable",
  "cgroup_sockopt",
  "tracing",
  "struct_ops",
  "ext",
  "lsm",
  "sk_lookup",
  "syscall",
  "netfilter",
] as const;

/** A program's type, without its `BPF_PROG_TYPE_`. */
export type ProgramType = (typeof PROGRAM_TYPES)[number];

/** One program, or a subprogram that others call. */
export interface Program {
  /** Of its function symbol. */
  readonly name: string;
  /** Of its section, without the `?` of a program that is not loaded by itself. */
  readonly section: string;
  readonly sectionIndex: number;
  /** From the start of the section, in bytes. */
  readonly byteOffset: number;
  readonly byteSize: number;
  /** How many instruction slots. */
  readonly insnCount: number;
  /** By its section's name; `"unspec"` for a subprogram and for a name that is no convention of libbpf's. */
  readonly type: ProgramType;
  /** The part of the section's name that says what it is: `"kprobe"`, `"fentry.s"`, `"tp_btf"`. */
  readonly convention: string | undefined;
  /** What it attaches to, by the rest of the name: `"do_unlinkat"`, `"sched/sched_switch"`; `undefined` where there is none. */
  readonly attachTo: string | undefined;
  /** Loaded with the object: its section's name has no `?`. */
  readonly autoload: boolean;
  /** Lies in `.text` and is not alone: code that programs call. */
  readonly isSubprogram: boolean;
  /** A subprogram that the kernel checks on its own: global and visible. */
  readonly isGlobal: boolean;
}

/**
 * Section names and the type that each means, as libbpf's section_defs has
 * them. A name that ends in `+` may be followed by `/` and what to attach to;
 * the others stand alone. The first that fits counts.
 */
const CONVENTIONS: readonly (readonly [ProgramType, string])[] = [
  ["socket_filter", "socket"],
  ["sk_reuseport", "sk_reuseport/migrate sk_reuseport"],
  [
    "kprobe",
    "kprobe+ uprobe+ uprobe.s+ kretprobe+ uretprobe+ uretprobe.s+ kprobe.multi+ kretprobe.multi+ kprobe.session+",
  ],
  ["kprobe", "uprobe.multi+ uretprobe.multi+ uprobe.session+ uprobe.multi.s+ uretprobe.multi.s+ uprobe.session.s+"],
  ["kprobe", "ksyscall+ kretsyscall+ usdt+ usdt.s+"],
  ["sched_cls", "tc/ingress tc/egress tcx/ingress tcx/egress tc classifier"],
  ["sched_act", "action"],
  ["sched_cls", "netkit/primary netkit/peer"],
  ["tracepoint", "tracepoint+ tp+ tracepoint.s+ tp.s+"],
  ["raw_tracepoint", "raw_tracepoint+ raw_tp+ raw_tracepoint.s+ raw_tp.s+"],
  ["raw_tracepoint_writable", "raw_tracepoint.w+ raw_tp.w+"],
  ["tracing", "tp_btf+ tp_btf.s+ fentry+ fmod_ret+ fexit+ fentry.s+ fmod_ret.s+ fexit.s+ fsession+ fsession.s+"],
  ["tracing", "fsession.multi+ fsession.multi.s+ fentry.multi+ fexit.multi+ fentry.multi.s+ fexit.multi.s+"],
  ["ext", "freplace+"],
  ["lsm", "lsm+ lsm.s+ lsm_cgroup+"],
  ["tracing", "iter+ iter.s+"],
  ["syscall", "syscall"],
  ["xdp", "xdp.frags/devmap xdp/devmap xdp.frags/cpumap xdp/cpumap xdp.frags xdp"],
  ["perf_event", "perf_event"],
  ["lwt_in", "lwt_in"],
  ["lwt_out", "lwt_out"],
  ["lwt_xmit", "lwt_xmit"],
  ["lwt_seg6local", "lwt_seg6local"],
  ["sock_ops", "sockops"],
  ["sk_skb", "sk_skb/stream_parser sk_skb/stream_verdict sk_skb/verdict sk_skb"],
  ["sk_msg", "sk_msg"],
  ["lirc_mode2", "lirc_mode2"],
  ["flow_dissector", "flow_dissector"],
  ["cgroup_skb", "cgroup_skb/ingress cgroup_skb/egress cgroup/skb"],
  ["cgroup_sock", "cgroup/sock_create cgroup/sock_release cgroup/sock cgroup/post_bind4 cgroup/post_bind6"],
  ["cgroup_sock_addr", "cgroup/bind4 cgroup/bind6 cgroup/connect4 cgroup/connect6 cgroup/connect_unix"],
  [
    "cgroup_sock_addr",
    "cgroup/sendmsg4 cgroup/sendmsg6 cgroup/sendmsg_unix cgroup/recvmsg4 cgroup/recvmsg6 cgroup/recvmsg_unix",
  ],
  ["cgroup_sock_addr", "cgroup/getpeername4 cgroup/getpeername6 cgroup/getpeername_unix"],
  ["cgroup_sock_addr", "cgroup/getsockname4 cgroup/getsockname6 cgroup/getsockname_unix"],
  ["cgroup_sysctl", "cgroup/sysctl"],
  ["cgroup_sockopt", "cgroup/getsockopt cgroup/setsockopt"],
  ["cgroup_device", "cgroup/dev"],
  ["struct_ops", "struct_ops+ struct_ops.s+"],
  ["sk_lookup", "sk_lookup"],
  ["netfilter", "netfilter"],
];

interface Convention {
  readonly type: ProgramType;
  readonly name: string;
  readonly withTarget: boolean;
}

let byName: ReadonlyMap<string, Convention> | undefined;

function conventions(): ReadonlyMap<string, Convention> {
  byName ??= new Map(
    CONVENTIONS.flatMap(([type, names]) =>
      names.split(" ").map((text) => {
        const name = text.replace(/\+$/, "");
        return [name, { type, name, withTarget: text !== name }] as const;
      }),
    ),
  );
  return byName;
}

/** What a section's name (without `?`) says. */
export function sectionConvention(section: string): Pick<Program, "type" | "convention" | "attachTo"> {
  const known = conventions();
  const whole = known.get(section);
  if (whole) return { type: whole.type, convention: whole.name, attachTo: undefined };
  const slash = section.indexOf("/");
  const prefix = slash < 0 ? undefined : known.get(section.slice(0, slash));
  if (!prefix?.withTarget) return { type: "unspec", convention: undefined, attachTo: undefined };
  return { type: prefix.type, convention: prefix.name, attachTo: section.slice(slash + 1) || undefined };
}

/**
 * The programs: function symbols in sections of code, ordered by section and
 * place. Source: libbpf's bpf_object__add_programs.
 *
 * @throws BtfFormatError ERR_ELF_SECTION for a program that passes its section's end or has no whole instructions
 */
export function findPrograms(sections: readonly ElfSection[], symbols: readonly ElfSymbol[]): Program[] {
  const found: Program[] = [];
  for (const symbol of symbols) {
    const { sectionIndex, byteOffset, byteSize, name } = symbol;
    const section = sections[sectionIndex];
    if (symbol.type !== "func" || !section || !isCode(section)) continue;
    const refuse = (note: string): never => {
      throw new BtfFormatError(ERR_ELF_SECTION, { name: section.name, note: `program ${name} ${note}` });
    };
    if (byteOffset > section.byteSize || byteSize > section.byteSize - byteOffset) {
      refuse(`ends at byte ${byteOffset + byteSize}, the section at ${section.byteSize}`);
    }
    if (byteSize === 0 || byteSize % INSN_SIZE || byteOffset % INSN_SIZE) {
      refuse(`has ${byteSize} bytes at ${byteOffset}: not whole instructions of ${INSN_SIZE} bytes`);
    }
    const autoload = !section.name.startsWith("?");
    const sectionName = autoload ? section.name : section.name.slice(1);
    found.push({
      name,
      section: sectionName,
      sectionIndex,
      byteOffset,
      byteSize,
      insnCount: byteSize / INSN_SIZE,
      ...sectionConvention(sectionName),
      autoload,
      isSubprogram: section.name === ".text",
      isGlobal: section.name === ".text" && symbol.binding !== "local" && !symbol.isHidden,
    });
  }
  // A lone program in .text is one that a loader is to load.
  const programs = found.length === 1 ? [{ ...found[0]!, isSubprogram: false, isGlobal: false }] : found;
  return programs.sort((a, b) => a.sectionIndex - b.sectionIndex || a.byteOffset - b.byteOffset);
}

/** Whether a section holds instructions. */
export function isCode({ type, flags, byteSize }: ElfSection): boolean {
  return type === SHT_PROGBITS && (flags & SHF_EXECINSTR) !== 0 && byteSize > 0;
}
