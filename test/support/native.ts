// Small C programs on libbpf, compiled for the test that asks them.
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";

/** Compiles test/native/NAME.c against libbpf and returns the program's path. */
export function nativeProgram(name: string): string {
  mkdirSync("build/native", { recursive: true });
  const program = `build/native/${name}`;
  execFileSync("gcc", ["-O2", "-Wall", "-o", program, `test/native/${name}.c`, "-lbpf", "-lelf", "-lz"]);
  return program;
}
