/** Programs of the kernel. */

import { PROGRAM_TYPES, type ProgramType } from "../bpf/elf/section-names.js";
import type { Btf } from "../btf/btf.js";
import { Descriptor, nameAt } from "./descriptor.js";
import { ERRNO } from "./errno.js";
import { systemError } from "./error.js";
import { INFO_SIZE, PROGRAM_INFO, PROGRAM_INFO_GPL } from "./layouts.js";
import type { NativeBuffer, System } from "./system.js";

/** What the kernel says about a program. */
export interface ProgramInfo {
  readonly id: number;
  /** `"type N"` for a type that this version does not know. */
  readonly type: ProgramType | `type ${number}`;
  /** The number of the type. */
  readonly typeNumber: number;
  /** At most 15 bytes; "" if it has none. `Program.fullName` has the whole. */
  readonly name: string;
  /** SHA of its instructions, 8 bytes as hexadecimal digits. */
  readonly tag: string;
  readonly isGplCompatible: boolean;
  /** When it was loaded, in nanoseconds since the machine's start (CLOCK_BOOTTIME). */
  readonly loadTimeNs: bigint;
  /** The user who loaded it. */
  readonly uid: number;
  /** Bytes of its instructions as the verifier left them. */
  readonly xlatedByteSize: number;
  /** Bytes of machine code; 0 if it is interpreted. */
  readonly jitedByteSize: number;
  readonly mapCount: number;
  /** 0 without BTF. */
  readonly btfId: number;
  /** The interface that it is offloaded to, or 0. */
  readonly interfaceIndex: number;
  readonly networkNamespace: { readonly device: bigint; readonly inode: bigint };
  /** Time that it has run, in nanoseconds, while statistics were on. */
  readonly runTimeNs: bigint;
  /** How often it has run while statistics were on. */
  readonly runCount: bigint;
  /** How often it was left out because it was running already. */
  readonly recursionMisses: bigint;
  /** Instructions that the verifier walked through. */
  readonly verifiedInstructions: number;
  /** The BTF of the function that it is attached to, or 0. */
  readonly attachBtfObjectId: number;
  /** The function's type in that BTF, or 0. */
  readonly attachBtfTypeId: number;
  readonly functionCount: number;
  readonly lineCount: number;
}

/** A function of a program: where it starts, and its type in the program's BTF. */
export interface FunctionRecord {
  /** Index of the first instruction. */
  readonly instruction: number;
  readonly typeId: number;
}

/** A line of source of a program. Strings are offsets into the BTF's. */
export interface LineRecord {
  /** Index of the first instruction. */
  readonly instruction: number;
  readonly fileOffset: number;
  readonly lineOffset: number;
  readonly line: number;
  readonly column: number;
}

/** A program's instructions, with what describes them. */
export interface ProgramCode {
  /** Instructions of 8 bytes, as the verifier left them. Empty if the kernel does not show them. */
  readonly xlated: Uint8Array;
  readonly functions: readonly FunctionRecord[];
  readonly lines: readonly LineRecord[];
  /** Where the machine code of each function starts in the kernel; 0 where addresses are hidden. */
  readonly addresses: readonly bigint[];
  /** The numbers of `addresses` that the kernel reports, also where it hides them. */
  readonly addressCount: number;
}

/** What a test run starts with. */
export interface RunOptions {
  /** A packet, for program types that work on one. */
  readonly data?: Uint8Array;
  /** The program type's context struct. */
  readonly context?: Uint8Array;
  /** How often it runs; the duration is the average. */
  readonly repeat?: number;
  /** Room for the data that it leaves; by default 32 KiB where there is `data`. */
  readonly dataOutByteSize?: number;
  /** Room for the context that it leaves. */
  readonly contextOutByteSize?: number;
  /** BPF_F_TEST_RUN_ON_CPU and its like. */
  readonly flags?: number;
  readonly cpu?: number;
}

/** What a test run ends with. */
export interface RunResult {
  /** What the program returned. */
  readonly returnValue: number;
  /** Nanoseconds of a run, on average. */
  readonly durationNs: number;
  readonly data: Uint8Array;
  readonly context: Uint8Array;
}

/** Room for what a run leaves, in bytes. */
const DEFAULT_OUT = 32768;

/**
 * A loaded program.
 *
 * @example
 * const kernel = await Kernel.open();
 * for (const program of kernel.programs()) {
 *   console.error(program.id, program.type, program.fullName);
 *   program[Symbol.dispose]();
 * }
 * console.log(Program.prototype instanceof Descriptor); // true
 */
