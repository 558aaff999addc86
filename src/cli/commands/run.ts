import { type Command, InvalidArgumentError } from "commander";
import type { BtfType } from "../../btf/types.js";
import { decode } from "../../data/decode.js";
import type { Value } from "../../data/options.js";
import type { EventStream } from "../../live/events/event-stream.js";
import type { LoadedMap, LoadedObject, LoadedProgram } from "../../live/loader/loaded-object.js";
import type { GlobalValues } from "../../load/globals.js";
import { type CommonOptions, type Context, type ExitCode, jsonText } from "../context.js";
import { UsageError } from "../exit.js";
import { objectName, openObjectInput } from "../object-input.js";
import { collect, OBJECT_HELP } from "../options.js";
import { printable, styler } from "../style.js";

export interface RunCommandOptions extends CommonOptions {
  readonly set?: readonly string[];
  readonly events?: readonly string[];
  readonly attach?: readonly string[];
  readonly entries?: readonly string[];
  readonly maps?: boolean;
  readonly duration?: number;
  readonly count?: number;
}

/** Widest that a value is shown in a column. */
const WIDTH = 40;

export function define(command: Command): void {
  command
    .argument("<object>", OBJECT_HELP)
    .option("--set <name=value>", "set a global variable before the object is loaded; repeatable", collect)
    .option("--entries <map=count>", "give a map its size; repeatable", collect)
    .option(
      "--events <map[=type]>",
      "read this map's events, as this type; repeatable (default: all maps of events)",
      collect,
    )
    .option(
      "--attach <program[=target]>",
      "attach this program, to this target; repeatable (default: all whose sections say to what)",
      collect,
    )
    .option("--maps", "print what the maps hold at the end")
    .option("--duration <seconds>", "end after so many seconds (default: with Ctrl-C)", positive)
    .option("--count <events>", "end after so many events", positive)
    .addHelpText(
      "after",
      "\nEach event is a line, with --json as JSON.\n\nExample:\n  btfkit run execsnoop.bpf.o --set targ_uid=1000",
    );
}

/** Loads an object, attaches its programs and prints its events. */
export async function run(file: string, options: RunCommandOptions, context: Context): Promise<ExitCode> {
  const object = openObjectInput(file);
  const { Kernel } = await import("../../live/kernel.js");
  using kernel = await Kernel.open();
  const globals = Object.fromEntries((options.set ?? []).map((text) => assignment(text, "--set")));
  const maps = Object.fromEntries(
    (options.entries ?? []).map((text) => {
      const [name, value] = assignment(text, "--entries");
      return [name, { maxEntries: Number(value) }];
    }),
  );
  const attached = options.attach?.map(attachment);
  const autoload = Object.fromEntries((attached ?? []).map(({ name }) => [name, true]));
  const settings = { name: objectName(file), globals: globals as GlobalValues, maps, autoload };
  using app = await kernel.load(object, settings);
  const stop = new AbortController();
  const end = (): void => stop.abort();
  process.once("SIGINT", end).once("SIGTERM", end);
  const timer = options.duration === undefined ? undefined : setTimeout(end, options.duration * 1000);
  try {
    const streams = openStreams(app, options.events, stop.signal, context);
    attachPrograms(app, attached);
    await print(streams, options, context, stop);
    if (options.maps) await printMaps(app, options, context);
  } finally {
    clearTimeout(timer);
    process.removeListener("SIGINT", end).removeListener("SIGTERM", end);
  }
  return 0;
}

function assignment(text: string, option: string): [string, string | bigint] {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined) throw new UsageError(`${option} ${text}: write NAME=VALUE`);
  return [name, /^-?(0x[\da-f]+|\d+)$/i.test(value!) ? number(value!) : value!];
}

const number = (text: string): bigint => (text.startsWith("-") ? -BigInt(text.slice(1)) : BigInt(text));

interface NamedStream {
  readonly name: string;
  readonly events: EventStream;
}

function openStreams(
  app: LoadedObject,
  wanted: readonly string[] | undefined,
  signal: AbortSignal,
  context: Context,
): NamedStream[] {
  const all = Object.values(app.maps) as LoadedMap[];
  const readable = all.filter(({ map }) => map.type === "ringbuf" || map.type === "perf_event_array");
  const chosen: readonly { readonly map: LoadedMap; readonly type?: string }[] = wanted
    ? wanted.map((text) => {
        const [name = "", type] = text.split("=");
        const map = all.find((candidate) => candidate.name === name);
        if (!map)
          throw new UsageError(`--events ${text}: the object's maps are ${all.map((one) => one.name).join(", ")}`);
        return { map, ...(type !== undefined && { type }) };
      })
    : readable.map((map) => ({ map }));
  return chosen.map(({ map, type }) => {
    const onLost = (count: number): void => context.warn(`${map.name}: ${count} events were lost`);
    const events = map.read({ signal, onLost, ...(type !== undefined && { type }) });
    if (!events.type)
      context.warn(`${map.name}: ${events.reason}: bytes are shown; name the type with --events ${map.name}=TYPE`);
    return { name: map.name, events };
  });
}

