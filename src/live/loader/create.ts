/** Hands a plan to the kernel: BTF, maps, programs. All or nothing. */

import { BtfLookupError } from "../../errors/error.js";
import { ERR_LIVE_PINNED_MAP, ERR_LIVE_VERIFIER } from "../../errors/live.js";
import type { LoadPlan, PlannedMap, PlannedProgram } from "../../load/plan.js";
import type { BtfObject } from "../btf-object.js";
import { ERRNO } from "../errno.js";
import { BtfSystemError, systemError } from "../error.js";
import type { Kernel } from "../kernel.js";
import type { BpfMap } from "../map.js";
import type { Program } from "../program.js";
import type { AttributeValues, NativeBuffer, System } from "../system.js";
import { BtfVerifierError } from "./verifier-error.js";

/** Of the first log of the verifier, in bytes; it doubles until the log is whole. */
const LOG_SIZE = 1 << 20;
/** The kernel takes no larger buffer. */
const LOG_LIMIT = 2 ** 30 - 1;
const BPF_F_RDONLY_PROG = 0x80;
const STRUCT_OPS = 26;
const PROG_ARRAY = 3;

/** What a plan has become. */
export interface Created {
  readonly maps: readonly BpfMap[];
  readonly programs: readonly Program[];
}

/** Descriptors that are closed together where something fails. */
class Holdings {
  readonly #held: Disposable[] = [];

  add<T extends Disposable>(one: T): T {
    this.#held.push(one);
    return one;
  }

  [Symbol.dispose](): void {
    for (const one of this.#held.splice(0).reverse()) one[Symbol.dispose]();
  }

  /** Keeps all open. */
  release(): void {
    this.#held.length = 0;
  }
}

/**
 * Creates what a plan names.
 *
 * @param moduleIds ids of the modules' BTF in the order of the target's modules
 * @param reuse open maps by full name, in place of new ones
 * @throws BtfSystemError; BtfVerifierError; BtfLookupError ERR_LIVE_PINNED_MAP
 */
export function create(
  kernel: Kernel,
  plan: LoadPlan,
  modules: readonly { readonly name: string; readonly id: number }[],
  reuse: Readonly<Record<string, BpfMap>>,
): Created {
  const held = new Holdings();
  try {
    const creation = new Creation(kernel, plan, modules, reuse, held);
    const created = creation.run();
    held.release();
    // The kernel keeps the BTF that maps and programs refer to.
    creation.closeBtf();
    return created;
  } finally {
    held[Symbol.dispose]();
  }
}

class Creation {
  readonly #kernel: Kernel;
  readonly #system: System;
  readonly #plan: LoadPlan;
  readonly #modules: readonly { readonly name: string; readonly id: number }[];
  readonly #reuse: Readonly<Record<string, BpfMap>>;
  readonly #held: Holdings;
  readonly #maps: BpfMap[] = [];
  readonly #programs: Program[] = [];
  readonly #moduleBtf = new Map<string, BtfObject>();
  #btf: BtfObject | undefined;

  constructor(
    kernel: Kernel,
    plan: LoadPlan,
    modules: readonly { readonly name: string; readonly id: number }[],
    reuse: Readonly<Record<string, BpfMap>>,
    held: Holdings,
  ) {
    this.#kernel = kernel;
    this.#system = kernel.system;
    this.#plan = plan;
    this.#modules = modules;
    this.#reuse = reuse;
    this.#held = held;
  }

