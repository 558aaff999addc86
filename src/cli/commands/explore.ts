import { existsSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { Argument, type Command, InvalidArgumentError, Option } from "commander";
import { ROOT } from "../../archive/store.js";
import { KERNEL_BTF } from "../../node/kernel.js";
import type { CommonOptions, Context, ExitCode } from "../context.js";
import { InputError } from "../exit.js";
import { openBrowser } from "../explore/browser.js";
import { type ServedFile, serveExplorer } from "../explore/server.js";
import { splitBtfIn } from "../module-folder.js";
import { FILE_HELP } from "../options.js";
import { expandPaths } from "../paths.js";

export interface ExploreCommandOptions extends CommonOptions {
  readonly port: number;
  /** False with --no-open. */
  readonly open: boolean;
}

export function define(command: Command): void {
  command
    .addArgument(
      new Argument("[file...]", `${FILE_HELP}, archives, BPF objects (default: the running kernel and its modules)`),
    )
    .addOption(new Option("--port <number>", "port on 127.0.0.1 (default: a free one)").argParser(port).default(0, ""))
    .option("--no-open", "only print the address; open no browser")
    .addHelpText(
      "after",
      "\nServes until it is interrupted (Ctrl-C), to this machine alone.\n\nExamples:\n  btfkit explore\n  btfkit explore vmlinux-6.1 vmlinux-6.12\n  btfkit explore kernels/                    # an archive\n  btfkit explore linux-image.deb probe.bpf.o --no-open",
    );
}

function port(value: string): number {
  const number = Number(value);
  if (/^\d{1,5}$/.test(value) && number <= 65535) return number;
  throw new InvalidArgumentError("It is a number from 0 to 65535.");
}

/** Serves the explorer with these files. */
export async function run(
  paths: readonly string[],
  options: ExploreCommandOptions,
  context: Context,
): Promise<ExitCode> {
  const base = options.base === undefined ? [] : [options.base];
  const files = [...base, ...(paths.length > 0 || base.length > 0 ? paths : [KERNEL_BTF])].flatMap(filesAt);
  await using server = await serveExplorer(files, options.port);
  await context.stdout.write(`${server.url}\n`);
  if (options.open) openBrowser(server.url);
  context.warn("press Ctrl-C to stop");
  await interrupted();
  return 0;
}

/** A file, or the folder of an archive; for a folder of raw BTF such as /sys/kernel/btf, the kernel with the modules beside it. */
function filesAt(path: string): ServedFile[] {
  if (!/[*?]/.test(path) && !existsSync(path)) throw new InputError(`${path}: no such file`);
  if (existsSync(join(path, ROOT))) return [{ name: basename(resolve(path)), file: path, isArchive: true }];
  const kernel = ["vmlinux", "vmlinux.btf"].map((name) => `${path}/${name}`).find((file) => existsSync(file));
  const modules = kernel === undefined ? [] : splitBtfIn(path);
  if (kernel !== undefined) {
    const named = modules.map((file) => ({ name: basename(file), file }));
    return [{ name: basename(kernel), file: kernel, ...(named.length > 0 && { modules: named }) }];
  }
  return expandPaths([path]).map((file) => {
    if (!statSync(file).isFile()) throw new InputError(`${file}: not a file`);
    return { name: basename(file), file };
  });
}

function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGINT", () => resolve()).once("SIGTERM", () => resolve());
  });
}
