// What a test needs from outside: where it is missing the test is skipped and
// says why; in CI it fails instead.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { test as base } from "vitest";
import { executables } from "../runtimes/executables.js";

const corpus = new URL("../../../shared/corpus/", import.meta.url);

function runs(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Another runtime, as test/runtimes installs it: the program itself, not npm's wrapper, which a signal would end alone. */
export function runtime(name: "bun" | "deno" | "node 22" | "node 24"): string {
  return executables[name] ?? name;
}

/** What drives browsers is installed with test/runtimes. */
function hasPuppeteer(): boolean {
  return existsSync(new URL("../runtimes/node_modules/puppeteer-core/", import.meta.url));
}

function compiles(source: string): boolean {
  try {
    execFileSync("gcc", ["-x", "c", "-fsyntax-only", "-"], { input: source, stdio: ["pipe", "ignore", "ignore"] });
    return true;
  } catch {
    return false;
  }
}

const checks = {
  bpftool: () => runs("bpftool", "version"),
  pahole: () => runs("pahole", "--version"),
  gdb: () => runs("gdb", "--version"),
  "the corpus in ../shared": () => existsSync(corpus),
  "the running kernel's BTF": () => existsSync("/sys/kernel/btf/vmlinux"),
  "gcc and libbpf-dev": () => compiles("#include <bpf/btf.h>\n"),
  BPF_BTF_LOAD: () => existsSync("/sys/kernel/btf/vmlinux") && process.getuid?.() === 0,
  "clang-14": () => runs("clang-14", "--version"),
  "clang-19": () => runs("clang-19", "--version"),
  "bpf-gcc": () => runs("bpf-gcc", "--version"),
  "llvm-objcopy-19": () => runs("llvm-objcopy-19", "--version"),
  "bpf(2)": () => existsSync("/sys/fs/bpf") && existsSync("/sys/kernel/btf/vmlinux") && runs("bpftool", "prog", "show"),
  tracefs: () => existsSync("/sys/kernel/tracing/events"),
  rustc: () => runs("rustc", "--version"),
  go: () => runs("go", "version"),
  python3: () => runs("python3", "--version"),
  strace: () => runs("strace", "-V"),
  readelf: () => runs("readelf", "--version"),
  mandoc: () => runs("sh", "-c", "command -v mandoc"),
  bash: () => runs("bash", "--version"),
  "node 22": () => runs(runtime("node 22"), "--version"),
  "node 24": () => runs(runtime("node 24"), "--version"),
  bun: () => runs(runtime("bun"), "--version"),
  chromium: () => executables.chromium !== undefined && hasPuppeteer(),
  firefox: () => executables.firefox !== undefined && hasPuppeteer(),
  deno: () => runs(runtime("deno"), "--version"),
  gzip: () => runs("gzip", "--version"),
  tar: () => runs("tar", "--version"),
  xz: () => runs("xz", "--version"),
  zstd: () => runs("zstd", "--version"),
  lz4: () => runs("lz4", "--version"),
  bzip2: () => runs("bzip2", "--help"),
  lzop: () => runs("lzop", "--version"),
  cpio: () => runs("cpio", "--version"),
  genisoimage: () => runs("genisoimage", "-version"),
  // 300 MB from Debian's servers: only where they are asked for.
  "Debian's kernel packages": () =>
    runs("apt-get", "--version") && Boolean(process.env["CI"] ?? process.env["BTFKIT_PACKAGES"]),
  "dpkg-deb": () => runs("dpkg-deb", "--version"),
  "qemu-system-x86_64": () => runs("qemu-system-x86_64", "--version"),
  rpmbuild: () => runs("rpmbuild", "--version"),
};

export type Need = keyof typeof checks;

const known = new Map<Need, boolean>();

function has(need: Need): boolean {
  const found = known.get(need) ?? checks[need]();
  known.set(need, found);
  return found;
}

/** Those of `needs` that are not there. */
export function lacking(...needs: Need[]): Need[] {
  return needs.filter((need) => !has(need));
}

/** A `test` that runs only where all of `needs` are there. */
export function needing(...needs: Need[]): (name: string, body: () => void | Promise<void>) => void {
  const missing = lacking(...needs);
  return (name, body) => {
    if (missing.length === 0) base(name, body);
    else if (process.env["CI"]) {
      base(name, () => {
        throw new Error(`needs ${missing.join(" and ")}`);
      });
    } else base.skip(`${name} (skipped: needs ${missing.join(" and ")})`, () => {});
  };
}

/** A file of the corpus. */
export function corpusPath(name: string): string {
  return new URL(name, corpus).pathname;
}
