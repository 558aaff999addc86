/**
 * A BPF object as it is handed to bpf(2) on a kernel: BTF, maps, programs.
 *
 * The steps and their order are those of libbpf's bpf_object__open and
 * bpf_object__load, for what refuses an object first decides its errno.
 */
import type { EngineName } from "../bpf/core-relocation/engines.js";
import { relocate } from "../bpf/core-relocation/relocate.js";
import type { RelocatedObject, RelocationTarget } from "../bpf/core-relocation/relocation.js";
import { ATTACH_TYPES, PROGRAM_TYPES } from "../bpf/elf/section-names.js";
import { Code, INSN_SIZE } from "../bpf/instruction.js";
import type { BpfObject } from "../bpf/object/object.js";
import { BtfError } from "../errors/error.js";
import { ERR_LOAD } from "../errors/load.js";
import { findAttachTarget, findProgramFunction, type TargetProgram } from "./attach-target.js";
import { changeAutoload, changeMaps, type MapChanges } from "./changes.js";
import { type CallGraph, type LinkedProgram, link } from "./code.js";
import { exceptionCallbackOf } from "./exception-callback.js";
import { type ExtRecords, type InfoSource, readInfos } from "./ext-records.js";
import { collectExterns, type ExternDraft, resolveExterns, settingsSize } from "./externs.js";
import { BtfLoadError, fail, LoadFailure, type LoadStage } from "./failure.js";
import { type GlobalValues, setGlobals } from "./globals.js";
import { jumpTableMap } from "./jump-table.js";
import { type KernelModule, type LoadTarget, TargetKernel } from "./kernel.js";
import {
  BPF_F_MMAPABLE,
  type DraftMap,
  definedMaps,
  globalDataMap,
  globalDataMaps,
  initialValues,
  isFrozen,
  isGlobalData,
  isMapInMap,
  isTyped,
  MAP_TYPE,
  type MapOrigin,
  NAME_MAX,
} from "./maps.js";
import { replaceProbeReads } from "./old-helpers.js";
import { collectPrograms, collectReferences, type DraftProgram, ProgramIndex } from "./programs.js";
import { type Fixup, fillReferences } from "./references.js";
import { type ObjectSections, readSections } from "./sections.js";
import { collectSlots } from "./slots.js";
import {
  adjustAutoload,
  collectStructOpsReferences,
  fitStructOps,
  type StructOpsDraft,
  type StructOpsSlot,
  structOpsMaps,
} from "./struct-ops.js";
import { LINKAGE_STATIC, ObjectTypes } from "./types.js";

const BPF_F_SLEEPABLE = 0x10;
const BPF_F_XDP_HAS_FRAGS = 0x20;

/** What a user may set before an object is loaded. */
export interface PlanOptions {
  /** Name of the object: the start of the names of its maps of global data (default `"object"`). */
  readonly name?: string;
  /** Values of global variables by name: bytes, or a value that btfkit/data encodes. */
  readonly globals?: GlobalValues;
  /** Changes of maps by name. */
  readonly maps?: Readonly<Record<string, MapChanges>>;
  /** Programs by name: whether to load them, other than their sections say. */
  readonly autoload?: Readonly<Record<string, boolean>>;
  /**
   * What programs attach to by BTF id, in place of what their sections' names say: `"vfs_read"`,
   * `"module:function"`, or a function of a loaded program, which freplace programs replace.
   */
  readonly attachTo?: Readonly<Record<string, string | ProgramFunction>>;
  /** Types for CO-RE relocations in place of the kernel's, such as a file for a kernel without BTF. */
  readonly coreTarget?: RelocationTarget;
  /** Whose rules CO-RE relocations follow (default `"libbpf"`). */
  readonly engine?: EngineName;
  /** Folder of maps that are pinned by name (default `/sys/fs/bpf`). */
  readonly pinRoot?: string;
}

/** A function of a loaded program. */
export interface ProgramFunction {
  readonly program: TargetProgram;
  /** Its name (default: what the section's name says). */
  readonly function?: string;
}