export class Program extends Descriptor {
  readonly #openBtf: (id: number) => Btf;
  #btf: Btf | undefined;

  /** @internal */
  constructor(system: System, fd: number, openBtf: (id: number) => Btf) {
    super(system, fd, "program");
    this.#openBtf = openBtf;
  }

  /** What the kernel says about it at this moment: run statistics change. */
  get info(): ProgramInfo {
    return decodeProgramInfo(this.readInfo(this.system.allocate(INFO_SIZE)));
  }

  /** The kernel's number for it. */
  get id(): number {
    return this.info.id;
  }

  /** At most 15 bytes. */
  get name(): string {
    return this.info.name;
  }

  /** As bpftool names it; `"type N"` for a type that this version does not know. */
  get type(): ProgramInfo["type"] {
    return this.info.type;
  }

  /** Its BTF; undefined without. */
  get btf(): Btf | undefined {
    const { btfId } = this.info;
    if (btfId !== 0) this.#btf ??= this.#openBtf(btfId);
    return this.#btf;
  }

  /** Its name, whole where the program's BTF has it: the kernel keeps 15 bytes. */
  get fullName(): string {
    const info = this.info;
    if (info.name.length < 15 || info.btfId === 0 || info.functionCount === 0) return info.name;
    const [first] = this.code().functions;
    const type = first && this.btf?.get(first.typeId);
    return type?.kind === "func" ? type.name : info.name;
  }

  /** Memory that is charged for it, in bytes. */
  get memlockBytes(): number {
    return Number(this.fdInfo().get("memlock") ?? 0);
  }

  /** Ids of the maps that it uses. */
  mapIds(): readonly number[] {
    const { mapCount } = this.info;
    if (mapCount === 0) return [];
    const ids = this.system.allocate(4 * mapCount);
    const info = this.system.allocate(INFO_SIZE);
    info.setU32(PROGRAM_INFO.nr_map_ids[0], mapCount);
    info.view.setBigUint64(PROGRAM_INFO.map_ids[0], BigInt(ids.address), true);
    this.readInfo(info);
    const count = Math.min(mapCount, info.u32(PROGRAM_INFO.nr_map_ids[0]));
    return Array.from({ length: count }, (_, i) => ids.u32(4 * i));
  }

  /**
   * Its instructions, functions and lines.
   *
   * @throws BtfSystemError
   */
  code(): ProgramCode {
    const sizes = this.readInfo(this.system.allocate(INFO_SIZE));
    const u32 = (field: keyof typeof PROGRAM_INFO): number => sizes.u32(PROGRAM_INFO[field][0]);
    const info = this.system.allocate(INFO_SIZE);
    const point = (
      pointer: keyof typeof PROGRAM_INFO,
      count: keyof typeof PROGRAM_INFO,
      recordSize: keyof typeof PROGRAM_INFO | number,
    ): NativeBuffer => {
      const size = typeof recordSize === "number" ? recordSize : u32(recordSize);
      const buffer = this.system.allocate(u32(count) * size);
      info.setU32(PROGRAM_INFO[count][0], u32(count));
      if (typeof recordSize !== "number") info.setU32(PROGRAM_INFO[recordSize][0], size);
      info.view.setBigUint64(PROGRAM_INFO[pointer][0], BigInt(buffer.address), true);
      return buffer;
    };
    const xlated = point("xlated_prog_insns", "xlated_prog_len", 1);
    const addresses = point("jited_ksyms", "nr_jited_ksyms", 8);
    const functions = point("func_info", "nr_func_info", "func_info_rec_size");
    const lines = point("line_info", "nr_line_info", "line_info_rec_size");
    this.readInfo(info);
    const after = (field: keyof typeof PROGRAM_INFO): number => info.u32(PROGRAM_INFO[field][0]);
    const hidden = info.u64(PROGRAM_INFO.xlated_prog_insns[0]) === 0n;
    const records = (count: number, size: number): readonly number[] =>
      Array.from({ length: count }, (_, i) => i * size);
    const functionSize = after("func_info_rec_size");
    const lineSize = after("line_info_rec_size");
    const showsAddresses = info.u64(PROGRAM_INFO.jited_ksyms[0]) !== 0n;
    return {
      xlated: hidden ? new Uint8Array() : xlated.bytes.slice(0, after("xlated_prog_len")),
      functions: records(Math.min(after("nr_func_info"), u32("nr_func_info")), functionSize).map((at) => ({
        instruction: functions.u32(at),
        typeId: functions.u32(at + 4),
      })),
      lines: records(Math.min(after("nr_line_info"), u32("nr_line_info")), lineSize).map((at) => {
        const lineAndColumn = lines.u32(at + 12);
        return {
          instruction: lines.u32(at),
          fileOffset: lines.u32(at + 4),
          lineOffset: lines.u32(at + 8),
          line: lineAndColumn >>> 10,
          column: lineAndColumn & 0x3ff,
        };
      }),
      addresses: showsAddresses
        ? records(Math.min(after("nr_jited_ksyms"), u32("nr_jited_ksyms")), 8).map((at) => addresses.u64(at))
        : [],
      addressCount: after("nr_jited_ksyms"),
    };
  }

