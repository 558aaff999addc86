import { BtfError } from "../../errors.js";
import { type VerifyResult, verify as verifyImage } from "../../verify/verify.js";
import { type CommonOptions, type Context, type ExitCode, jsonText } from "../context.js";
import { InputError, open, openInput, rawBytes } from "../input.js";

export interface VerifyCommandOptions extends CommonOptions {
  readonly kernel?: string;
}

/** Checks files by the rules of a kernel: a line for each finding, exit code 1 if there is one. */
export async function verify(
  files: readonly string[],
  options: VerifyCommandOptions,
  context: Context,
): Promise<ExitCode> {
  const base = options.base === undefined ? undefined : await openInput(options.base, {});
  const rules = {
    onProgress: context.progress,
    ...(options.kernel !== undefined && { kernel: options.kernel }),
    ...(base && { base }),
  };
  const judge = async (file: string): Promise<VerifyResult> => {
    // Standard input can be read once.
    if (file === "-") return verifyImage(rawBytes(file), rules);
    try {
      return verifyImage(await open(file, base), rules);
    } catch (error) {
      if (!(error instanceof BtfError) || error.code === "ERR_INTERNAL" || error.code === "ERR_ARGUMENT") throw error;
      // A kernel may still have an opinion of BTF that libbpf refuses.
      if (error.code.startsWith("ERR_BTF_")) return verifyImage(rawBytes(file), rules);
      const what = error.code === "ERR_FILE" ? error.details.note : error.message;
      throw new InputError(`${file}: ${what}`, { cause: error });
    }
  };
  const results: (VerifyResult & { readonly file: string })[] = [];
  for (const file of files) results.push({ file, ...(await judge(file)) });
  if (options.json || options.pretty) {
    const shown = results.map(({ file, ok, findings }) => ({ file, ok, findings }));
    await context.out.write(jsonText(shown, options.pretty));
  } else {
    for (const { file, findings } of results) {
      for (const { message } of findings) await context.out.write(`${file}: ${message}\n`);
    }
  }
  return results.every(({ ok }) => ok) ? 0 : 1;
}
