/** An object in the kernel: its maps and programs by name. */
import type { BpfObject } from "../../bpf/object/object.js";
import type { Btf } from "../../btf/btf.js";
import type { BtfType } from "../../btf/types.js";
import type { Value } from "../../data/options.js";
import { BtfLookupError } from "../../errors/error.js";
import { ERR_LIVE_ATTACH, ERR_LIVE_EVENTS } from "../../errors/live.js";
import type { LoadPlan, PlannedMap, PlannedProgram } from "../../load/plan.js";
import { attach } from "../attach/attach.js";
import type { Attachment } from "../attach/attachment.js";
import { readIterator } from "../attach/iterator.js";
import type { AttachOptions } from "../attach/options.js";
import { USDT_SPECS, UsdtSpecs } from "../attach/usdt.js";
import { eventType } from "../events/decoder.js";
import { type EventOptions, EventStream } from "../events/event-stream.js";
import { EventWriter } from "../events/event-writer.js";
import { PerfBufferSource } from "../events/perf-buffer.js";
import { RingBufferSource } from "../events/ring-buffer.js";
import type { Kernel } from "../kernel.js";
import type { BpfMap } from "../map.js";
import type { Program, RunOptions, RunResult } from "../program.js";
import type { Created } from "./create.js";
import { attachStructOps } from "./struct-ops.js";

/** How the events of a map are read, and as what. */
export interface ReadOptions extends EventOptions {
  /** Name of the events' type in the object's BTF (default: it is found). */
  readonly type?: string;
  /** Bytes instead of values. */
  readonly raw?: boolean;
}

/**
 * A map of a loaded object.
 *
 * @example
 * const kernel = await Kernel.open();
 * const app = await kernel.load(object);
 * console.log(Object.values(app.maps).every((map) => map instanceof LoadedMap)); // true
 * app[Symbol.dispose]();
 */
export class LoadedMap implements Disposable {
  /** The map itself: `get`, `set`, `delete`, entries. */
  readonly map: BpfMap;
  /** As the object defines it, or the name of its section. */
  readonly name: string;
  readonly #object: LoadedObject;

  /** @internal */
  constructor(object: LoadedObject, map: BpfMap, name: string) {
    this.#object = object;
    this.map = map;
    this.name = name;
  }

  /** The type of its keys in the object's BTF; `undefined` where the object does not say. */
  get keyType(): BtfType | undefined {
    return this.#object.typesOf(this.name).key;
  }

  /** The type of its values in the object's BTF. */
  get valueType(): BtfType | undefined {
    return this.#object.typesOf(this.name).value;
  }

  /**
   * Reads the events that programs write to the map, a ring buffer or a perf event array.
   *
   * @throws BtfLookupError ERR_LIVE_EVENTS for a map without events, or a type that the object does not have; BtfSystemError
   */
  read<T = Value>({ type, raw, ...options }: ReadOptions = {}): EventStream<T> {
    const { map } = this;
    const found = raw ? undefined : this.#object.eventType(this.name, type);
    if (map.type !== "ringbuf" && map.type !== "perf_event_array") {
      const note = `a map of type ${map.type} has no events: those of type ringbuf and perf_event_array do`;
      throw new BtfLookupError(ERR_LIVE_EVENTS, { name: this.name, note });
    }
    const source = map.type === "ringbuf" ? new RingBufferSource(map) : new PerfBufferSource(map);
    try {
      return this.#object.own(new EventStream<T>(source, map.system.ffi, found, options));
    } catch (cause) {
      source[Symbol.dispose]();
      throw cause;
    }
  }

  /**
   * Writes records for programs to the map, of type `user_ringbuf`.
   *
   * @param type name of the records' type in the object's BTF (default: they are bytes)
   * @throws BtfLookupError ERR_LIVE_EVENTS for a map of another type, or a type that the object does not have; BtfSystemError
   */
  writer<T = unknown>(type?: string): EventWriter<T> {
    const found = type === undefined ? undefined : this.#object.eventType(this.name, type);
    return this.#object.own(new EventWriter<T>(this.map, found?.type));
  }

