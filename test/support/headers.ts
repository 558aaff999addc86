/** Compiles headers that btfkit writes. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Options of `refusals`. */
export interface CompileOptions {
  /** The compiler and its arguments (default: clang-19 for BPF in C17). */
  readonly command?: readonly string[];
  /** What is included after each header. */
  readonly source?: string;
}

const CLANG = ["clang-19", "-target", "bpf", "-std=gnu17"];

/**
 * Returns the first error of each header that does not compile by itself, by its name. Structs that are declared
 * inside a parameter list count as errors.
 */
export function refusals(
  headers: Readonly<Record<string, string>>,
  { command = CLANG, source = "" }: CompileOptions = {},
): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), "btfkit-"));
  try {
    const found: Record<string, string> = {};
    const names = Object.keys(headers);
    const files = names.map((name, i) => {
      const file = join(folder, `${i}.c`);
      writeFileSync(file, headers[name]! + source);
      return file;
    });
    const [program, ...args] = command;
    const visibility = program!.startsWith("clang") ? ["-Werror=visibility"] : [];
    // One call of the compiler takes many files, in a process of its own for each.
    for (let i = 0; i < files.length; i += 200) {
      const some = files.slice(i, i + 200);
      const { stderr, error } = spawnSync(
        program!,
        [...args, "-w", ...visibility, "-fsyntax-only", "-x", "c", ...some],
        { encoding: "utf8", maxBuffer: 1 << 30 },
      );
      if (error) throw error;
      for (const [, file, message] of stderr.matchAll(/^(?:.*\/)?(\d+)\.c:\d+:\d+: (?:fatal )?error: (.*)$/gm)) {
        found[names[Number(file)]!] ??= message!;
      }
    }
    return found;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
