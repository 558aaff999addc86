/** `btfkit complete`: the completion script of a shell, and the candidates that such a script asks for. */
import type { Command, Option } from "commander";
import { SCRIPTS } from "./completion-scripts.js";
import { UsageError } from "./exit.js";

/** What may stand at the place of the word that is completed. */
interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** Returns what `btfkit complete ARGS` prints. @throws UsageError */
export function complete(root: Command, args: readonly string[]): string {
  const [shell = "", ...words] = args;
  if (shell === "--") {
    const lines = candidates(root, joinAssignments(words)).map(
      ({ value, description }) => `${value}\t${description}\n`,
    );
    return lines.join("");
  }
  const script = SCRIPTS[shell];
  if (script === undefined) throw new UsageError(`complete takes one of ${Object.keys(SCRIPTS).join(", ")}`);
  return script;
}

/** bash takes `--format=raw` apart at the equals sign. */
function joinAssignments(words: readonly string[]): string[] {
  const joined: string[] = [];
  for (const word of words) {
    if (word === "=" && joined.at(-1)?.startsWith("--")) joined.push("");
    else if (joined.length > 1 && joined.at(-1) === "" && joined.at(-2)?.startsWith("--"))
      joined[joined.length - 1] = word;
    else joined.push(word);
  }
  return joined;
}

/** Returns the candidates for the last of `words`, which may be empty. None means a file name. */
function candidates(root: Command, words: readonly string[]): Candidate[] {
  const current = (words.at(-1) ?? "").trim();
  const before = words.slice(0, -1);
  const starting = (list: readonly Candidate[]): Candidate[] => list.filter(({ value }) => value.startsWith(current));
  const command = root.commands.find((one) => one.name() === before[0]);
  if (!command) {
    if (before.length > 0) return [];
    return starting([...commandsOf(root), ...optionsOf(root)]);
  }
  if (before.includes("--")) return [];
  const option = optionAt(command, before.at(-1));
  if (option?.required) return starting(valuesOf(option));
  const [, name, value] = /^(--[\w-]+)=(.*)$/.exec(current) ?? [];
  if (name !== undefined && value !== undefined) {
    const wanted = valuesOf(optionAt(command, name)).filter((one) => one.value.startsWith(value));
    return wanted.map((one) => ({ ...one, value: `${name}=${one.value}` }));
  }
  return current.startsWith("-") ? starting(optionsOf(command)) : [];
}

const commandsOf = (root: Command): Candidate[] =>
  root.commands.map((command) => ({ value: command.name(), description: command.description() }));

function optionsOf(command: Command): Candidate[] {
  const options = command.createHelp().visibleOptions(command);
  return options.map(({ long, short, description }) => ({ value: long ?? short ?? "", description }));
}

const optionAt = (command: Command, word: string | undefined): Option | undefined =>
  command.options.find(({ long, short }) => word !== undefined && (word === long || word === short));

const valuesOf = (option: Option | undefined): Candidate[] =>
  (option?.argChoices ?? []).map((value) => ({ value, description: option?.description ?? "" }));