  [Symbol.dispose](): void {
    this.map[Symbol.dispose]();
  }
}

/**
 * A program of a loaded object.
 *
 * @example
 * const kernel = await Kernel.open();
 * const app = await kernel.load(object);
 * const { program } = app.programs;
 * console.log(program instanceof LoadedProgram, program?.section); // true raw_tp/sched_switch
 * app[Symbol.dispose]();
 */
export class LoadedProgram implements Disposable {
  /** The program itself: what the kernel says about it, its code, its pin. */
  readonly program: Program;
  /** Of its function. */
  readonly name: string;
  /** Of its section, without `?`. */
  readonly section: string;
  readonly #object: LoadedObject;
  readonly #attachType: number;

  /** @internal */
  constructor(object: LoadedObject, program: Program, planned: PlannedProgram) {
    this.#object = object;
    this.program = program;
    this.name = planned.fullName;
    this.section = planned.section;
    this.#attachType = planned.expectedAttachType;
  }

  /**
   * Attaches it to what its section's name says, or to what the options say.
   *
   * @throws BtfLookupError ERR_LIVE_ATTACH; BtfSystemError
   */
  attach(options: AttachOptions = {}): Attachment {
    const { program, name, section } = this;
    const kernel = this.#object.kernel;
    const { usdtSpecs } = this.#object;
    const from = { kernel, program, name, section, attachType: this.#attachType, usdtSpecs };
    return this.#object.own(attach(from, options));
  }

  /**
   * Runs an iterator (`SEC("iter/…")`) from its start to its end and returns what it writes, piece by piece.
   *
   * @throws BtfLookupError ERR_LIVE_ATTACH for a program that is no iterator; BtfSystemError
   */
  *iterate(options: AttachOptions = {}): Generator<Uint8Array, void, undefined> {
    if (!/^iter(\.s)?(\/|$)/.test(this.section))
      throw new BtfLookupError(ERR_LIVE_ATTACH, {
        name: this.name,
        note: `section "${this.section}" is not an iterator's`,
      });
    const attachment = this.attach(options);
    try {
      yield* readIterator(this.#object.kernel, attachment.link!);
    } finally {
      attachment[Symbol.dispose]();
    }
  }

  /**
   * Runs it on data that the caller gives, without attaching it.
   *
   * @throws BtfSystemError
   */
  run(options?: RunOptions): RunResult {
    return this.program.run(options);
  }

  [Symbol.dispose](): void {
    this.program[Symbol.dispose]();
  }
}

/** Names of a skeleton: what `btfkit generate ts` makes of an object. */
export interface AppShape {
  readonly maps: Readonly<Record<string, unknown>>;
  readonly programs: Readonly<Record<string, unknown>>;
}

/** Whatever an object has. */
export interface AnyApp extends AppShape {
  readonly maps: Readonly<Record<string, unknown>>;
  readonly programs: Readonly<Record<string, unknown>>;
}

/**
 * An object that is loaded. Disposing of it detaches its programs and closes
 * all that it holds; what is pinned stays.
 *
 * @example
 * const kernel = await Kernel.open();
 * const app: LoadedObject = await kernel.load(object);
 * console.log(Object.keys(app.programs), app.attachAll().length); // [ 'program' ] 1
 * app[Symbol.dispose]();
 */
export class LoadedObject<A extends AppShape = AnyApp> implements Disposable {
  /** Maps by the names that the object gives them; sections of global data as `.rodata`, `.bss`. */
  readonly maps: { readonly [K in keyof A["maps"]]: LoadedMap };
  /** Programs by the names of their functions. */
  readonly programs: { readonly [K in keyof A["programs"]]: LoadedProgram };
  /** What was handed to the kernel. */
  readonly plan: LoadPlan;
  /** @internal */
  readonly kernel: Kernel;
  readonly #object: BpfObject;
  readonly #owned = new Set<Disposable>();
  #usdtSpecs: UsdtSpecs | undefined;
  #isOpen = true;

  /** @internal */
  constructor(kernel: Kernel, object: BpfObject, plan: LoadPlan, { maps, programs }: Created) {
    this.kernel = kernel;
    this.plan = plan;
    this.#object = object;
    this.maps = Object.fromEntries(
      maps.flatMap((map, i) => {
        const { fullName } = plan.maps[i]!;
        return [[fullName, new LoadedMap(this as LoadedObject, map, fullName)] as const];
      }),
    ) as typeof this.maps;
    this.programs = Object.fromEntries(
      programs.map((program, i) => {
        const planned = plan.programs[i]!;
        return [planned.fullName, new LoadedProgram(this as LoadedObject, program, planned)] as const;
      }),
    ) as typeof this.programs;
  }

  /** The object's types. */
  get btf(): Btf {
    return this.#object.btf;
  }

  /**
   * Attaches all programs whose sections say to what, and all struct_ops maps.
   * Programs that need more, such as the interface of an XDP program, are left out.
   *
   * @throws BtfLookupError ERR_LIVE_ATTACH; BtfSystemError; what was attached before is detached then
   */
  attachAll(): Attachment[] {
    const attached: Attachment[] = [];
    try {
      for (const program of Object.values(this.programs) as LoadedProgram[]) {
        if (attachesByItself(program.section)) attached.push(program.attach());
      }
      for (const [i, map] of this.plan.maps.entries()) {
        if (map.structOps) attached.push(this.attachStructOps(this.plan.maps[i]!.fullName));
      }
    } catch (cause) {
      for (const one of attached) one[Symbol.dispose]();
      throw cause;
    }
    return attached;
  }

  /**
   * Registers the implementation that a struct_ops map is.
   *
   * @throws BtfLookupError ERR_LIVE_ATTACH; BtfSystemError
   */
  attachStructOps(name: string): Attachment {
    const planned = this.plan.maps.find((map) => map.fullName === name) as PlannedMap;
    const map = (this.maps as Record<string, LoadedMap>)[name]!.map;
    const programs = this.programs as Record<string, LoadedProgram>;
    return this.own(attachStructOps(this.kernel, planned, map, (program) => programs[program]!.program.fd));
  }

  /** @internal */
  get usdtSpecs(): UsdtSpecs | undefined {
    const map = (this.maps as Record<string, LoadedMap>)[USDT_SPECS]?.map;
    if (map) this.#usdtSpecs ??= new UsdtSpecs(map);
    return this.#usdtSpecs;
  }

  /** @internal */
  own<T extends Disposable>(one: T): T {
    this.#owned.add(one);
    return one;
  }

  /** @internal */
  typesOf(map: string): { readonly key: BtfType | undefined; readonly value: BtfType | undefined } {
    const defined = this.#object.maps.find(({ name }) => name === map);
    const type = (id: number | undefined): BtfType | undefined => (id ? this.btf.get(id) : undefined);
    if (defined) return { key: type(defined.keyTypeId), value: type(defined.valueTypeId) };
    return { key: undefined, value: this.#object.hasBtf ? this.btf.find(map, "datasec") : undefined };
  }

  /** @internal */
  eventType(map: string, wanted: string | undefined): ReturnType<typeof eventType> {
    return eventType(this.#object, this.plan, map, wanted);
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const one of this.#owned) one[Symbol.dispose]();
    for (const one of Object.values(this.programs) as LoadedProgram[]) one[Symbol.dispose]();
    for (const one of Object.values(this.maps) as LoadedMap[]) one[Symbol.dispose]();
    this.#object[Symbol.dispose]();
  }
}

/** Sections that name their target, and those that need none. */
const NEEDS_TARGET =
  /^(tracepoint|tp|raw_tp|raw_tracepoint|tp_btf|fentry|fexit|fmod_ret|lsm|freplace|iter|kprobe|kretprobe|uprobe|uretprobe|ksyscall|kretsyscall|usdt)(\.\w+)*\//;

function attachesByItself(section: string): boolean {
  return NEEDS_TARGET.test(section);
}
