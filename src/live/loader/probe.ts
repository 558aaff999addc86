/** Asks the kernel for what old ones lack, as libbpf probes its features. */
import type { KernelFeature, LoadTarget } from "../../load/kernel.js";
import type { Kernel } from "../kernel.js";
import type { System } from "../system.js";

/** `BPF_PROG_TYPE_SOCKET_FILTER`, `BPF_PROG_TYPE_KPROBE`, `BPF_PROG_TYPE_CGROUP_SOCK`. */
const SOCKET_FILTER = 1;
const KPROBE = 2;
const CGROUP_SOCK = 9;
const CGROUP_INET_SOCK_CREATE = 2;
const TRACE_UPROBE_MULTI = 48;
const BPF_LINK_CREATE_PERF = 41;
const BPF_F_MMAPABLE = 0x400;
const EBADF = 9;

interface Known {
  readonly lacks: readonly KernelFeature[];
  readonly uprobeMulti: boolean;
  readonly perfLink: boolean;
}

const known = new WeakMap<System, Known>();

/** Returns which features the kernel lacks. It is asked once. */
export function missingFeatures(kernel: Kernel): Pick<LoadTarget, "lacks" | "uprobeMulti"> {
  const { lacks, uprobeMulti } = probe(kernel.system);
  return { lacks, uprobeMulti };
}

/** Tells whether perf events take links, as from 5.15 on. */
export function hasPerfLink(kernel: Kernel): boolean {
  return probe(kernel.system).perfLink;
}

function probe(system: System): Known {
  let found = known.get(system);
  if (!found) {
    const perfLink = linkAnswers(system, KPROBE, 0, BPF_LINK_CREATE_PERF);
    const lacks = Object.entries(PROBES)
      .filter(([, has]) => !has(system))
      .map(([feature]) => feature as KernelFeature);
    if (!perfLink) lacks.push("bpf_cookie");
    found = { lacks, perfLink, uprobeMulti: linkAnswers(system, KPROBE, TRACE_UPROBE_MULTI, TRACE_UPROBE_MULTI) };
    known.set(system, found);
  }
  return found;
}

type Probe = (system: System) => boolean;

const PROBES: Partial<Record<KernelFeature, Probe>> = {
  prog_name: (system) => loads(system, { prog_name: "probe" }),
  exp_attach_type: (system) => loads(system, { prog_type: CGROUP_SOCK, expected_attach_type: CGROUP_INET_SOCK_CREATE }),
  probe_read_kern: (system) =>
    loads(system, { prog_type: KPROBE }, [
      [0xbfa1, 0],
      [0x0107, -8],
      [0xb702, 8],
      [0xb703, 0],
      [0x8500, 113],
      [0x9500, 0],
    ]),
  array_mmap: (system) =>
    creates(system, { map_type: 2, key_size: 4, value_size: 4, max_entries: 1, map_flags: BPF_F_MMAPABLE }),
  btf: (system) => takes(system, [INT]),
  btf_func: (system) => takes(system, [INT, PROTO, FUNC]),
  btf_global_func: (system) => takes(system, [INT, PROTO, GLOBAL_FUNC]),
  btf_datasec: (system) => takes(system, [INT, VAR, DATASEC]),
  btf_float: (system) => takes(system, [FLOAT]),
  btf_decl_tag: (system) => takes(system, [INT, VAR, DECL_TAG]),
  btf_type_tag: (system) => takes(system, [INT, TYPE_TAG, PTR_TO_TAG]),
  btf_enum64: (system) => takes(system, [ENUM64]),
  btf_qmark_datasec: (system) => takes(system, [INT, VAR, QMARK_DATASEC]),
  btf_layout: () => false,
};

/** `\0x\0a\0?.data\0` */
const STRINGS = [0, 0x78, 0, 0x61, 0, 0x3f, 0x2e, 0x64, 0x61, 0x74, 0x61, 0];
const [X, A, QMARK, DOT_DATA] = [1, 3, 5, 6];
const info = (kind: number, vlen = 0): number => ((kind << 24) | vlen) >>> 0;

