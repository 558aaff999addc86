import { Btf } from "../../btf.js";
import { minimize as minimizeBtf } from "../../core-relocation/minimize.js";
import { BtfRelocationError } from "../../errors.js";
import { type CommonOptions, type Context, type ExitCode, jsonText } from "../context.js";
import { inputError, openTarget, VMLINUX } from "../input.js";
import { openObjectInput } from "../object-input.js";
import { Refused } from "../refused.js";
import { UsageError } from "../usage.js";

export interface MinimizeCommandOptions extends CommonOptions {
  readonly target?: string;
  readonly module?: readonly string[];
}

/** Writes the smallest BTF that objects need. */
export async function minimize(
  files: readonly string[],
  options: MinimizeCommandOptions,
  context: Context,
): Promise<ExitCode> {
  const wantsReport = options.json || options.pretty;
  const writesBtf = options.output !== undefined || !wantsReport;
  if (writesBtf && context.outIsTerminal) throw new UsageError("binary BTF on the terminal: give -o FILE or --json");
  const objects = files.map(openObjectInput);
  const target = await openTarget(options.target, options.module);
  // One by one first, so that what is wrong with one of them is said with its name.
  objects.forEach((object, i) => {
    try {
      void object.ext;
      minimizeBtf([object], target);
    } catch (cause) {
      if (cause instanceof BtfRelocationError) throw new Refused(`${files[i]}: ${cause.message}`, { cause });
      throw inputError(files[i]!, cause);
    }
  });
  const bytes = minimizeBtf(objects, target);
  if (wantsReport) {
    const types = Btf.parse(bytes).size - 1;
    const shown = { objects: files, target: options.target ?? VMLINUX, types, bytes: bytes.length };
    await context.stdout.write(jsonText(shown, options.pretty));
  }
  if (writesBtf) await context.out.write(bytes);
  return 0;
}
