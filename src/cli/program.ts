/** The commands, their arguments and options: help, errors and shell completion come from these definitions. */
import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { ENGINES } from "../bpf/core-relocation/engines.js";
import { nearest } from "../btf/query/nearest.js";
import { KINDS, type Kind } from "../format/kind.js";
import type { Shard } from "./commands/check.js";
import type { CommonOptions, Context, ExitCode } from "./context.js";

/** Runs a command's action with its context. */
export type Run = (options: CommonOptions, action: (context: Context) => Promise<ExitCode>) => Promise<void>;

const FILE_HELP =
  "raw BTF, an ELF file with .BTF, a kernel image, a package or folder with one, any of them packed, or - for standard input";

const OBJECT_HELP = "BPF object file (ELF), or - for standard input";

function command(name: string, description: string): Command {
  return new Command(name).description(description);
}

/** What CLI tools of this field call them. */
function withCommonOptions(of: Command): Command {
  return of
    .option("-B, --base <file>", "base BTF of a split BTF (a module's)")
    .option("--member <name>", "the kernel or module to take of a package or folder: a path, file name or module name")
    .addOption(new Option("--max-size <bytes>", "most that a file may unpack to (default: 1G)").argParser(size))
    .option("-o, --output <file>", "write there instead of to standard output")
    .option("-j, --json", "machine-readable result")
    .option("-p, --pretty", "indented JSON")
    .option("-q, --quiet", "no warnings, no progress")
    .addOption(new Option("--color <when>", "colours").choices(["auto", "always", "never"]).default("auto"))
    .helpOption("-h, --help", "show this help");
}

const file = (): Argument => new Argument("[file]", `${FILE_HELP} (default: the running kernel's)`);

/**
 * The program; `run` is called with what a command does.
 *
 * @param only the one command that is wanted: making all of them takes milliseconds
 */
