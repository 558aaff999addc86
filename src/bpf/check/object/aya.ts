/** Finds what Aya refuses to load. Source: aya-obj's obj.rs, ProgramSection::from_str, and relocation.rs. */
import { CALL } from "../../instruction.js";
import type { BpfObject } from "../../object/object.js";
import type { ObjectFinding } from "./finding.js";
import { referencesFrom, refused } from "./rules.js";

/** Section names that start with one of these words, alone or with `/` and more. */
const WITH_TARGET = /* @__PURE__ */ new Set(
  /* @__PURE__ */ (
    "kprobe kretprobe uprobe uprobe.s uprobe.multi uprobe.multi.s uretprobe uretprobe.s uretprobe.multi " +
    "uretprobe.multi.s tp_btf tracepoint tp socket sk_msg sockops classifier lirc_mode2 perf_event raw_tp " +
    "raw_tracepoint lsm lsm.s lsm_cgroup fentry fentry.s fexit fexit.s flow_dissector freplace sk_lookup iter iter.s"
  ).split(" "),
);

/** Words that a fixed second word has to follow. */
const WITH_KIND: Readonly<Record<string, readonly string[]>> = {
  sk_skb: ["stream_parser", "stream_verdict"],
  cgroup_skb: ["ingress", "egress"],
  cgroup: /* @__PURE__ */ (
    "skb sysctl dev getsockopt setsockopt sock post_bind4 post_bind6 sock_create sock_release bind4 bind6 connect4 " +
    "connect6 getpeername4 getpeername6 getsockname4 getsockname6 sendmsg4 sendmsg6 recvmsg4 recvmsg6"
  ).split(" "),
};

/** Words that may stand alone, or before one of these. */
const WITH_OPTION: Readonly<Record<string, readonly string[]>> = {
  xdp: ["cpumap", "devmap"],
  "xdp.frags": ["cpumap", "devmap"],
  sk_reuseport: ["migrate"],
};

function isKnown(section: string): boolean {
  const [first, second] = section.split("/") as [string, string?];
  if (WITH_TARGET.has(first)) return true;
  const kinds = Object.hasOwn(WITH_KIND, first) ? WITH_KIND[first] : undefined;
  if (kinds) return second !== undefined && kinds.includes(second);
  const options = Object.hasOwn(WITH_OPTION, first) ? WITH_OPTION[first] : undefined;
  return options !== undefined && (second === undefined || options.includes(second));
}

/** Yields a finding for each reason for which Aya refuses an object. */
export function* refusedByAya(object: BpfObject): Generator<ObjectFinding> {
  if (object.section(".maps") && !object.hasBtf) yield refused(".maps", "Aya reads .maps through BTF: compile with -g");
  for (const program of object.programs) {
    const section = object.sections[program.sectionIndex]!.name;
    if (!program.isSubprogram && !isKnown(section))
      yield refused(program.name, `Aya does not know the section name ${section}, and does not parse the object`);
  }
  for (const { program, symbol, opcode } of referencesFrom(object)) {
    if (symbol.sectionIndex !== 0 || opcode !== CALL) continue;
    if (!object.externs.some(({ name }) => name === symbol.name))
      yield refused(program.name, `function ${symbol.name} is not defined: link the object that defines it`);
  }
}
