import { dumpJson } from "../../dump/json.js";
import { dumpRaw } from "../../dump/raw.js";
import type { CommonOptions, Context, ExitCode } from "../context.js";
import { openInput } from "../input.js";
import { selectTypes } from "../select.js";

export interface DumpCommandOptions extends CommonOptions {
  readonly format?: "raw" | "json";
  readonly type?: readonly string[];
}

/** Writes types as bpftool does. */
export async function dump(file: string | undefined, options: DumpCommandOptions, context: Context): Promise<ExitCode> {
  const btf = await openInput(file, options);
  const selected = {
    ...(options.type && { types: selectTypes(btf, options.type) }),
    onProgress: context.progress,
  };
  // `-p` alone means indented JSON, as bpftool's -p does.
  const json = options.json || options.pretty || options.format === "json";
  const text = json ? dumpJson(btf, { ...selected, pretty: options.pretty ?? false }) : dumpRaw(btf, selected);
  await text.drainAsync((chunk) => context.out.write(chunk));
  return 0;
}
