import { Argument, type Command, Option } from "commander";
import { decoderOf } from "../../data/decode.js";
import { Kernel } from "../../live/kernel.js";
import type { BpfMap } from "../../live/map.js";
import { roundUp8 } from "../../live/map.js";
import type { CommonOptions, Context, ExitCode } from "../context.js";
import { Refused, UsageError } from "../exit.js";

/** The version of the JSON's shape. */
const VERSION = 1;

export interface MapCommandOptions extends CommonOptions {
  readonly interval: string;
  readonly count?: string;
}

export function define(command: Command): void {
  command
    .addArgument(new Argument("<action>", "what to do").choices(["watch"]))
    .argument("<map>", "an id, a name, or a path of the BPF file system")
    .addOption(new Option("--interval <seconds>", "time between looks").default("1"))
    .option("--count <n>", "looks, after which it ends (default: until it is interrupted)")
    .addHelpText("after", "\nExamples:\n  btfkit map watch events\n  btfkit map watch 12 --interval 0.5 --json");
}

/** A key that has appeared, changed or gone. */
interface Change {
  readonly change: "added" | "changed" | "removed";
  readonly key: unknown;
  readonly value?: unknown;
  readonly before?: unknown;
}

/** Shows what changes in a map: each look prints the keys that differ from the look before. */
export async function run(
  _action: string,
  name: string,
  options: MapCommandOptions,
  context: Context,
): Promise<ExitCode> {
  const interval = Number(options.interval);
  if (!(interval > 0)) throw new UsageError(`--interval ${options.interval}: it is a number of seconds`);
  const looks = options.count === undefined ? Infinity : Number(options.count);
  if (!(looks > 0)) throw new UsageError(`--count ${options.count}: it is a number of looks`);
  using kernel = await Kernel.open();
  using map = open(kernel, name);
  const show = new Shown(map);
  let before = new Map<string, Uint8Array>();
  for (let look = 1; look <= looks; look++) {
    const now = new Map<string, Uint8Array>();
    for (const { key, value } of map.entries()) now.set(Buffer.from(key).toString("hex"), value.slice());
    const changes = compare(before, now, show);
    if (options.json || options.pretty) {
      const shown = { version: VERSION, time: new Date().toISOString(), changes };
      await context.out.write(`${JSON.stringify(shown, asJson, options.pretty ? 2 : 0)}\n`);
    } else if (changes.length > 0) await context.out.write(textOf(changes, context.color));
    before = now;
    if (look < looks) await new Promise((resolve) => setTimeout(resolve, interval * 1000));
  }
  return 0;
}

function open(kernel: Kernel, name: string): BpfMap {
  if (/^\d+$/.test(name)) return kernel.map(Number(name));
  if (name.includes("/")) return kernel.pinnedMap(name);
  for (const map of kernel.maps()) {
    if (map.name === name) return map;
    map[Symbol.dispose]();
  }
  throw new Refused(`no map named "${name}"`);
}

/** Keys and values as their types say, or as hexadecimal digits. */
class Shown {
  readonly #key: (bytes: Uint8Array) => unknown;
  readonly #value: (bytes: Uint8Array) => unknown;

  constructor(map: BpfMap) {
    const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
    const { keyType, valueType } = map;
    this.#key = keyType ? decoderOf(keyType) : hex;
    const value = valueType ? decoderOf(valueType) : hex;
    const step = roundUp8(map.info.valueByteSize);
    this.#value = map.isPerCpu
      ? (bytes) =>
          Array.from({ length: bytes.length / step }, (_, cpu) =>
            value(bytes.subarray(cpu * step, cpu * step + map.info.valueByteSize)),
          )
      : value;
  }

  key(hex: string): unknown {
    return this.#key(Uint8Array.from(Buffer.from(hex, "hex")));
  }

  value(bytes: Uint8Array): unknown {
    return this.#value(bytes);
  }
}

function compare(
  before: ReadonlyMap<string, Uint8Array>,
  now: ReadonlyMap<string, Uint8Array>,
  show: Shown,
): readonly Change[] {
  const changes: Change[] = [];
  for (const [key, value] of now) {
    const old = before.get(key);
    if (!old) changes.push({ change: "added", key: show.key(key), value: show.value(value) });
    else if (Buffer.compare(old, value) !== 0) {
      changes.push({ change: "changed", key: show.key(key), value: show.value(value), before: show.value(old) });
    }
  }
  for (const [key, old] of before) {
    if (!now.has(key)) changes.push({ change: "removed", key: show.key(key), before: show.value(old) });
  }
  return changes;
}

/** 64-bit numbers go out as numbers: JSON has no bound. */
function asJson(_: string, value: unknown): unknown {
  if (typeof value !== "bigint") return value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}

const SIGNS = { added: "+", changed: "~", removed: "-" } as const;
const COLOURS = { added: 32, changed: 33, removed: 31 } as const;

function textOf(changes: readonly Change[], color: boolean): string {
  const json = (value: unknown): string => JSON.stringify(value, asJson);
  return changes
    .map(({ change, key, value, before }) => {
      const old = before === undefined ? "" : ` (was ${json(before)})`;
      const line = `${SIGNS[change]} ${json(key)}: ${change === "removed" ? json(before) : `${json(value)}${old}`}`;
      return color ? `\x1b[${COLOURS[change]}m${line}\x1b[0m\n` : `${line}\n`;
    })
    .join("");
}