  /**
   * Runs the program once, or `repeat` times, on data that the caller gives (BPF_PROG_TEST_RUN).
   *
   * @throws BtfSystemError; ENOTSUPP if the program's type cannot be run so
   */
  run(options: RunOptions = {}): RunResult {
    const { data, context, repeat = 0, flags = 0, cpu = 0 } = options;
    // A program of type syscall changes its context in place.
    const inPlace = this.type === "syscall";
    const dataIn = data && this.system.copy(data);
    const dataOut = this.system.allocate(options.dataOutByteSize ?? (data ? Math.max(DEFAULT_OUT, data.length) : 0));
    const contextIn = context && this.system.copy(context);
    const contextOut = this.system.allocate(inPlace ? 0 : (options.contextOutByteSize ?? context?.length ?? 0));
    const attribute = this.system.attribute("PROG_TEST_RUN", {
      "test.prog_fd": this.fd,
      "test.repeat": repeat,
      "test.flags": flags,
      "test.cpu": cpu,
      ...(dataIn && { "test.data_in": dataIn, "test.data_size_in": dataIn.bytes.length }),
      ...(dataOut.bytes.length > 0 && { "test.data_out": dataOut, "test.data_size_out": dataOut.bytes.length }),
      ...(contextIn && { "test.ctx_in": contextIn, "test.ctx_size_in": contextIn.bytes.length }),
      ...(contextOut.bytes.length > 0 && { "test.ctx_out": contextOut, "test.ctx_size_out": contextOut.bytes.length }),
    });
    const result = this.system.tryBpf(attribute);
    if (result < 0) {
      const note = result === -ERRNO.ENOTSUPP ? `programs of type ${this.type} cannot be run so` : undefined;
      throw systemError("bpf(PROG_TEST_RUN)", -result, note ? { note } : {});
    }
    return {
      returnValue: attribute.u32("test.retval"),
      durationNs: attribute.u32("test.duration"),
      data: dataOut.bytes.subarray(0, attribute.u32("test.data_size_out")),
      context:
        inPlace && contextIn ? contextIn.bytes : contextOut.bytes.subarray(0, attribute.u32("test.ctx_size_out")),
    };
  }

  /** A copy that has a descriptor of its own. */
  clone(): Program {
    return new Program(this.system, this.system.must("dup", this.fd), this.#openBtf);
  }
}

function decodeProgramInfo(info: NativeBuffer): ProgramInfo {
  const u32 = (field: keyof typeof PROGRAM_INFO): number => info.u32(PROGRAM_INFO[field][0]);
  const u64 = (field: keyof typeof PROGRAM_INFO): bigint => info.u64(PROGRAM_INFO[field][0]);
  const typeNumber = u32("type");
  const [tagAt, tagSize] = PROGRAM_INFO.tag;
  return {
    id: u32("id"),
    type: PROGRAM_TYPES[typeNumber] ?? `type ${typeNumber}`,
    typeNumber,
    name: nameAt(info, PROGRAM_INFO.name),
    tag: Buffer.from(info.bytes.subarray(tagAt, tagAt + tagSize)).toString("hex"),
    isGplCompatible: (info.u32(PROGRAM_INFO_GPL) & 1) !== 0,
    loadTimeNs: u64("load_time"),
    uid: u32("created_by_uid"),
    xlatedByteSize: u32("xlated_prog_len"),
    jitedByteSize: u32("jited_prog_len"),
    mapCount: u32("nr_map_ids"),
    btfId: u32("btf_id"),
    interfaceIndex: u32("ifindex"),
    networkNamespace: { device: u64("netns_dev"), inode: u64("netns_ino") },
    runTimeNs: u64("run_time_ns"),
    runCount: u64("run_cnt"),
    recursionMisses: u64("recursion_misses"),
    verifiedInstructions: u32("verified_insns"),
    attachBtfObjectId: u32("attach_btf_obj_id"),
    attachBtfTypeId: u32("attach_btf_id"),
    functionCount: u32("nr_func_info"),
    lineCount: u32("nr_line_info"),
  };
}