const INT = [X, info(1), 4, 0x01000020];
const PROTO = [0, info(13, 1), 0, A, 1];
const FUNC = [X, info(12), 2];
const GLOBAL_FUNC = [X, info(12, 1), 2];
const VAR = [X, info(14), 1, 0];
const DATASEC = [DOT_DATA, info(15, 1), 4, 2, 0, 4];
const QMARK_DATASEC = [QMARK, info(15, 1), 4, 2, 0, 4];
const FLOAT = [X, info(16), 4];
const DECL_TAG = [X, info(17), 2, 0xffffffff];
const TYPE_TAG = [X, info(18), 1];
const PTR_TO_TAG = [0, info(2), 2];
const ENUM64 = [0, info(19, 1), 8, X, 0, 0];

function takes(system: System, records: readonly (readonly number[])[]): boolean {
  const words = records.flat();
  const bytes = new Uint8Array(24 + words.length * 4 + STRINGS.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x0001eb9f, true);
  [24, 0, words.length * 4, words.length * 4, STRINGS.length, ...words].forEach((word, i) =>
    view.setUint32(4 + i * 4, word, true),
  );
  bytes.set(STRINGS, 24 + words.length * 4);
  const btf = system.copy(bytes);
  return closes(system, system.tryBpf(system.attribute("BTF_LOAD", { btf, btf_size: bytes.length })));
}

function creates(system: System, values: Parameters<typeof system.attribute<"MAP_CREATE">>[1]): boolean {
  return closes(system, system.tryBpf(system.attribute("MAP_CREATE", values)));
}

/** Instructions as their first two bytes in the order of memory, and the immediate. */
type Insns = readonly (readonly [head: number, immediate: number])[];

function load(
  system: System,
  values: { readonly prog_type?: number; readonly prog_name?: string; readonly expected_attach_type?: number },
  insns: Insns = [
    [0xb700, 0],
    [0x9500, 0],
  ],
): number {
  const code = new Uint8Array(insns.length * 8);
  const view = new DataView(code.buffer);
  for (const [i, [head, immediate]] of insns.entries()) {
    view.setUint16(i * 8, head);
    view.setInt32(i * 8 + 4, immediate, true);
  }
  const copy = system.copy(code);
  const license = system.text("GPL");
  const attribute = system.attribute("PROG_LOAD", {
    prog_type: SOCKET_FILTER,
    ...values,
    insns: copy,
    insn_cnt: insns.length,
    license,
  });
  return system.tryBpf(attribute);
}

function loads(system: System, values: Parameters<typeof load>[1], insns?: Insns): boolean {
  return closes(system, load(system, values, insns));
}

function closes(system: System, fd: number): boolean {
  if (fd >= 0) system.close(fd);
  return fd >= 0;
}

/** A link without a target: a kernel that knows the type of attachment asks for the descriptor. */
function linkAnswers(system: System, type: number, expected: number, attachType: number): boolean {
  const fd = load(system, { prog_type: type, expected_attach_type: expected });
  if (fd < 0) return false;
  const target = attachType === TRACE_UPROBE_MULTI ? {} : { "link_create.target_fd": -1 };
  const path = system.text("/");
  const one = system.allocate(8);
  const result = system.tryBpf(
    system.attribute("LINK_CREATE", {
      "link_create.prog_fd": fd,
      "link_create.attach_type": attachType,
      ...target,
      ...(attachType === TRACE_UPROBE_MULTI && {
        "link_create.uprobe_multi.path": path,
        "link_create.uprobe_multi.offsets": one,
        "link_create.uprobe_multi.cnt": 1,
      }),
    }),
  );
  system.close(fd);
  if (result >= 0) system.close(result);
  // "/" is no file, which a kernel with the type says; others do not know the type.
  return result === -EBADF;
}