  run(): Created {
    const { btf, maps, programs } = this.#plan;
    if (btf) this.#btf = this.#loadBtf(btf);
    for (const map of maps) this.#maps.push(this.#createMap(map));
    for (const program of programs) this.#programs.push(this.#loadProgram(program));
    for (const [i, map] of maps.entries()) if (map.type === PROG_ARRAY) this.#fillProgramArray(map, this.#maps[i]!);
    return { maps: this.#maps, programs: this.#programs };
  }

  closeBtf(): void {
    this.#btf?.[Symbol.dispose]();
    for (const btf of this.#moduleBtf.values()) btf[Symbol.dispose]();
  }

  /** BTF that the kernel refuses is left out, unless struct_ops needs it. Source: bpf_object__sanitize_and_load_btf. */
  #loadBtf(bytes: Uint8Array): BtfObject | undefined {
    try {
      return this.#held.add(this.#kernel.loadBtf(bytes));
    } catch (cause) {
      const isNeeded = this.#plan.maps.some(({ type }) => type === STRUCT_OPS);
      if (isNeeded || !(cause instanceof BtfSystemError) || cause.errno === ERRNO.EPERM) throw cause;
      return undefined;
    }
  }

  #createMap(map: PlannedMap): BpfMap {
    const given = Object.hasOwn(this.#reuse, map.fullName) ? this.#reuse[map.fullName] : undefined;
    // Opened once more, since what is loaded closes its maps.
    if (given) return this.#held.add(this.#kernel.map(given.id));
    const reused = map.pin === undefined ? undefined : this.#pinned(map, map.pin);
    if (reused) return reused;
    const created = this.#held.add(this.#kernel.adopt("map", this.#mapDescriptor(map)));
    for (const { key, value } of map.initial) created.set(key, value);
    if (map.isFrozen) created.freeze();
    if (map.type !== PROG_ARRAY) {
      for (const [i, slot] of map.slots.entries()) {
        if (typeof slot === "number") created.set(keyOf(i), this.#maps[slot]!);
      }
    }
    if (map.pin !== undefined) created.pin(map.pin);
    return created;
  }

  #mapDescriptor(map: PlannedMap): number {
    const module = map.module === undefined ? undefined : this.#moduleDescriptor(map.module);
    const inner = map.inner === undefined ? undefined : this.#maps[map.inner]!;
    const values: AttributeValues<"MAP_CREATE"> = {
      map_type: map.type,
      key_size: map.keySize,
      value_size: map.valueSize,
      max_entries: map.maxEntries,
      map_flags: map.flags,
      map_name: map.name,
      map_extra: map.mapExtra,
      numa_node: map.numaNode,
      btf_vmlinux_value_type_id: map.btfVmlinuxValueTypeId,
      ...(inner && { inner_map_fd: inner.fd }),
      ...(module !== undefined && { value_type_btf_obj_fd: module }),
    };
    const btf = this.#btf && map.hasBtf ? { btf_fd: this.#btf.fd } : {};
    const types = { btf_key_type_id: map.btfKeyTypeId, btf_value_type_id: map.btfValueTypeId };
    const attempt = (with_: object): number =>
      this.#system.tryBpf(this.#system.attribute("MAP_CREATE", { ...values, ...with_ }));
    let fd = attempt({ ...btf, ...(this.#btf && map.hasBtf ? types : {}) });
    // As libbpf does: what the kernel does not take with types, it may take without.
    if (fd < 0 && (map.btfKeyTypeId || map.btfValueTypeId)) fd = attempt({});
    if (fd >= 0) return fd;
    const sizes = `type ${map.type}, keys of ${map.keySize} and values of ${map.valueSize} bytes, ${map.maxEntries} entries`;
    const hint = map.maxEntries === 0 ? "; its size is left to the loader: give maxEntries" : "";
    throw systemError("bpf(MAP_CREATE)", -fd, { note: `map "${map.fullName}" (${sizes})${hint}` });
  }

  /** A map that is pinned already is used, if it has the same shape. Source: libbpf's bpf_object__reuse_map. */
  #pinned(map: PlannedMap, path: string): BpfMap | undefined {
    const pathname = this.#system.text(path);
    const fd = this.#system.tryBpf(this.#system.attribute("OBJ_GET", { pathname }));
    if (fd === -ERRNO.ENOENT) return undefined;
    if (fd < 0) throw systemError("bpf(OBJ_GET)", -fd, { path });
    const found = this.#held.add(this.#kernel.adopt("map", fd));
    const { typeNumber, keyByteSize, valueByteSize, maxEntries, flags } = found.info;
    const theirs = [typeNumber, keyByteSize, valueByteSize, maxEntries, flags & ~BPF_F_RDONLY_PROG];
    const ours = [map.type, map.keySize, map.valueSize, map.maxEntries, map.flags & ~BPF_F_RDONLY_PROG];
    const names = ["type", "key size", "value size", "entries", "flags"];
    const differing = names.flatMap((name, i) =>
      theirs[i] === ours[i] ? [] : [`${name} ${theirs[i]} instead of ${ours[i]}`],
    );
    if (differing.length > 0) throw new BtfLookupError(ERR_LIVE_PINNED_MAP, { name: path, note: differing.join(", ") });
    return found;
  }

  #moduleDescriptor(name: string): number {
    let btf = this.#moduleBtf.get(name);
    if (!btf) {
      const id = this.#modules.find((module) => module.name === name)!.id;
      btf = this.#held.add(this.#kernel.btfObject(id));
      this.#moduleBtf.set(name, btf);
    }
    return btf.fd;
  }

  #fillProgramArray(map: PlannedMap, created: BpfMap): void {
    for (const [i, slot] of map.slots.entries()) {
      const at = this.#plan.programs.findIndex(({ fullName }) => fullName === slot);
      if (slot !== undefined && at >= 0) created.set(keyOf(i), this.#programs[at]!);
    }
  }

  #loadProgram(program: PlannedProgram): Program {
    const insns = this.#system.copy(program.insns);
    for (const { insn, kind, index } of program.fixups) {
      const at = insn * 8 + 4;
      if (kind === "map") insns.view.setInt32(at, this.#maps[index]!.fd, true);
      else insns.view.setInt32(at + 8, this.#moduleDescriptor(this.#modules[index]!.name), true);
    }
    const attach =
      program.attachModule === undefined ? program.attachProgram?.fd : this.#moduleDescriptor(program.attachModule);
    const descriptors = this.#system.allocate(4 * (program.kfuncModules.length + 1));
    for (const [i, name] of program.kfuncModules.entries())
      descriptors.setU32(4 * (i + 1), this.#moduleDescriptor(name));
    const license = this.#system.text(program.license);
    const records = (list: PlannedProgram["funcInfo"]): NativeBuffer | undefined =>
      list && this.#system.copy(list.bytes);
    const [functions, lines] = [records(program.funcInfo), records(program.lineInfo)];
    const values: AttributeValues<"PROG_LOAD"> = {
      prog_type: program.type,
      expected_attach_type: program.expectedAttachType,
      insn_cnt: program.insns.length / 8,
      insns,
      license,
      kern_version: program.kernelVersion,
      prog_flags: program.flags,
      prog_name: program.name,
      attach_btf_id: program.attachBtfId,
      ...(attach !== undefined && { attach_prog_fd: attach }),
      ...(program.kfuncModules.length > 0 && { fd_array: descriptors }),
      ...(this.#btf &&
        program.hasBtf && {
          prog_btf_fd: this.#btf.fd,
          ...(functions && {
            func_info: functions,
            func_info_cnt: functions.bytes.length / program.funcInfo!.recordSize,
            func_info_rec_size: program.funcInfo!.recordSize,
          }),
          ...(lines && {
            line_info: lines,
            line_info_cnt: lines.bytes.length / program.lineInfo!.recordSize,
            line_info_rec_size: program.lineInfo!.recordSize,
          }),
        }),
    };
    const fd = this.#system.tryBpf(this.#system.attribute("PROG_LOAD", values));
    const loaded = fd >= 0 ? this.#held.add(this.#kernel.adopt("program", fd)) : this.#refused(program, values);
    this.#bindReadOnly(loaded);
    return loaded;
  }

  /**
   * Lets a program hold the object's read-only data, which says what the program is, though it uses none of it. Where
   * a kernel refuses, it is loaded all the same. Source: bpf_object_load_prog.
   */
  #bindReadOnly(program: Program): void {
    for (const [i, { origin }] of this.#plan.maps.entries()) {
      if (origin !== "rodata") continue;
      const values: AttributeValues<"PROG_BIND_MAP"> = {
        "prog_bind_map.prog_fd": program.fd,
        "prog_bind_map.map_fd": this.#maps[i]!.fd,
      };
      this.#system.tryBpf(this.#system.attribute("PROG_BIND_MAP", values));
    }
  }

  /** Loads again with a log, which is asked for only then: it costs time. */
  #refused(program: PlannedProgram, values: AttributeValues<"PROG_LOAD">): Program {
    for (let size = LOG_SIZE; ; size = Math.min(size * 4, LOG_LIMIT)) {
      const log = this.#system.allocate(size);
      const attribute = this.#system.attribute("PROG_LOAD", { ...values, log_level: 1, log_buf: log, log_size: size });
      const result = this.#system.tryBpf(attribute);
      if (result >= 0) return this.#held.add(this.#kernel.adopt("program", result));
      if (result === -ERRNO.ENOSPC && size < LOG_LIMIT) continue;
      const end = log.bytes.indexOf(0);
      const text = new TextDecoder().decode(log.bytes.subarray(0, end < 0 ? size : end));
      throw new BtfVerifierError(ERR_LIVE_VERIFIER, program.fullName, -result, text);
    }
  }
}

function keyOf(index: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(index).buffer);
}