export function program(version: string, run: Run, only?: string): Command {
  const root = command(
    "btfkit",
    "BTF (BPF Type Format): look at kernel types, make headers and BTF, relocate and check BPF objects",
  )
    .version(version, "--version", "show the version")
    .helpOption("-h, --help", "show this help")
    .helpCommand(false)
    .showHelpAfterError(false)
    .addHelpText("after", "\nShell completion: btfkit complete bash|zsh|fish prints a script to source.")
    .enablePositionalOptions();
  const define = (name: string, make: () => Command): void => {
    if (only === undefined || only === name) root.addCommand(make());
  };

  define("dump", () =>
    withCommonOptions(command("dump", "write types as bpftool does"))
      .addArgument(new Argument("[files...]", `${FILE_HELP}; several are merged (default: the running kernel's)`))
      .addOption(new Option("-f, --format <format>", "output format").choices(["raw", "json", "c"]).default("raw"))
      .option("-t, --type <type>", "only this type: an id, a name, a glob, or KIND:name; repeatable", collect)
      .option("--unsorted", "c: in the order of ids, as `format c unsorted`")
      .addOption(new Option("--compat <tool>", "c: copy what this version gets wrong").choices(["bpftool-7.8"]))
      .option("--for <object>", "c: only what this BPF object uses, with all that it needs; repeatable", collect)
      .option("--exclude <glob>", "c: leave these types out where they are not needed by value; repeatable", collect)
      .option("--no-kfuncs", "c: no prototypes of kernel functions")
      .option("--kfunc <name>", "c: the prototype of this kernel function alone; repeatable", collect)
      .option("--guard <name>", "c: name of the include guard (default: __VMLINUX_H__)")
      .option("--no-preserve-access-index", "c: no relocatable accesses (CO-RE)")
      .option("--annotate", "c: comments with offsets and sizes in bytes")
      .addHelpText(
        "after",
        "\nExamples:\n  btfkit dump vmlinux -t struct:task_struct -t 1\n  btfkit dump -f c -o vmlinux.h",
      )
      .action((paths, options) =>
        run(options, async (to) => (await import("./commands/dump.js")).dump(paths, options, to)),
      ),
  );
  define("stat", () =>
    withCommonOptions(command("stat", "show counts and bytes by kind, header, byte order, pointer size"))
      .addArgument(file())
      .addHelpText("after", "\nExample:\n  btfkit stat /sys/kernel/btf/vmlinux")
      .action((path, options) =>
        run(options, async (to) => (await import("./commands/stat.js")).stat(path, options, to)),
      ),
  );
  define("find", () =>
    withCommonOptions(command("find", "list types by name"))
      .argument("<pattern>", "substring, ^prefix, /regex/, or glob")
      .addArgument(file())
      .addOption(new Option("-k, --kind <kind>", "only this kind").choices(KINDS.slice(1)).argParser(kind))
      .addHelpText("after", "\nExample:\n  btfkit find ^tcp_ -k struct")
      .action((pattern, path, options) =>
        run(options, async (to) => (await import("./commands/find.js")).find(pattern, path, options, to)),
      ),
  );
  define("extract", () =>
    withCommonOptions(command("extract", "write the BTF out of a kernel image, a package or a module, as it is"))
      .addArgument(new Argument("<image>", FILE_HELP))
      .addHelpText(
        "after",
        "\nExamples:\n  btfkit extract /boot/vmlinuz -o vmlinux.btf\n  btfkit extract linux-image.deb --member nf_conntrack -o nf_conntrack.btf",
      )
      .action((path, options) =>
        run(options, async (to) => (await import("./commands/extract.js")).extract(path, options, to)),
      ),
  );
  define("ext", () =>
    withCommonOptions(command("ext", "list the func, line and CO-RE records of a BPF object's .BTF.ext"))
      .argument("<object>", OBJECT_HELP)
      .addHelpText("after", "\nExample:\n  btfkit ext probe.bpf.o --json")
      .action((path, options) =>
        run(options, async (to) => (await import("./commands/ext.js")).ext(path, options, to)),
      ),
  );
  define("relocate", () =>
    withCommonOptions(command("relocate", "apply a BPF object's CO-RE relocations for a kernel"))
      .argument("<object>", OBJECT_HELP)
      .option("-t, --target <file>", "the kernel's BTF (default: the running kernel's)")
      .option(
        "-m, --module <file>",
        "a module's BTF, or a package or folder of modules, searched where the kernel has no candidate; repeatable",
        collect,
      )
      .option("-k, --keep-records", "leave the relocation records in, to look at: loaders would relocate again")
      .option("-e, --explain", "say for each relocation what was searched, what matched, and why")
      .addOption(new Option("--engine <engine>", "whose rules to follow").choices(ENGINES).default("libbpf"))
      .addHelpText(
        "after",
        "\nExample:\n  btfkit relocate probe.bpf.o --target vmlinux.btf -o probe.relocated.o --explain",
      )
      .action((path, options) =>
        run(options, async (to) => (await import("./commands/relocate.js")).relocate(path, options, to)),
      ),
  );
  define("minimize", () =>
    withCommonOptions(command("minimize", "write the smallest BTF that BPF objects need on a kernel"))
      .argument("<objects...>", OBJECT_HELP)
      .option("-t, --target <file>", "the kernel's BTF (default: the running kernel's)")
      .option(
        "-m, --module <file>",
        "a module's BTF, or a package or folder of modules, searched where the kernel has no candidate; repeatable",
        collect,
      )
      .addHelpText("after", "\nExample:\n  btfkit minimize probe.bpf.o --target vmlinux.btf -o probe.btf")
      .action((paths, options) =>
        run(options, async (to) => (await import("./commands/minimize.js")).minimize(paths, options, to)),
      ),
  );
  define("dedup", () =>
    withCommonOptions(command("dedup", "write one BTF with equal types and strings once"))
      .addArgument(files())
      .addHelpText(
        "after",
        "\nExamples:\n  btfkit dedup prog.bpf.o -o prog.btf\n  btfkit dedup a.ko b.ko -B vmlinux -o modules.btf",
      )
      .action((paths, options) =>
        run(options, async (to) => (await import("./commands/dedup.js")).dedup(paths, options, to)),
      ),
  );
  define("merge", () =>
    withCommonOptions(command("merge", "write the types of several files as one BTF, equal ones once"))
      .addArgument(files())
      .option("--no-dedup", "keep equal types, as btf__add_btf does")
      .addHelpText("after", "\nExample:\n  btfkit merge a.bpf.o b.bpf.o -o both.btf --json")
      .action((paths, options) =>
        run(options, async (to) => (await import("./commands/merge.js")).merge(paths, options, to)),
      ),
  );
  define("check", () =>
    withCommonOptions(command("check", "say which BPF objects load on which kernels, and why not"))
      .argument("<objects...>", "BPF object files, folders of them, or patterns")
      .option("-t, --target <files...>", "kernels' BTF: files, folders, patterns (default: the running kernel's)")
      .option(
        "-m, --module <file>",
        "a module's BTF, or a package or folder of modules, searched where the kernel has no candidate; repeatable",
        collect,
      )
      .addOption(
        new Option("--rodata <values>", "what .rodata holds when programs are loaded: a loader may set it before")
          .choices(["unknown", "initial"])
          .default("unknown"),
      )
      .option("--kconfig <file>", "the kernel's configuration and version, for .kconfig externs")
      .option("--markdown", "the table as Markdown")
      .option("--junit <file>", "write a JUnit report there too")
      .option("--sarif <file>", "write a SARIF report there too")
      .option("--expect <file>", "an earlier --json: fail only where something became worse")
      .addOption(new Option("--shard <i/n>", "only part i of n of the matrix").argParser(shard))
      .addOption(new Option("--jobs <n>", "threads (default: one per core where the matrix is large)").argParser(jobs))
      .option("--progress", "say on standard error how far it is, also where that is no terminal")
      .addOption(new Option("--engine <engine>", "whose rules to follow").choices(ENGINES).default("libbpf"))
      .addHelpText(
        "after",
        "\nExit code 1 if an object breaks on a target; with --expect if a cell became worse.\n\nExample:\n  btfkit check probes/*.bpf.o --target kernels/ --junit report.xml",
      )
      .action((paths, options) =>
        run(options, async (to) => (await import("./commands/check.js")).check(paths, options, to)),
      ),
  );
  define("verify", () =>
    withCommonOptions(command("verify", "check BTF by the rules of a kernel that loads it"))
      .addArgument(files())
      .option("--kernel <version>", "kernel that has to load it, such as 6.1 (default: 6.18)")
      .addHelpText("after", "\nExample:\n  btfkit verify prog.btf --kernel 5.15")
      .action((paths, options) =>
        run(options, async (to) => (await import("./commands/verify.js")).verify(paths, options, to)),
      ),
  );
  define("convert", () =>
    withCommonOptions(command("convert", "write the same BTF in another byte order, header or order of types"))
      .addArgument(file())
      .addOption(new Option("--endian <order>", "byte order").choices(["little", "big"]))
      .addOption(new Option("--header <bytes>", "header length").choices(["24", "32"]))
      .option("--layout", "add a layout section, which tells how long records are")
      .option("--no-layout", "leave the layout section out")
      .option("--sort", "types in the order of their names")
      .addHelpText("after", "\nExample:\n  btfkit convert vmlinux.btf --endian big -o vmlinux-be.btf")
      .action((path, options) =>
        run(options, async (to) => (await import("./commands/convert.js")).convert(path, options, to)),
      ),
  );
  define("distill", () =>
    withCommonOptions(command("distill", "give a split BTF a small base of its own"))
      .addArgument(new Argument("<file>", "split BTF, such as a module's"))
      .option("--base-output <file>", "where the distilled base goes (needed with -o)")
      .addHelpText("after", "\nExample:\n  btfkit distill mod.ko -B vmlinux -o mod.btf --base-output mod.base.btf")
      .action((path, options) =>
        run(options, async (to) => (await import("./commands/distill.js")).distill(path, options, to)),
      ),
  );
  define("rebase", () =>
    withCommonOptions(command("rebase", "move a split BTF to another base"))
      .addArgument(new Argument("<file>", "split BTF, such as a module's"))
      .requiredOption("-N, --new-base <file>", "the base to move it to")
      .addHelpText(
        "after",
        "\nExample:\n  btfkit rebase mod.btf -B mod.base.btf -N /sys/kernel/btf/vmlinux -o moved.btf",
      )
      .action((path, options) =>
        run(options, async (to) => (await import("./commands/rebase.js")).rebase(path, options, to)),
      ),
  );
  define("sanitize", () =>
    withCommonOptions(command("sanitize", "replace what an older kernel does not know"))
      .addArgument(file())
      .requiredOption("--kernel <version|features>", "a version such as 5.4, or a list of features: func,datasec …")
      .addHelpText("after", "\nExample:\n  btfkit sanitize prog.bpf.o --kernel 5.4 -o prog-5.4.btf")
      .action((path, options) =>
        run(options, async (to) => (await import("./commands/sanitize.js")).sanitize(path, options, to)),
      ),
  );
  return root;
}

