import { type VerifyResult, verify as verifyImage } from "../../edit/verify/verify.js";
import { BtfError } from "../../errors/error.js";
import { type CommonOptions, type Context, type ExitCode, jsonText } from "../context.js";
import { clearer, inputError, open, openInput, rawBytes } from "../input.js";

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
    try {
      // Standard input may hold what only a kernel has an opinion of.
      if (file === "-") return verifyImage(await rawBytes(file, options), rules);
      return verifyImage(await open(file, base, options), rules);
    } catch (error) {
      if (!(error instanceof BtfError) || error.code === "ERR_INTERNAL" || error.code === "ERR_ARGUMENT") throw error;
      // A kernel may still have an opinion of BTF that libbpf refuses.
      try {
        return verifyImage(await rawBytes(file, options), rules);
      } catch (cause) {
        throw inputError(file, clearer(error, cause));
      }
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
