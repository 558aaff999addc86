// Compilers and interpreters that judge generated code. Debian's, whatever else is on the path.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const folder = mkdtempSync(join(tmpdir(), "btfkit-generate-"));

/** Debian's program, or the one on the path. */
export function debian(name: string): string {
  return existsSync(`/usr/bin/${name}`) ? `/usr/bin/${name}` : name;
}

let files = 0;

/** Runs a program on a file with this text; throws what it says where it fails. */
function judge(name: string, text: string, command: string, args: (file: string) => string[]): string {
  const file = join(folder, `g${files++}_${name}`);
  writeFileSync(file, text);
  try {
    return execFileSync(command, args(file), { cwd: folder, encoding: "utf8", maxBuffer: 1 << 28, stdio: "pipe" });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command}: ${`${stdout}${stderr}`.slice(0, 2000)}`, { cause: error });
  }
}

export function gcc(text: string, ...flags: string[]): void {
  judge("c.c", text, "gcc", (file) => ["-fsyntax-only", "-w", ...flags, file]);
}

export function clang(text: string, target: string): void {
  judge("c.c", text, "clang-19", (file) => ["-fsyntax-only", "-w", `--target=${target}`, file]);
}

export function rustc(text: string): void {
  const flags = ["--crate-type", "lib", "--edition", "2021", "--emit=metadata", "-D", "warnings", "-A", "dead_code"];
  judge("rust.rs", text, debian("rustc"), (file) => [...flags, "-o", `${file}.rmeta`, file]);
}

export function go(text: string): void {
  judge("go.go", text, "go", (file) => ["vet", file]);
}

/** Runs the module, with lines behind it. */
export function python(text: string, more = ""): string {
  return judge("python.py", `${text}\n${more}`, debian("python3"), (file) => [file]);
}

/** Compiles modules of TypeScript strictly, all at once, and returns the paths of the JavaScript. */
export function tscAll(texts: readonly string[]): string[] {
  const paths = texts.map((text) => {
    const path = join(folder, `t${files++}.mts`);
    writeFileSync(path, text);
    return path;
  });
  const strict = [
    "--strict",
    "--noUncheckedIndexedAccess",
    "--exactOptionalPropertyTypes",
    "--noUnusedLocals",
    "--noUnusedParameters",
  ];
  const options = ["--ignoreConfig", ...strict, "--target", "es2022", "--module", "nodenext", "--lib", "es2022,dom"];
  judge("unused", "", resolve("node_modules/.bin/tsc"), () => [...options, ...paths]);
  return paths.map((path) => path.replace(/\.mts$/, ".mjs"));
}

/** As `tscAll`, for a single module. */
export function tsc(text: string): string {
  return tscAll([text])[0]!;
}
