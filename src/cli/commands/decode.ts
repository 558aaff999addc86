import { type Command, InvalidArgumentError, Option } from "commander";
import { decoderOf } from "../../data/decode.js";
import { planOf } from "../../data/plan.js";
import { formatData } from "../../data/text/c.js";
import type { CommonOptions, Context, ExitCode } from "../context.js";
import { dataBytes, hexBytes, typeInput } from "../data-input.js";
import { UsageError } from "../exit.js";
import { hexdump } from "../hexdump.js";
import { file } from "../options.js";
import { valueJson } from "../value-json.js";

export interface DecodeCommandOptions extends CommonOptions {
  readonly hex?: string;
  readonly data?: string;
  readonly count?: number;
  readonly hexdump?: boolean;
  readonly kernelOf?: string;
  readonly compat?: "libbpf-1.8";
}

export function define(command: Command): void {
  command
    .argument("<type>", "the type of the bytes: a name, an id, or KIND:name")
    .addArgument(file())
    .option("--hex <bytes>", "the bytes, in hexadecimal")
    .option("--data <file>", "the file that has the bytes, or - for standard input")
    .addOption(new Option("--count <n>", "how many records (default: as many as there are)").argParser(count))
    .option("--hexdump", "bytes, with the members beside them")
    .option("--kernel-of <object>", "look the type up in this BPF object, such as an event that it sends")
    .addOption(new Option("--compat <tool>", "copy what this version gets wrong").choices(["libbpf-1.8"]))
    .addHelpText(
      "after",
      "\nExamples:\n  btfkit decode timespec64 --hex '05000000 00000000 07000000 00000000'\n  btfkit decode event --kernel-of opensnoop.bpf.o --data events.bin --json",
    );
}

/** Records that are decoded between two reports of progress. */
const STEP = 4096;

/** Writes bytes as values of their type: as C, as a line of JSON a record, or beside the bytes. */
export async function run(
  wanted: string,
  path: string | undefined,
  options: DecodeCommandOptions,
  context: Context,
): Promise<ExitCode> {
  if ((options.hex === undefined) === (options.data === undefined)) {
    throw new UsageError("decode needs the bytes: --hex HEX or --data FILE");
  }
  const bytes = options.hex !== undefined ? hexBytes(options.hex) : dataBytes(options.data!);
  const type = await typeInput(wanted, path, options);
  const plan = planOf(type);
  const decode = decoderOf(type);
  const size = decode.byteSize;
  const whole = plan.isFlexible || size === 0 ? 1 : Math.floor(bytes.length / size);
  // Too few bytes for a record: decoding it says which member is missing.
  const records = options.count ?? Math.max(1, whole);
  const text = (at: number): string => {
    if (options.json || options.pretty) return `{"version":1,"value":${valueJson(decode(bytes, at))}}\n`;
    if (options.hexdump) return hexdump(plan, decode(bytes, at), bytes, at, context.color);
    const record = bytes.subarray(at);
    return `${formatData(type, record, { ...(options.compat && { compat: options.compat }) }).text}\n`;
  };
  for (let i = 0; i < records; ) {
    let chunk = "";
    for (const end = Math.min(records, i + STEP); i < end; i++) chunk += text(i * size);
    await context.out.write(chunk);
    context.progress(i, records, "records");
  }
  const left = bytes.length - records * size;
  if (left > 0 && !plan.isFlexible && options.count === undefined) {
    context.warn(`${left} byte${left === 1 ? " is" : "s are"} left behind the last record of ${size} bytes`);
  }
  return 0;
}

function count(value: string): number {
  if (/^[1-9]\d{0,11}$/.test(value)) return Number(value);
  throw new InvalidArgumentError("It is a number of records, 1 or more.");
}
