// Small C programs on libbpf, compiled for the test that asks them.
import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const compiled = new Map<string, string>();

/** Compiles test/native/NAME.c against libbpf, once for a file of tests, and returns the program's path. */
export function nativeProgram(name: string): string {
  const known = compiled.get(name);
  if (known) return known;
  const program = join(mkdtempSync(join(tmpdir(), "btfkit-")), name);
  execFileSync("gcc", ["-O2", "-Wall", "-o", program, `test/native/${name}.c`, "-lbpf", "-lelf", "-lz"]);
  compiled.set(name, program);
  return program;
}
