/** What is compared with, where it is installed: bpftool, a C compiler with libbpf, Bun, Deno. */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import process from "node:process";

const BUILD = "build/bench";

/** Standard output of a command, trimmed; `undefined` where it is absent or fails. */
function ask(command, ...args) {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined;
  }
}

/** The first of several commands that runs. */
const firstThatRuns = (commands, ...args) => commands.find((command) => ask(command, ...args) !== undefined);

/** Runtimes by name: how they start a script, with their version. npm's wrappers are left out of the measurement. */
function findRuntimes() {
  const modules = "test/runtimes/node_modules";
  // npm may not have run the install script that puts Bun in the place of its stub.
  const itself = { bun: [`${modules}/@oven/bun-${process.platform}-${process.arch}/bin/bun`] };
  const installed = (name) => firstThatRuns([...(itself[name] ?? []), `${modules}/.bin/${name}`, name], "--version");
  const runtimes = { Node: { command: [process.execPath], version: process.version } };
  const bun = installed("bun");
  if (bun) {
    runtimes.Bun = { command: [ask(bun, "-e", "console.log(process.execPath)")], version: ask(bun, "--version") };
  }
  const deno = installed("deno");
  if (deno) {
    const path = ask(deno, "eval", "console.log(Deno.execPath())");
    runtimes.Deno = { command: [path, "run", "--allow-all"], version: ask(deno, "--version").split(/\s/)[1] };
  }
  return runtimes;
}

/** Compiles one of our C programs; `undefined` where that fails. */
function compileNative(name, libraries = [], folder = "bench/native") {
  const program = `${BUILD}/${name}`;
  const args = ["-O2", "-Wall", "-o", program, `${folder}/${name}.c`, ...libraries];
  return ask("gcc", ...args) === undefined ? undefined : program;
}

/** Flags for libbpf; PKG_CONFIG_PATH chooses another one than the system's. */
const libbpfFlags = () => ask("pkg-config", "--cflags", "--libs", "libbpf")?.split(/\s+/) ?? ["-lbpf"];

export function findTools() {
  mkdirSync(BUILD, { recursive: true });
  const bpftool = firstThatRuns(["bpftool", "/usr/sbin/bpftool"], "version");
  const libraries = [...libbpfFlags(), "-lelf", "-lz"];
  const libbpf = compileNative("libbpf", libraries);
  return {
    bpftool,
    pahole: firstThatRuns(["pahole"], "--version"),
    bpftoolVersion: bpftool && ask(bpftool, "version").split("\n")[0].replace("bpftool v", ""),
    libbpf,
    libbpfVersion: libbpf && ask(libbpf, "--version").replace("v", ""),
    dedup: compileNative("dedup", libraries, "test/native"),
    loader: compileNative("loader", libraries),
    append: compileNative("append", libraries),
    launch: compileNative("launch"),
    // It answers system calls in libbpf's place: the symbol has to be seen from there.
    relocate: compileNative("relocate", [...libraries, "-rdynamic", "-ldl"]),
    runtimes: findRuntimes(),
  };
}
