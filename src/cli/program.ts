/** The program as commander knows it: help, errors and shell completion come from the commands' definitions. */
import { Command } from "commander";
import { COMMANDS, type CommandEntry, type CommandModule } from "./commands.js";
import type { CommonOptions, Context, ExitCode } from "./context.js";
import { addCommonOptions } from "./options.js";

/** Runs a command's action with its context. */
export type Run = (options: CommonOptions, action: (context: Context) => Promise<ExitCode>) => Promise<void>;

/**
 * Returns the program; `run` is called with what a command does.
 *
 * @param commands those that the program has
 * @param areDefined loads their definitions; otherwise they have a name and a description alone
 */
export async function program(
  version: string,
  run: Run,
  commands: readonly CommandEntry[] = COMMANDS,
  areDefined = true,
): Promise<Command> {
  const root = new Command("btfkit")
    .description("BTF (BPF Type Format): look at kernel types, make headers and BTF, relocate and check BPF objects")
    .version(version, "-V, --version", "show the version")
    .helpOption("-h, --help", "show this help")
    .helpCommand(false)
    .showHelpAfterError(false)
    .addHelpText(
      "after",
      "\nbtfkit help COMMAND shows a command's options and examples.\n" +
        "Shell completion: btfkit complete bash|zsh|fish|powershell prints a script to source.",
    )
    .enablePositionalOptions();
  for (const entry of commands) {
    const command = root.command(entry.name).description(entry.description);
    if (!areDefined) continue;
    const module = (await entry.load()) as CommandModule;
    if (entry.isForeign) command.helpOption(false).allowUnknownOption();
    else addCommonOptions(command, module.hasOwnMember);
    module.define(command);
    command.action((...args: unknown[]) => {
      // Arguments, options, and the command itself.
      const options = args.at(-2) as CommonOptions;
      return run(options, (context) => module.run(...args.slice(0, -1), context));
    });
  }
  return root;
}