const files = (): Argument => new Argument("<file...>", FILE_HELP);

function collect(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value];
}

/** `2/5`: the second of five parts. */
function shard(value: string): Shard {
  const [, index, count] = (/^([1-9]\d{0,5})\/([1-9]\d{0,5})$/.exec(value) ?? []).map(Number) as [
    number,
    number?,
    number?,
  ];
  if (index && count && index <= count) return { index, count };
  throw new InvalidArgumentError("It is i/n with 1 ≤ i ≤ n, such as 2/5.");
}

function jobs(value: string): number {
  if (/^[1-9]\d?$/.test(value)) return Number(value);
  throw new InvalidArgumentError("It is a number from 1 to 99.");
}

/** A number of bytes, with K, M or G behind it. */
function size(value: string): number {
  const [, digits, unit = ""] = /^(\d{1,12})([KMG]?)(?:i?B)?$/i.exec(value) ?? [];
  if (digits && Number(digits) > 0) return Number(digits) * 1024 ** " KMG".indexOf(unit.toUpperCase() || " ");
  throw new InvalidArgumentError("It is a number of bytes, such as 500000 or 2G.");
}

/** A kind in either case, as bpftool and as this toolkit spell it. */
function kind(value: string): Kind {
  const found = KINDS.find((one) => one === value.toLowerCase());
  if (found) return found;
  const [near] = nearest(value.toLowerCase(), KINDS);
  throw new InvalidArgumentError(near ? `Did you mean ${near}?` : `Kinds are ${KINDS.slice(1).join(", ")}.`);
}
