/** Arguments and options that several commands have, and readers of their values. */
import { Argument, type Command, InvalidArgumentError, Option } from "commander";

export const FILE_HELP =
  "raw BTF, an ELF file with .BTF, a kernel image, a package or folder with one, any of them packed, or - for standard input";

export const OBJECT_HELP = "BPF object file (ELF), or - for standard input";

/** FILE, which may be left out. */
export const file = (): Argument => new Argument("[file]", `${FILE_HELP} (default: the running kernel's)`);

/** One FILE or more. */
export const files = (): Argument => new Argument("<file...>", FILE_HELP);

/** --module, which may be repeated. */
export function moduleOption(): Option {
  return new Option(
    "-m, --module <file>",
    "a module's BTF, a package or folder of modules, or a folder of raw BTF such as /sys/kernel/btf, searched where the kernel has no candidate; repeatable",
  ).argParser(collect);
}

/**
 * Adds the options that every command takes.
 *
 * @param hasOwnMember leaves --member out, which means something else to the command
 */
export function addCommonOptions(command: Command, hasOwnMember = false): void {
  command.option("-B, --base <file>", "base BTF of a split BTF (a module's)");
  if (!hasOwnMember) {
    command.option(
      "--member <name>",
      "the kernel or module to take of a package or folder: a path, file name or module name",
    );
  }
  command
    .addOption(new Option("--max-size <bytes>", "most that a file may unpack to (default: 1G)").argParser(size))
    .option("-o, --output <file>", "write there instead of to standard output")
    .option("-j, --json", "machine-readable result")
    .option("-p, --pretty", "indented JSON")
    .option("-q, --quiet", "no warnings, no progress")
    .addOption(new Option("--color <when>", "colours").choices(["auto", "always", "never"]).default("auto"))
    .helpOption("-h, --help", "show this help");
}

/** For an option that may be repeated: all its values. */
export function collect(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value];
}

/** Reads a number of bytes, which may end in K, M or G. */
function size(value: string): number {
  const [, digits, unit = ""] = /^(\d{1,12})([KMG]?)(?:i?B)?$/i.exec(value) ?? [];
  if (digits && Number(digits) > 0) return Number(digits) * 1024 ** " KMG".indexOf(unit.toUpperCase() || " ");
  throw new InvalidArgumentError("It is a number of bytes, such as 500000 or 2G.");
}

/** Reads the length of a cacheline in bytes. */
export function cacheline(value: string): number {
  const bytes = Number(value);
  if (/^\d+$/.test(value) && bytes >= 8 && bytes <= 4096 && Number.isInteger(Math.log2(bytes))) return bytes;
  throw new InvalidArgumentError("It is a power of two from 8 to 4096.");
}