interface WantedAttachment {
  readonly name: string;
  readonly target?: string;
}

function attachment(text: string): WantedAttachment {
  const [, name = "", target] = /^([^=]+)(?:=(.*))?$/s.exec(text) ?? [];
  return { name, ...(target !== undefined && { target }) };
}

function attachPrograms(app: LoadedObject, wanted: readonly WantedAttachment[] | undefined): void {
  const programs = app.programs as Readonly<Record<string, LoadedProgram>>;
  if (wanted) {
    for (const { name, target } of wanted) programs[name]!.attach(target === undefined ? {} : { target });
  } else if (app.attachAll().length === 0)
    throw new UsageError("no section says what its program attaches to: give --attach PROGRAM=TARGET");
}

async function print(
  streams: readonly NamedStream[],
  options: RunCommandOptions,
  context: Context,
  stop: AbortController,
): Promise<void> {
  let left = options.count ?? Number.POSITIVE_INFINITY;
  const lines = new Lines(context, streams.length > 1);
  const read = async ({ name, events }: NamedStream): Promise<void> => {
    for await (const event of events) {
      if (left-- <= 0) return;
      await context.out.write(
        options.json || options.pretty
          ? jsonText({ version: 1, map: name, event: plain(event) }, options.pretty)
          : lines.of(name, event),
      );
      if (left <= 0) stop.abort();
    }
  };
  if (streams.length > 0) {
    await Promise.all(streams.map(read));
    return;
  }
  await new Promise<void>((resolve) => stop.signal.addEventListener("abort", () => resolve(), { once: true }));
}

function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  if (ArrayBuffer.isView(value)) return Array.from(value as Uint8Array, (item) => plain(item));
  if (Array.isArray(value)) return value.map(plain);
  if (value && typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  return value;
}

/** Events as lines of a table, whose columns are as wide as the values seen so far. */
class Lines {
  readonly #bold: (text: string) => string;
  readonly #withMap: boolean;
  readonly #columns = new Map<string, number[]>();
  #last = "";

  constructor({ color }: Context, withMap: boolean) {
    this.#bold = styler(color).bold;
    this.#withMap = withMap;
  }

  of(map: string, event: Value): string {
    const fields: [string, unknown][] =
      event && typeof event === "object" && !ArrayBuffer.isView(event) ? Object.entries(event) : [["value", event]];
    const cells = fields.map(([, value]) => cell(value));
    let widths = this.#columns.get(map);
    let head = "";
    if (!widths || this.#last !== map) {
      widths ??= fields.map(([name], i) => Math.max(name.length, Math.min(cells[i]!.length, WIDTH)));
      this.#columns.set(map, widths);
      const names = fields.map(([name], i) => name.toUpperCase().padEnd(widths![i]!));
      head = `${this.#bold(`${this.#withMap ? `${map}: ` : ""}${names.join("  ").trimEnd()}`)}\n`;
      this.#last = map;
    }
    return `${head}${cells
      .map((text, i) => text.padEnd(widths![i]!))
      .join("  ")
      .trimEnd()}\n`;
  }
}

function cell(value: unknown): string {
  if (typeof value === "string") return printable(value);
  if (value && typeof value === "object") return printable(JSON.stringify(plain(value)));
  return String(value);
}

async function printMaps(app: LoadedObject, options: RunCommandOptions, context: Context): Promise<void> {
  for (const { map, name, keyType, valueType } of Object.values(app.maps) as LoadedMap[]) {
    if (["ringbuf", "perf_event_array", "user_ringbuf", "prog_array", "stack_trace", "cgroup_array"].includes(map.type))
      continue;
    const entries = [];
    for (const { key, value } of map.entries())
      entries.push({ key: shown(key, keyType), value: shown(value, valueType) });
    await context.out.write(
      options.json || options.pretty
        ? jsonText({ version: 1, map: name, entries }, options.pretty)
        : `${name}\n${entries.map(({ key, value }) => `  ${cell(key)}: ${cell(value)}\n`).join("")}`,
    );
  }
}

function shown(bytes: Uint8Array, type: BtfType | undefined): unknown {
  return plain(type ? decode(type, bytes, { partial: true }) : bytes);
}

function positive(text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("It is a number above 0.");
}