/** A map as it is created. */
export interface PlannedMap {
  /** As the kernel shows it: 15 bytes at most. */
  readonly name: string;
  /** As the object defines it, or the name of its section. */
  readonly fullName: string;
  readonly origin: MapOrigin;
  /** `BPF_MAP_TYPE_*` */
  readonly type: number;
  /** In bytes. */
  readonly keySize: number;
  /** In bytes. */
  readonly valueSize: number;
  readonly maxEntries: number;
  /** `BPF_F_*` */
  readonly flags: number;
  readonly mapExtra: bigint;
  readonly numaNode: number;
  /** Whether the object's BTF goes with it. */
  readonly hasBtf: boolean;
  /** In the object's BTF; 0 for none. */
  readonly btfKeyTypeId: number;
  readonly btfValueTypeId: number;
  /** Of a struct_ops map, in the kernel's or the module's BTF. */
  readonly btfVmlinuxValueTypeId: number;
  /** Module of that BTF. */
  readonly module: string | undefined;
  /** Position of the map that is the model of those it holds. */
  readonly inner: number | undefined;
  /** Values that it starts with. */
  readonly initial: readonly { readonly key: Uint8Array; readonly value: Uint8Array }[];
  /** By index: the maps (positions) or programs (names) that it holds from the start. */
  readonly slots: readonly (number | string | undefined)[];
  /** Read-only for user space once its values are in. */
  readonly isFrozen: boolean;
  /** Path of its pin. */
  readonly pin: string | undefined;
  /** Of a struct_ops map: its value, and where descriptors of programs go in it. */
  readonly structOps: { readonly value: Uint8Array; readonly slots: readonly StructOpsSlot[] } | undefined;
}

/** A program as it is loaded. */
export interface PlannedProgram {
  /** As the kernel shows it: 15 bytes at most. */
  readonly name: string;
  /** Of its function. */
  readonly fullName: string;
  /** Of its section, without `?`. */
  readonly section: string;
  /** `BPF_PROG_TYPE_*` */
  readonly type: number;
  /** `enum bpf_attach_type`; of a struct_ops program the index of the member. */
  readonly expectedAttachType: number;
  /** `BPF_F_*` */
  readonly flags: number;
  readonly license: string;
  /** `KERNEL_VERSION` */
  readonly kernelVersion: number;
  readonly attachBtfId: number;
  /** Module that has the type of that id. */
  readonly attachModule: string | undefined;
  /** Program that has the function of that id. */
  readonly attachProgram: TargetProgram | undefined;
  /** Little-endian instructions. Descriptors are positions among `maps`: see `fixups`. */
  readonly insns: Uint8Array;
  readonly fixups: readonly Fixup[];
  /** Modules whose BTF kfunc calls refer to; the first has index 1. */
  readonly kfuncModules: readonly string[];
  readonly hasBtf: boolean;
  readonly funcInfo: ExtRecords | undefined;
  readonly lineInfo: ExtRecords | undefined;
}

/** A program as the object defines it. */
export interface OpenedProgram {
  readonly name: string;
  readonly section: string;
  /** Loaded with the object. */
  readonly autoload: boolean;
}

/** What loading an object takes. */
export interface LoadPlan {
  /** How far it got. */
  readonly stage: LoadStage;
  /** Why the object does not load; what was planned before it is there. */
  readonly error: BtfLoadError | undefined;
  /** All programs of the object. */
  readonly opened: readonly OpenedProgram[];
  /** The object's BTF as it is loaded; `undefined` without one. */
  readonly btf: Uint8Array | undefined;
  /** In the order in which they are created. */
  readonly maps: readonly PlannedMap[];
  /** In the order in which they are loaded. */
  readonly programs: readonly PlannedProgram[];
}

/** Makes the object's BTF fit for a kernel. */
export type SanitizeTypes = (bytes: Uint8Array, kernel: TargetKernel) => Uint8Array;

/** What a caller inside of the library adds. @internal */
export interface InternalOptions extends PlanOptions {
  /** The object's relocations on the target, where they are known already. */
  readonly relocated?: RelocatedObject;
  /** Leaves the object's BTF as it is: where only the verdict counts. */
  readonly sanitize: SanitizeTypes | undefined;
}

/** Returns the plan of an object, as `planObject`. @internal */
export function planWith(object: BpfObject, target: LoadTarget, options: InternalOptions): LoadPlan {
  return new Planning(object, new TargetKernel(target), options).run();
}

/**
 * Returns an object's BTF with what a loader fills in before it makes it fit
 * for a kernel; `undefined` where the loader refuses the object. @internal
 */
export function typesAsLoaded(object: BpfObject): Uint8Array | undefined {
  const kernel = new TargetKernel({ vmlinux: undefined, release: "6.18", cpus: 1 });
  return new Planning(object, kernel, { sanitize: undefined }).openedTypes();
}

