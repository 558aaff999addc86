// The running kernel, as bpftool and as the built command line see it.
import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { main } from "../../src/cli/main.js";

/** What a command line came to. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** Runs Debian's bpftool. */
export function theirs(...args: string[]): Ran {
  const { status, stdout, stderr } = spawnSync("bpftool", args, { encoding: "latin1", maxBuffer: 1 << 28 });
  return { code: status ?? -1, out: stdout, error: stderr };
}

/** Runs the command line in this process. */
export async function ours(...args: string[]): Promise<Ran> {
  const folder = mkdtempSync(join(tmpdir(), "btfkit-"));
  const path = join(folder, "out");
  const fd = openSync(path, "w");
  let error = "";
  try {
    const code = await main(args, {
      version: "test",
      stdout: fd,
      stdoutIsTerminal: false,
      stderrIsTerminal: false,
      env: {},
      writeError: (text) => {
        error += text;
      },
    });
    return { code, out: readFileSync(path, "latin1"), error };
  } finally {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  }
}

/** A folder of the BPF file system for one file of tests, and what is pinned in it. */
export class Pinned {
  readonly folder: string;

  constructor(name: string) {
    this.folder = `/sys/fs/bpf/btfkit-${name}-${process.pid}`;
  }

  path(name: string): string {
    return `${this.folder}/${name}`;
  }

  /** Loads all programs of a C source with bpftool, and pins them and their maps. */
  load(source: string): void {
    const object = compiledBpf(source);
    execFileSync("mkdir", ["-p", this.folder]);
    execFileSync("bpftool", ["prog", "loadall", object, this.folder, "pinmaps", this.path("maps")]);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Compiles test/native/NAME.bpf.c, and returns the object's path. */
export function compiledBpf(name: string, ...options: string[]): string {
  const object = join(mkdtempSync(join(tmpdir(), "btfkit-")), `${name}.o`);
  execFileSync("clang-19", [
    "-g",
    "-O2",
    "-target",
    "bpf",
    ...options,
    "-c",
    `test/native/${name}.bpf.c`,
    "-o",
    object,
  ]);
  return object;
}

/** How many descriptors of the BPF subsystem this process has open. */
export function bpfDescriptors(): number {
  let count = 0;
  for (const name of readdirSync("/proc/self/fd")) {
    try {
      if (/bpf|btf/.test(readlinkSync(`/proc/self/fd/${name}`))) count++;
    } catch {
      // That of the folder itself, which is closed by now.
    }
  }
  return count;
}
