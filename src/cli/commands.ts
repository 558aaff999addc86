/** The commands, in the order in which help lists them. */
import type { Command } from "commander";
import type { Context, ExitCode } from "./context.js";

/** What a file of `commands/` exports. */
export interface CommandModule {
  /** Adds arguments, options and an example. */
  define(command: Command): void;
  /** --member is the command's: it takes packages whole. */
  readonly hasOwnMember?: boolean;
  /** Does the work: it gets the arguments, the options, and the context. */
  run(...args: [...unknown[], Context]): Promise<ExitCode>;
}

export interface CommandEntry {
  readonly name: string;
  readonly description: string;
  /** It takes another tool's arguments, all of which it reads by itself. */
  readonly isForeign?: true;
  /** The file is loaded for its command alone: all of them take milliseconds. */
  readonly load: () => Promise<unknown>;
}

/** To add a command, write `commands/NAME.ts`, add it here, and run `node scripts/build/manifest.mjs`. */
export const COMMANDS: readonly CommandEntry[] = [
  { name: "dump", description: "write types as bpftool does", load: () => import("./commands/dump.js") },
  {
    name: "stat",
    description: "show counts and bytes by kind, header, byte order, pointer size",
    load: () => import("./commands/stat.js"),
  },
  {
    name: "find",
    description: "list types by name, size, and what they have to do with others",
    load: () => import("./commands/find.js"),
  },
  {
    name: "at",
    description: "show the member at an offset of a struct",
    load: () => import("./commands/at.js"),
  },
  {
    name: "diff",
    description: "show what changed in the types from one kernel to another",
    load: () => import("./commands/diff.js"),
  },
  {
    name: "history",
    description: "show where members are, kernel by kernel",
    load: () => import("./commands/history.js"),
  },
  {
    name: "layout",
    description: "show where members lie, holes and cachelines, as pahole does, as JSON or as a picture",
    load: () => import("./commands/layout.js"),
  },
  {
    name: "pack",
    description: "say what another order of members would save, best first",
    load: () => import("./commands/pack.js"),
  },
  {
    name: "decode",
    description: "write bytes as values of their type: as C, as JSON, or beside the bytes",
    load: () => import("./commands/decode.js"),
  },
  {
    name: "encode",
    description: "write a value as bytes of its type",
    load: () => import("./commands/encode.js"),
  },
  {
    name: "generate",
    description: "write types as TypeScript, C, Rust, Go, Python, or as volatility's symbols",
    load: () => import("./commands/generate.js"),
  },
  {
    name: "explore",
    description: "show kernels, layouts and differences in a browser, from this machine alone",
    load: () => import("./commands/explore.js"),
  },
  {
    name: "extract",
    description: "write the BTF out of a kernel image, a package or a module, as it is",
    load: () => import("./commands/extract.js"),
  },
  {
    name: "ext",
    description: "list the func, line and CO-RE records of a BPF object's .BTF.ext",
    load: () => import("./commands/ext.js"),
  },
  {
    name: "relocate",
    description: "apply a BPF object's CO-RE relocations for a kernel",
    load: () => import("./commands/relocate.js"),
  },
  {
    name: "load",
    description: "load a BPF object and pin it, or show what loading it on a kernel takes",
    load: () => import("./commands/load.js"),
  },
  {
    name: "run",
    description: "load a BPF object, attach its programs and print its events",
    load: () => import("./commands/run.js"),
  },
  {
    name: "minimize",
    description: "write the smallest BTF that BPF objects need on a kernel",
    load: () => import("./commands/minimize.js"),
  },
  {
    name: "dedup",
    description: "write one BTF with equal types and strings once",
    load: () => import("./commands/dedup.js"),
  },
  {
    name: "merge",
    description: "write the types of several files as one BTF, equal ones once",
    load: () => import("./commands/merge.js"),
  },
  {
    name: "check",
    description: "say which BPF objects load on which kernels, and why not",
    load: () => import("./commands/check.js"),
  },
  {
    name: "verify",
    description: "check BTF by the rules of a kernel that loads it",
    load: () => import("./commands/verify.js"),
  },
  {
    name: "convert",
    description: "write the same BTF in another byte order, header or order of types",
    load: () => import("./commands/convert.js"),
  },
  {
    name: "distill",
    description: "give a split BTF a small base of its own",
    load: () => import("./commands/distill.js"),
  },
  { name: "rebase", description: "move a split BTF to another base", load: () => import("./commands/rebase.js") },
  {
    name: "sanitize",
    description: "replace what an older kernel does not know",
    load: () => import("./commands/sanitize.js"),
  },
  {
    name: "archive",
    description: "keep many kernels in one folder, each definition once",
    load: () => import("./commands/archive.js"),
  },
  {
    name: "pahole",
    description: "take pahole's own arguments and print what pahole 1.31 prints of BTF",
    isForeign: true,
    load: () => import("./commands/pahole.js"),
  },
  {
    name: "bpftool",
    description: "take bpftool's own arguments and print what bpftool prints of the running kernel",
    isForeign: true,
    load: () => import("./commands/bpftool.js"),
  },
  {
    name: "ps",
    description: "list the running kernel's programs: what they are attached to, how long they ran, who holds them",
    load: () => import("./commands/ps.js"),
  },
  { name: "map", description: "watch a map of the running kernel", load: () => import("./commands/map.js") },
];