class Planning {
  readonly #object: BpfObject;
  readonly #kernel: TargetKernel;
  readonly #options: InternalOptions;

  #sections!: ObjectSections;
  #types: ObjectTypes | undefined;
  #hasExt = false;
  #infos!: InfoSource;
  #programs: DraftProgram[] = [];
  #index!: ProgramIndex;
  #externs: ExternDraft[] = [];
  #maps: DraftMap[] = [];
  #structOps: StructOpsDraft[] = [];
  readonly #linked = new Map<DraftProgram, LinkedProgram & { fixups: Fixup[]; kfuncModules: string[] }>();

  #stage: LoadStage = "open";
  #opened: OpenedProgram[] = [];
  #btf: Uint8Array | undefined;
  #created: DraftMap[] = [];
  #loaded: PlannedProgram[] = [];

  constructor(object: BpfObject, kernel: TargetKernel, options: InternalOptions) {
    this.#object = object;
    this.#kernel = kernel;
    this.#options = options;
  }

  run(): LoadPlan {
    let error: BtfLoadError | undefined;
    try {
      this.#open();
      this.#stage = "load";
      this.#applyOptions();
      this.#prepare();
      this.#load();
    } catch (cause) {
      error = this.#errorOf(cause);
    }
    return {
      stage: this.#stage,
      error,
      opened: this.#opened,
      btf: this.#btf,
      maps: this.#created.map((map) => this.#plannedMap(map)),
      programs: this.#loaded,
    };
  }

  openedTypes(): Uint8Array | undefined {
    try {
      this.#open();
    } catch (cause) {
      if (cause instanceof LoadFailure) return undefined;
      throw cause;
    }
    this.#hideFunctions();
    return this.#types?.toBytes();
  }

