import { Argument, type Command } from "commander";
import { type CommonOptions, type Context, type ExitCode, jsonText } from "../context.js";
import { refuseTerminal } from "../image-output.js";
import { inputError } from "../input-error.js";
import { extractInput, imageOptions } from "../input-file.js";
import { FILE_HELP } from "../options.js";

export function define(command: Command): void {
  command
    .addArgument(new Argument("<image>", FILE_HELP))
    .addHelpText(
      "after",
      "\nExamples:\n  btfkit extract /boot/vmlinuz -o vmlinux.btf\n  btfkit extract linux-image.deb --member nf_conntrack -o nf_conntrack.btf",
    );
}

/** Writes the BTF of a kernel image, a package or a module, byte for byte, and tells the way to it. */
export async function run(file: string, options: CommonOptions, context: Context): Promise<ExitCode> {
  const asJson = options.json || options.pretty;
  if (!asJson || options.output) refuseTerminal(context);
  const {
    bytes,
    steps,
    version: release,
    architecture,
  } = await extractInput(file, imageOptions(options)).catch((cause) => {
    throw inputError(file, cause);
  });
  if (!asJson || options.output) await context.out.write(bytes);
  const report = {
    version: 1,
    file,
    release: release ?? null,
    architecture: architecture ?? null,
    bytes: bytes.length,
    steps,
  };
  if (asJson) await context.stdout.write(jsonText(report, options.pretty));
  return 0;
}
