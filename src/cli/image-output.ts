/** Writes an image, and what `--json` tells about it. */
import type { Btf } from "../btf/btf.js";
import { encode } from "../edit/build/encode.js";
import { type CommonOptions, type Context, jsonText, type Versioned } from "./context.js";
import { UsageError } from "./exit.js";

/** @throws UsageError where it would go to a terminal */
export function refuseTerminal(context: Context): void {
  if (context.outIsTerminal) throw new UsageError("BTF is binary: name a file with -o, or redirect the output");
}

/** Writes a Btf's bytes. With `--json` and `--output` a report goes to standard output, without `--output` it goes there alone. */
export async function writeImage<T extends Versioned>(
  btf: Btf,
  options: CommonOptions,
  context: Context,
  report: T,
): Promise<void> {
  const asJson = options.json || options.pretty;
  if (!asJson || options.output) {
    refuseTerminal(context);
    await context.out.write(encode(btf));
  }
  if (asJson) await context.stdout.write(jsonText(report, options.pretty));
}

/** Types and bytes before and after: what commands that reshape tell. */
export function shrinkReport(
  inputs: readonly Btf[],
  btf: Btf,
): Versioned & Record<"types" | "bytes", { readonly in: number; readonly out: number }> {
  const types = inputs.reduce((sum, one) => sum + one.size - one.firstId, 0);
  const bytes = inputs.reduce((sum, one) => sum + one.byteLength, 0);
  return { version: 1, types: { in: types, out: btf.size - btf.firstId }, bytes: { in: bytes, out: btf.byteLength } };
}
