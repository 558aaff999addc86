/** The command line: reads arguments, runs a command, turns what is thrown into one line and an exit code. */
import { CommanderError } from "commander";
import { BtfError, BtfInternalError, BtfLookupError } from "../errors/error.js";
import { COMMANDS } from "./commands.js";
import type { CommonOptions, Context, ExitCode } from "./context.js";
import { EXIT, InputError, Refused, UsageError } from "./exit.js";
import { ClosedPipe, type Output, openOutput } from "./output.js";
import { program } from "./program.js";

/** Streams and settings of the process. */
export interface Host {
  readonly version: string;
  /** Descriptor of standard output. */
  readonly stdout: number;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /** Width of the terminal that is standard output. */
  columns?(): number | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  writeError(text: string): void;
}

/** Progress is shown for work that takes longer, in milliseconds. */
const PROGRESS_AFTER = 500;

/** Characters in a line where standard output is no terminal. */
const COLUMNS = 100;

/** Runs one command line (without the program's name) and returns the exit code. */
export async function main(given: readonly string[], host: Host): Promise<number> {
  let code: number = EXIT.ok;
  let output: Output | undefined;
  let progressShown = false;

  const contextFor = (options: CommonOptions): Context => {
    // The clock of `performance` takes a millisecond to load.
    const elapsed = (): number => process.uptime() * 1000;
    const started = elapsed();
    let tenths = 0;
    output = openOutput(options.output, host.stdout);
    const toStdout = options.output === undefined || options.output === "-";
    return {
      out: output,
      stdout: toStdout ? output : openOutput(undefined, host.stdout),
      outIsTerminal: toStdout && host.stdoutIsTerminal,
      get columns() {
        return (toStdout && host.stdoutIsTerminal && host.columns?.()) || COLUMNS;
      },
      color: options.color === "always" || (options.color === "auto" && toStdout && wantsColor(host)),
      warn: (line) => {
        if (!options.quiet) host.writeError(`btfkit: ${line}\n`);
      },
      writeError: host.writeError,
      version: host.version,
      progress: (done, total, what = "types") => {
        if (options.progress && !options.quiet && !host.stderrIsTerminal) {
          const tenth = Math.floor((10 * done) / total);
          if (tenth > tenths) host.writeError(`${done} of ${total} ${what}\n`);
          tenths = tenth;
          return;
        }
        // A dump to the terminal shows its progress by itself.
        if (options.quiet || (host.stdoutIsTerminal && !options.output)) return;
        if (elapsed() - started < PROGRESS_AFTER || !host.stderrIsTerminal) return;
        progressShown = true;
        host.writeError(`\r${Math.floor((100 * done) / total)}% of ${total} ${what}`);
      },
    };
  };

  const run = async (options: CommonOptions, action: (context: Context) => Promise<ExitCode>): Promise<void> => {
    code = await action(contextFor(options));
    await output?.commit();
  };

  const args = spelledOut(given);
  const [first = ""] = args;
  // A command does without the others; the help of the program and suggestions need the names of all.
  const named = COMMANDS.filter(({ name }) => name === first);
  const isNamed = named.length > 0;
  const root = await program(host.version, run, isNamed ? named : COMMANDS, isNamed || first === "complete");
  let help = "";
  for (const command of [root, ...root.commands]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => {
        help += text;
      },
      // Said once, below.
      writeErr: () => {},
    });
  }
  try {
    if (first === "complete") {
      const { complete } = await import("./completion.js");
      await openOutput(undefined, host.stdout).write(complete(root, args.slice(1)));
      return EXIT.ok;
    }
    await root.parseAsync(args, { from: "user" });
    if (progressShown) host.writeError("\r\x1b[K");
    return code;
  } catch (error) {
    output?.abandon();
    if (progressShown) host.writeError("\r\x1b[K");
    if (error instanceof ClosedPipe) return EXIT.ok;
    if (error instanceof CommanderError && error.exitCode === 0) {
      await openOutput(undefined, host.stdout)
        .write(help)
        .catch(() => {});
      return EXIT.ok;
    }
    const { exit, line } = explain(error);
    host.writeError(`btfkit: ${line.replace(/\s*\n\s*/g, " ")}\n`);
    return exit;
  }
}

/** NO_COLOR and FORCE_COLOR come before what standard output is. */
function wantsColor({ env, stdoutIsTerminal }: Host): boolean {
  if (env["NO_COLOR"]) return false;
  const { FORCE_COLOR } = env as { FORCE_COLOR?: string };
  return FORCE_COLOR === undefined ? stdoutIsTerminal : FORCE_COLOR !== "0" && FORCE_COLOR !== "false";
}

/** A bare call is a call for help; `help` and `help COMMAND` are other spellings of `--help`. */
function spelledOut(args: readonly string[]): readonly string[] {
  if (args.length === 0) return ["--help"];
  if (args[0] !== "help") return args;
  const [, command] = args;
  // A name that is no command is refused as one, with the nearest.
  return command === undefined || COMMANDS.some(({ name }) => name === command)
    ? [...args.slice(1, 2), "--help"]
    : [command];
}

/** The one line that says what is wrong, and the exit code that goes with it. */
function explain(error: unknown): { exit: number; line: string } {
  if (error instanceof CommanderError) return { exit: EXIT.usage, line: error.message.replace(/^error: /, "") };
  if (error instanceof UsageError) return { exit: EXIT.usage, line: error.message };
  if (error instanceof InputError) return { exit: EXIT.input, line: error.message };
  if (error instanceof Refused) return { exit: EXIT.no, line: error.message };
  if (error instanceof BtfLookupError) return { exit: EXIT.no, line: error.message };
  if (error instanceof BtfError && !(error instanceof BtfInternalError)) {
    return { exit: EXIT.input, line: error.message };
  }
  const text = error instanceof Error ? error.message : String(error);
  return { exit: EXIT.bug, line: `${text} (a bug: please report it with the input and the command)` };
}
