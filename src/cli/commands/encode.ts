import type { Command } from "commander";
import { encoderOf } from "../../data/encode.js";
import { planOf } from "../../data/plan.js";
import type { CommonOptions, Context, ExitCode } from "../context.js";
import { dataBytes, typeInput } from "../data-input.js";
import { UsageError } from "../exit.js";
import { file } from "../options.js";
import { parseValue } from "../value-json.js";

export interface EncodeCommandOptions extends CommonOptions {
  readonly value: string;
  readonly hex?: boolean;
  readonly kernelOf?: string;
}

export function define(command: Command): void {
  command
    .argument("<type>", "the type of the value: a name, an id, or KIND:name")
    .addArgument(file())
    .requiredOption("--value <json>", "the value as JSON, - for standard input; an array holds several records")
    .option("--hex", "bytes in hexadecimal")
    .option("--kernel-of <object>", "look the type up in this BPF object")
    .addHelpText("after", "\nExample:\n  btfkit encode timespec64 --value '{\"tv_sec\": 5}' --hex");
}

/** Writes a value, or the values of an array, as bytes of its type. */
export async function run(
  wanted: string,
  path: string | undefined,
  options: EncodeCommandOptions,
  context: Context,
): Promise<ExitCode> {
  const asHex = options.hex || options.json || options.pretty;
  if (!asHex && context.outIsTerminal) {
    throw new UsageError("the bytes would go to a terminal: name a file with -o, or write --hex");
  }
  const text = options.value === "-" ? Buffer.from(dataBytes("-")).toString() : options.value;
  let value: unknown;
  try {
    value = parseValue(text);
  } catch (cause) {
    throw new UsageError(`--value is no JSON: ${(cause as Error).message}`);
  }
  const type = await typeInput(wanted, path, options);
  const encode = encoderOf(type);
  const values = Array.isArray(value) && planOf(type).kind !== "array" ? value : [value];
  for (const each of values) {
    const bytes = encode(each);
    const hex = Buffer.from(bytes).toString("hex");
    await context.out.write(!asHex ? bytes : options.hex ? `${hex}\n` : `${JSON.stringify({ version: 1, hex })}\n`);
  }
  return 0;
}
