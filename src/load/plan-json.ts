/** A plan as JSON: bytes in hexadecimal, names as bpf(2) has them. */
import type { ExtRecords } from "./ext-records.js";
import type { LoadPlan, PlannedMap, PlannedProgram } from "./plan.js";

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const word = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);

/**
 * Returns a plan as a value for JSON.stringify. Descriptors of maps are their
 * positions in `maps`; errnos are negative, as bpf(2) and libbpf return them.
 *
 * @example
 * const plan = planObject(object, { vmlinux: btf, release: "6.1.0", cpus: 2 });
 * console.log(planJson(plan).programs[0]?.type); // 17
 */
export function planJson(plan: LoadPlan): PlanJson {
  return {
    version: 1,
    end: plan.stage,
    err: plan.error ? -plan.error.errno : 0,
    sections: plan.opened.map(({ name, section, autoload }) => ({ name, section, autoload: autoload ? 1 : 0 })),
    btf: plan.btf && [...plan.maps, ...plan.programs].some(({ hasBtf }) => hasBtf) ? hex(plan.btf) : null,
    maps: plan.maps.map(mapJson),
    programs: plan.programs.map(programJson),
    messages: plan.error ? [plan.error.message] : [],
  };
}

function mapJson(map: PlannedMap): MapJson {
  const slots = map.slots.flatMap((slot, i) =>
    typeof slot === "number" ? [{ key: hex(word(i)), value: hex(word(slot)), flags: 0 }] : [],
  );
  return {
    name: map.name,
    type: map.type,
    key_size: map.keySize,
    value_size: map.valueSize,
    max_entries: map.maxEntries,
    flags: map.flags,
    btf_key_type_id: map.btfKeyTypeId,
    btf_value_type_id: map.btfValueTypeId,
    btf_vmlinux_value_type_id: map.btfVmlinuxValueTypeId,
    map_extra: Number(map.mapExtra),
    has_btf: map.hasBtf,
    inner: map.inner ?? null,
    init: [...map.initial.map(({ key, value }) => ({ key: hex(key), value: hex(value), flags: 0 })), ...slots],
    frozen: map.isFrozen,
    ...(map.pin === undefined ? {} : { pin: map.pin }),
  };
}

function programJson(program: PlannedProgram): ProgramJson {
  const records = (list: ExtRecords | undefined): string => (list ? hex(list.bytes) : "");
  return {
    name: program.name,
    type: program.type,
    expected_attach_type: program.expectedAttachType,
    license: program.license,
    kern_version: program.kernelVersion,
    prog_flags: program.flags,
    attach_btf_id: program.attachBtfId,
    func_info_rec_size: program.funcInfo?.recordSize ?? 0,
    line_info_rec_size: program.lineInfo?.recordSize ?? 0,
    core_relo_cnt: 0,
    insns: hex(program.insns),
    func_info: records(program.funcInfo),
    line_info: records(program.lineInfo),
    has_btf: program.hasBtf,
  };
}

/** A plan for JSON. Bytes are in hexadecimal. */
export interface PlanJson {
  /** Changes when the shape does. */
  readonly version: 1;
  readonly end: "open" | "load";
  /** 0, or a negative errno. */
  readonly err: number;
  readonly sections: readonly { readonly name: string; readonly section: string; readonly autoload: 0 | 1 }[];
  /** The object's BTF as it is loaded; `null` where no map and no program refers to it. */
  readonly btf: string | null;
  readonly maps: readonly MapJson[];
  readonly programs: readonly ProgramJson[];
  readonly messages: readonly string[];
}

/** A map, with the names of `union bpf_attr`. */
export interface MapJson {
  readonly name: string;
  readonly type: number;
  readonly key_size: number;
  readonly value_size: number;
  readonly max_entries: number;
  readonly flags: number;
  readonly btf_key_type_id: number;
  readonly btf_value_type_id: number;
  readonly btf_vmlinux_value_type_id: number;
  readonly map_extra: number;
  readonly has_btf: boolean;
  /** Position of the inner map. */
  readonly inner: number | null;
  readonly init: readonly { readonly key: string; readonly value: string; readonly flags: number }[];
  readonly frozen: boolean;
  readonly pin?: string;
}

/** A program, with the names of `union bpf_attr`. */
export interface ProgramJson {
  readonly name: string;
  readonly type: number;
  readonly expected_attach_type: number;
  readonly license: string;
  readonly kern_version: number;
  readonly prog_flags: number;
  readonly attach_btf_id: number;
  readonly func_info_rec_size: number;
  readonly line_info_rec_size: number;
  readonly core_relo_cnt: number;
  readonly insns: string;
  readonly func_info: string;
  readonly line_info: string;
  readonly has_btf: boolean;
}
