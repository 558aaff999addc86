import { type Command, Option } from "commander";
import { type EncodeOptions, encode } from "../../edit/build/encode.js";
import { sortByName } from "../../edit/reshape/permute.js";
import { type CommonOptions, type Context, type ExitCode, jsonText } from "../context.js";
import { refuseTerminal } from "../image-output.js";
import { openInput } from "../input.js";
import { file } from "../options.js";

export interface ConvertCommandOptions extends CommonOptions {
  readonly endian?: "little" | "big";
  readonly header?: "24" | "32";
  readonly layout?: boolean;
  readonly sort?: boolean;
}

export function define(command: Command): void {
  command
    .addArgument(file())
    .addOption(new Option("--endian <order>", "byte order").choices(["little", "big"]))
    .addOption(new Option("--header <bytes>", "header length").choices(["24", "32"]))
    .option("--layout", "add a layout section, which tells how long records are")
    .option("--no-layout", "leave the layout section out")
    .option("--sort", "types in the order of their names")
    .addHelpText("after", "\nExample:\n  btfkit convert vmlinux.btf --endian big -o vmlinux-be.btf");
}

/** Writes the same BTF in another byte order, with another header, or sorted. */
export async function run(
  file: string | undefined,
  options: ConvertCommandOptions,
  context: Context,
): Promise<ExitCode> {
  const opened = await openInput(file, options);
  const btf = options.sort ? sortByName(opened, { onProgress: context.progress }).btf : opened;
  const wanted: EncodeOptions = {
    ...(options.endian && { endian: options.endian }),
    ...(options.header && { header: Number(options.header) as 24 | 32 }),
    ...(options.layout !== undefined && { layout: options.layout }),
  };
  const bytes = encode(btf, wanted);
  const asJson = options.json || options.pretty;
  if (!asJson || options.output) {
    refuseTerminal(context);
    await context.out.write(bytes);
  }
  const report = {
    version: 1,
    endian: options.endian ?? btf.endian,
    bytes: bytes.length,
    types: btf.size - btf.firstId,
  };
  if (asJson) await context.stdout.write(jsonText(report, options.pretty));
  return 0;
}