  /** Malformed ELF or BTF is a refusal like any other here. */
  #errorOf(cause: unknown): BtfLoadError {
    if (cause instanceof LoadFailure) return new BtfLoadError(ERR_LOAD, this.#stage, cause);
    if (cause instanceof BtfError && /^ERR_(ELF|BTF|EXT|OBJECT)/.test(cause.code) && this.#stage === "open") {
      const errno = cause.code.startsWith("ERR_BTF") ? "EINVAL" : "FORMAT";
      return new BtfLoadError(ERR_LOAD, this.#stage, new LoadFailure(errno, cause.message), { cause });
    }
    throw cause;
  }

  /** Source: libbpf's bpf_object_open. */
  #open(): void {
    const object = this.#object;
    this.#sections = readSections(object);
    this.#programs = collectPrograms(object, this.#sections);
    this.#index = new ProgramIndex(this.#programs);
    this.#readTypes();
    this.#infos = readInfos(object, this.#hasExt);
    this.#externs = collectExterns(object, this.#types);
    this.#types?.fixSections(object);
    this.#defineMaps();
    collectStructOpsReferences(object, this.#structOps, this.#index);
    collectSlots(object, this.#sections, this.#maps, this.#programs);
    const targets = { object, sections: this.#sections, maps: this.#allMaps, externs: this.#externs };
    collectReferences(this.#index, targets);
    this.#opened = this.#programs
      .filter(({ isSubprogram }) => !isSubprogram)
      .map(({ name, section, autoload }) => ({ name, section, autoload }));
  }

  /** BTF that is malformed counts as none, unless the object needs it. Source: libbpf's bpf_object__init_btf. */
  #readTypes(): void {
    const object = this.#object;
    const isNeeded = this.#sections.maps >= 0 || this.#sections.structOps.length > 0;
    if (object.hasBtf) {
      try {
        this.#types = new ObjectTypes(object.btf);
      } catch (cause) {
        if (!(cause instanceof BtfError) || isNeeded) throw cause;
      }
    } else if (isNeeded) fail("ENOENT", "the object defines maps and has no BTF: compile it with -g");
    if (!this.#types || !object.hasExt) return;
    try {
      this.#hasExt = object.ext !== undefined;
    } catch (cause) {
      if (!(cause instanceof BtfError) || isNeeded) throw cause;
    }
  }

  #defineMaps(): void {
    const object = this.#object;
    const { name = "object", pinRoot } = this.#options;
    const objectName = name.slice(0, NAME_MAX);
    const types = this.#types;
    const sections = this.#sections;
    this.#maps = [
      ...definedMaps(object, types, sections, { pinRoot, pageSize: this.#kernel.pageSize }),
      ...globalDataMaps(object, types, sections, objectName),
    ];
    const arenas = this.#maps.filter(({ type }) => type === MAP_TYPE.ARENA);
    if (arenas.length > 1) fail("EINVAL", `maps "${arenas[0]!.name}" and "${arenas[1]!.name}" are both arenas`);
    if (sections.arena >= 0 && arenas.length === 0)
      fail("ENOENT", "the object has variables in an arena, and defines no arena map");
    const size = settingsSize(this.#externs);
    if (size > 0) {
      const data = new Uint8Array(size);
      const section = ".kconfig";
      const sectionIndex = sections.symbolTable;
      this.#maps.push(globalDataMap(types, objectName, { origin: "kconfig", section, sectionIndex, data }));
    }
    this.#structOps = structOpsMaps(object, types, sections);
  }

  /** Maps in the order in which they are created. */
  get #allMaps(): readonly DraftMap[] {
    return [...this.#maps, ...this.#structOps.map(({ map }) => map)];
  }

  #applyOptions(): void {
    const { autoload = {}, maps = {}, globals = {} } = this.#options;
    changeAutoload(this.#programs, autoload);
    changeMaps(this.#allMaps, maps);
    if (this.#types) setGlobals(globals, this.#types, this.#maps);
  }

  /** Source: libbpf's bpf_object_prepare. */
  #prepare(): void {
    const object = this.#object;
    const kernel = this.#kernel;
    if (object.endian !== "little") fail("ENDIAN", "the object is big-endian, and the kernel is not");
    if (this.#needsKernelTypes() && !kernel.vmlinux) fail("ESRCH", "the kernel has no BTF, and the object needs it");
    const settings = this.#maps.find(({ origin }) => origin === "kconfig");
    resolveExterns(this.#externs, kernel, settings?.initial, true);
    if (!kernel.has("array_mmap")) for (const map of this.#maps) if (isGlobalData(map)) map.flags &= ~BPF_F_MMAPABLE;
    for (const draft of this.#structOps) if (draft.map.autocreate) fitStructOps(draft, kernel);
    adjustAutoload(this.#programs, this.#structOps);
    this.#numberMaps();
    this.#relocate();
    this.#completeTypes();
    this.#createMaps();
  }

  #needsKernelTypes(): boolean {
    if (this.#hasExt && this.#object.ext.coreRelocations && !this.#options.coreTarget) return true;
    if (this.#externs.some((extern) => extern.kind === "kernel" && extern.type.kind !== "void")) return true;
    if (this.#structOps.length > 0) return true;
    const types = ["struct_ops", "lsm", "tracing"] as const;
    const numbers = types.map((type) => PROGRAM_TYPES.indexOf(type));
    const targets = this.#options.attachTo ?? {};
    return this.#programs.some(
      ({ autoload, type, name }) => autoload && numbers.includes(type) && typeof targets[name] !== "object",
    );
  }

  /** Gives each map that is created its position; instructions refer to it. */
  #numberMaps(): void {
    let next = 0;
    for (const map of this.#allMaps) {
      if (isGlobalData(map) && !this.#kernel.has("global_data")) map.autocreate = false;
      if (!map.autocreate) continue;
      if (isMapInMap(map) && map.inner) map.inner.index = next++;
      map.index = next++;
    }
  }

  /** Source: libbpf's bpf_object__relocate. */
  #relocate(): void {
    if (this.#hasExt && this.#object.ext.coreRelocations) this.#relocateCore();
    const graph: CallGraph = { index: this.#index, text: this.#sections.text };
    const infos = this.#kernel.has("btf_func") ? this.#infos : { funcInfo: undefined, lineInfo: undefined };
    const mains = this.#programs.filter(({ isSubprogram, autoload }) => !isSubprogram && autoload);
    for (const program of mains) {
      const callback =
        this.#types && this.#kernel.has("btf_decl_tag")
          ? exceptionCallbackOf(program, this.#types, this.#programs)
          : undefined;
      this.#linked.set(program, { ...link(graph, program, callback, infos), fixups: [], kfuncModules: [] });
    }
    const modules = this.#kernel.modules.map(({ name }) => name);
    const kfuncModules = [...new Set(this.#kfuncModules())];
    const arena = this.#arenaDataOffset();
    for (const [program, linked] of this.#linked) {
      linked.fixups.push(
        ...fillReferences(linked, {
          modules,
          kfuncModules,
          arena,
          maps: this.#allMaps,
          externs: this.#externs,
          settingsMap: this.#maps.find(({ origin }) => origin === "kconfig"),
          jumpTable: (reference) => this.#jumpTable(program, linked, reference),
        }),
      );
      linked.kfuncModules.push(...kfuncModules);
    }
  }

  #kfuncModules(): string[] {
    return this.#externs.flatMap((extern) => {
      const isModules = extern.kind === "kernel" && extern.declaration.kind === "func" && extern.module;
      return isModules ? [(extern.module as KernelModule).name] : [];
    });
  }

  #jumpTable(program: DraftProgram, linked: LinkedProgram, reference: Parameters<typeof jumpTableMap>[3]): DraftMap {
    const map = jumpTableMap(this.#object, this.#sections, { program, linked }, reference);
    map.index = this.#allMaps.reduce((count, { index }) => Math.max(count, index + 1), 0);
    this.#maps.push(map);
    return map;
  }

  /** Where global variables lie in an arena: at its end. */
  #arenaDataOffset(): number {
    const arena = this.#maps.find(({ type }) => type === MAP_TYPE.ARENA);
    const section = this.#object.sections[this.#sections.arena];
    if (!arena || !section || !this.#kernel.has("ldimm64_full_range_off")) return 0;
    const { pageSize } = this.#kernel;
    return pageSize * arena.maxEntries - Math.ceil(section.byteSize / pageSize) * pageSize;
  }

  /** Source: libbpf's bpf_object__relocate_core. */
  #relocateCore(): void {
    const target: RelocationTarget = this.#options.coreTarget ?? {
      vmlinux: this.#kernel.vmlinux!,
      modules: this.#kernel.modules.map(({ btf }) => btf),
    };
    const { relocations, code } =
      this.#options.relocated ?? relocate(this.#object, target, { engine: this.#options.engine ?? "libbpf" });
    for (const { section, index, insn, error, errno, record } of relocations) {
      if (!error) continue;
      const sectionIndex = this.#object.sections.findIndex(({ name }) => name === section);
      const program = this.#index.at(sectionIndex, Math.floor(record.insnByteOffset / INSN_SIZE));
      if (!program?.autoload) continue;
      const name = ({ 7: "E2BIG", 22: "EINVAL", 34: "ERANGE", 95: "EOPNOTSUPP" } as const)[errno] ?? "EINVAL";
      fail(name, `program "${program.name}", CO-RE relocation #${index} at instruction ${insn}: ${error.message}`);
    }
    for (const program of this.#programs) {
      const bytes = code.get(program.sectionIndex);
      if (!bytes || !program.autoload) continue;
      const start = program.sectionInsn * INSN_SIZE;
      program.code = new Code(bytes.slice(start, start + program.insnCount * INSN_SIZE), true);
    }
  }

  /** Source: libbpf's bpf_object__sanitize_and_load_btf. */
  #completeTypes(): void {
    const types = this.#types;
    if (!types) return;
    if (!this.#kernel.has("btf")) {
      if (this.#needsBtf()) fail("EOPNOTSUPP", "the kernel takes no BTF, and struct_ops needs it");
      return;
    }
    this.#hideFunctions();
    const bytes = types.toBytes();
    this.#btf = this.#options.sanitize ? this.#options.sanitize(bytes, this.#kernel) : bytes;
  }

  /** Makes hidden global functions static. */
  #hideFunctions(): void {
    const types = this.#types;
    if (!types) return;
    for (const { isHidden, isSubprogram, name } of this.#programs) {
      if (!isHidden || !isSubprogram) continue;
      const found = types.btf.findAll(name, "func").find(({ id }) => types.linkageOfFunc(id) === 1);
      if (found) types.setFuncLinkage(found.id, LINKAGE_STATIC);
    }
  }

  #needsBtf(): boolean {
    return this.#structOps.length > 0;
  }

  #createMaps(): void {
    for (const map of this.#allMaps) {
      if (map.index < 0) continue;
      if (map.inner && isMapInMap(map)) this.#created[map.inner.index] = map.inner;
      this.#created[map.index] = map;
    }
  }

  #plannedMap(map: DraftMap): PlannedMap {
    const { cpus } = this.#kernel;
    const isPerfArray = map.type === MAP_TYPE.PERF_EVENT_ARRAY;
    const hasBtf = this.#btf !== undefined && isTyped(map) && map.origin !== "jump_table";
    const structOps = this.#structOps.find((draft) => draft.map === map);
    return {
      name: this.#kernel.has("prog_name") ? map.name.slice(0, NAME_MAX) : "",
      fullName: map.section || map.name,
      origin: map.origin,
      type: map.type,
      keySize: map.keySize,
      valueSize: map.valueSize,
      maxEntries: isPerfArray && map.maxEntries === 0 ? cpus : map.maxEntries,
      flags: map.flags,
      mapExtra: map.mapExtra,
      numaNode: map.numaNode,
      hasBtf,
      btfKeyTypeId: hasBtf ? map.keyTypeId : 0,
      btfValueTypeId: hasBtf && !structOps ? map.valueTypeId : 0,
      btfVmlinuxValueTypeId: map.vmlinuxValueTypeId,
      module: structOps?.module,
      inner: map.inner && isMapInMap(map) ? map.inner.index : undefined,
      initial: initialValues(map),
      slots: isMapInMap(map)
        ? map.slots.map((slot) => this.#maps.find(({ name }) => name === slot)?.index)
        : [...map.slots],
      isFrozen: isFrozen(map) || map.origin === "jump_table",
      pin: map.pin,
      structOps: structOps && { value: structOps.value, slots: structOps.slots },
    };
  }

  /** Source: libbpf's bpf_object__load_progs. */
  #load(): void {
    for (const [program, linked] of this.#linked) this.#loaded.push(this.#plannedProgram(program, linked));
  }

  /** Source: libbpf's bpf_object_load_prog and libbpf_prepare_prog_load. */
  #plannedProgram(
    program: DraftProgram,
    linked: LinkedProgram & { fixups: Fixup[]; kfuncModules: string[] },
  ): PlannedProgram {
    const kernel = this.#kernel;
    const { name, section, convention } = program;
    const type = PROGRAM_TYPES[program.type];
    if (program.type === 0)
      fail(
        "EINVAL",
        `program "${name}": section name "${section}" says no program type; rename it by libbpf's conventions`,
      );
    if (type === "struct_ops" && program.attachBtfId === 0)
      fail("EINVAL", `program "${name}": no struct_ops map refers to it`);
    replaceProbeReads(linked.code, kernel);
    let { expectedAttachType } = program;
    if (convention?.attachTypeOptional && !kernel.has("exp_attach_type")) expectedAttachType = 0;
    if (convention?.usdt && kernel.uprobeMulti) expectedAttachType = ATTACH_TYPES.indexOf("trace_uprobe_multi");
    if (convention?.attachesByBtf && program.attachBtfId === 0) this.#attach(program);
    const hasBtf = this.#btf !== undefined && kernel.has("btf_func");
    return {
      name: kernel.has("prog_name") ? name.slice(0, NAME_MAX) : "",
      fullName: name,
      section,
      type: program.type,
      expectedAttachType,
      flags:
        (convention?.sleepable ? BPF_F_SLEEPABLE : 0) | (convention?.frags && type === "xdp" ? BPF_F_XDP_HAS_FRAGS : 0),
      license: this.#sections.license,
      kernelVersion: this.#sections.version ?? kernel.version,
      attachBtfId: program.attachBtfId,
      attachModule: program.attachModule,
      attachProgram: program.attachProgram,
      insns: linked.code.bytes,
      fixups: linked.fixups,
      kfuncModules: linked.kfuncModules,
      hasBtf,
      funcInfo: hasBtf ? linked.funcInfo : undefined,
      lineInfo: hasBtf ? linked.lineInfo : undefined,
    };
  }

  #attach(program: DraftProgram): void {
    const { name, section, expectedAttachType, type } = program;
    const slash = section.indexOf("/");
    const given = this.#options.attachTo?.[name];
    const named = typeof given === "object" ? given.function : given;
    const target = named ?? (slash < 0 ? undefined : section.slice(slash + 1));
    if (target === undefined) fail("EINVAL", `program "${name}": nothing says what it attaches to`);
    if (typeof given === "object") {
      program.attachBtfId = findProgramFunction(name, given.program, target);
      program.attachProgram = given.program;
      return;
    }
    if (PROGRAM_TYPES[type] === "ext")
      fail("EINVAL", `program "${name}" replaces a function of a loaded program: name that program in attachTo`);
    const { btfId, module } = findAttachTarget(this.#kernel, name, target, expectedAttachType);
    program.attachBtfId = btfId;
    program.attachModule = module;
  }
}
