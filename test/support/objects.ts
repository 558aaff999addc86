// BPF objects for tests: those of the corpus, and some compiled from our C.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BpfObject, readObject } from "btfkit/bpf";
import { readBytes } from "btfkit/node";
import { corpusPath } from "./needs.js";

const compiled = mkdtempSync(join(tmpdir(), "btfkit-"));
const folder = corpusPath("objects");

/** File names of the corpus's objects; `["objects"]` where there is no corpus. */
export const objectNames: readonly string[] = existsSync(folder) ? readdirSync(folder).sort() : ["objects"];

export function corpusObject(name: string): BpfObject {
  return readObject(readFileSync(`${folder}/${name}`));
}

/** Compiles test/native/NAME.bpf.c and returns the object's path. */
export function compileObject(name: string, target: "bpfel" | "bpfeb" = "bpfel", ...flags: string[]): string {
  const object = `${compiled}/${name}.${target}${flags.join("").replace(/[^\w]/g, "_")}.o`;
  execFileSync("clang-19", ["-target", target, "-g", "-O2", ...flags, "-c", `test/native/${name}.bpf.c`, "-o", object]);
  return object;
}

/** Compiles test/native/NAME.bpf.c with another compiler than clang-19. */
export function compileWith(compiler: string, name: string, ...flags: string[]): string {
  const object = `${compiled}/${name}.${compiler}${flags.join("").replace(/[^\w]/g, "_")}.o`;
  const own = compiler === "bpf-gcc" ? ["-gbtf", "-mco-re"] : ["-target", "bpfel", "-g"];
  execFileSync(compiler, [...own, "-O2", "-w", ...flags, "-c", `test/native/${name}.bpf.c`, "-o", object]);
  return object;
}

/** Compiles C source for BPF and returns the object's path. */
export function compileSource(name: string, source: string, target: "bpfel" | "bpfeb" = "bpfel"): string {
  const object = `${compiled}/${name}.${target}.o`;
  execFileSync("clang-19", ["-target", target, "-g", "-O2", "-w", "-x", "c", "-c", "-", "-o", object], {
    input: source,
  });
  return object;
}

/** Opens the BPF object in a file. */
export function openObject(path: string): BpfObject {
  return readObject(readBytes(path));
}
