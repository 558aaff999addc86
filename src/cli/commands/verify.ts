import type { Command } from "commander";
import { readObject } from "../../bpf/object/object.js";
import type { Btf } from "../../btf/btf.js";
import { fixSections } from "../../edit/reshape/fix-sections.js";
import { type VerifyResult, verify } from "../../edit/verify/verify.js";
import { BtfError } from "../../errors/error.js";
import { typesAsLoaded } from "../../load/plan.js";
import { readBytes } from "../../node/file.js";
import { type CommonOptions, type Context, type ExitCode, jsonText } from "../context.js";
import { openInput } from "../input.js";
import { inputError } from "../input-error.js";
import { clearer, openInputFile, rawBytes } from "../input-file.js";
import { files } from "../options.js";
import { anotherBase, wrongBase } from "../wrong-base.js";

export interface VerifyCommandOptions extends CommonOptions {
  readonly kernel?: string;
}

export function define(command: Command): void {
  command
    .addArgument(files())
    .option("--kernel <version>", "kernel that has to load it, such as 6.1 (default: 6.18)")
    .addHelpText("after", "\nExample:\n  btfkit verify prog.btf --kernel 5.15");
}

/** Checks files by the rules of a kernel: a line for each finding, exit code 1 if there is one. */
export async function run(
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
    const asLoaded = base || file === "-" ? undefined : objectTypes(file);
    if (asLoaded) return verify(asLoaded, rules);
    try {
      // Standard input may hold what only a kernel has an opinion of.
      if (file === "-") return verify(await rawBytes(file, options), rules);
      const btf = await openInputFile(file, base, options);
      const result = verify(btf, rules);
      const reason = result.ok || options.base === undefined ? undefined : wrongBase(btf, file, options.base);
      if (reason !== undefined) context.warn(`${file}: ${reason}`);
      return result;
    } catch (error) {
      if (!(error instanceof BtfError) || error.code === "ERR_INTERNAL" || error.code === "ERR_ARGUMENT") throw error;
      // A kernel may still have an opinion of BTF that libbpf refuses.
      try {
        const result = verify(await rawBytes(file, options), rules);
        if (!result.ok && options.base !== undefined) context.warn(`${file}: ${anotherBase(file, options.base)}`);
        return result;
      } catch (cause) {
        throw inputError(file, clearer(error, cause));
      }
    }
  };
  const results: (VerifyResult & { readonly file: string })[] = [];
  for (const file of files) results.push({ file, ...(await judge(file)) });
  if (options.json || options.pretty) {
    const shown = results.map(({ file, ok, findings }) => ({ version: 1, file, ok, findings }));
    await context.out.write(jsonText(shown, options.pretty));
  } else {
    for (const { file, findings } of results) {
      for (const { message, explanation } of findings) {
        await context.out.write(`${file}: ${message}${explanation ? `: ${explanation}` : ""}\n`);
      }
    }
  }
  return results.every(({ ok }) => ok) ? 0 : 1;
}

/**
 * Returns the BTF of a BPF object with what loaders fill in: sizes of sections,
 * offsets of variables, externs. `undefined` for other files.
 */
function objectTypes(file: string): Btf | Uint8Array | undefined {
  try {
    const object = readObject(readBytes(file));
    return typesAsLoaded(object) ?? fixSections(object);
  } catch (error) {
    if (error instanceof BtfError && error.code !== "ERR_INTERNAL") return undefined;
    throw error;
  }
}
