import { readFileSync } from "node:fs";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { DiffOptions } from "../../inspect/diff/diff.js";
import { DEFINITION_KINDS, type Definition, type DefinitionKind, type Difference } from "../../inspect/diff/types.js";
import type { CommonOptions, Context, ExitCode } from "../context.js";
import { InputError, UsageError } from "../exit.js";
import { openKernelInput } from "../kernel-input.js";
import { collect, FILE_HELP } from "../options.js";
import { globExpression } from "../pattern.js";
import { styler } from "../style.js";

export interface DiffCommandOptions extends CommonOptions {
  readonly type?: readonly string[];
  readonly kind?: readonly DefinitionKind[];
  readonly ignore?: readonly string[];
  readonly impact?: boolean;
  readonly markdown?: boolean;
}

export function define(command: Command): void {
  command
    .argument("<old>", `${FILE_HELP}, with its modules`)
    .argument("<new>", "the same of the newer kernel")
    .option("-t, --type <type>", "only this type: a name, a glob, or KIND:name; repeatable", collect)
    .addOption(
      new Option("-k, --kind <kind>", `only this kind: ${DEFINITION_KINDS.join(", ")}; repeatable`).argParser(kinds),
    )
    .option("--ignore <file>", "leave out what a line of this file names: KIND NAME.MEMBER, globs; repeatable", collect)
    .option("--impact", "say who embeds, points to and takes what has changed")
    .option("--markdown", "Markdown")
    .addHelpText(
      "after",
      "\nExit code 1 if there is a difference.\n\nExamples:\n  btfkit diff vmlinux-6.1 vmlinux-6.12 -k struct\n  btfkit diff old.deb new.deb -t task_struct --impact\n  btfkit diff a.ko b.ko -B vmlinux --json",
    );
}

export function kinds(value: string, earlier: readonly DefinitionKind[] = []): DefinitionKind[] {
  const wanted = value.split(",").map((text) => {
    const name = text.trim().toLowerCase();
    const found = DEFINITION_KINDS.find((kind) => kind === (name === "enum64" ? "enum" : name));
    if (found) return found;
    throw new InvalidArgumentError(`Kinds are ${DEFINITION_KINDS.join(", ")}.`);
  });
  return [...earlier, ...wanted];
}

/** The version of the shape of --json. */
const SHAPE = 1;

/** Shows what changed. */
export async function run(
  oldPath: string,
  newPath: string,
  options: DiffCommandOptions,
  context: Context,
): Promise<ExitCode> {
  const asJson = options.json || options.pretty;
  if (asJson && options.markdown) throw new UsageError("--json and --markdown: choose one");
  const ignored = rules(options.ignore ?? []);
  const filter = options.type && anyOf(options.type);
  const old = await openKernelInput(oldPath, options, context.warn);
  const now = await openKernelInput(newPath, options, context.warn);
  const { diff } = await import("../../inspect/diff/diff.js");
  const settings: DiffOptions = {
    ...(options.kind && { kinds: options.kind }),
    ...((filter || options.ignore) && { filter: (one) => (!filter || filter(one)) && !ignored.whole(one) }),
    ...(ignored.parts && { ignore: ignored.parts }),
    impact: options.impact ?? false,
  };
  const [before, after] = [old, now].map(({ sources }) => sources.map(({ btf }) => btf));
  const difference = diff(before!, after!, settings);
  return await writeDifference(difference, [oldPath, newPath], options, context);
}

/** Writes a difference as text, Markdown or JSON. */
export async function writeDifference(
  difference: Difference,
  [oldPath, newPath]: readonly [string, string],
  options: DiffCommandOptions,
  context: Context,
): Promise<ExitCode> {
  const { added, removed, changed } = difference;
  if (options.json || options.pretty) {
    const side = (name: string, rest: object): object => ({ file: name, ...rest });
    const result = {
      version: SHAPE,
      ...difference,
      old: side(oldPath, difference.old),
      new: side(newPath, difference.new),
    };
    await context.out.write(
      `${JSON.stringify(result, (_, value: unknown) => (typeof value === "bigint" ? exact(value) : value), options.pretty ? 2 : 0)}\n`,
    );
  } else {
    const { differenceMarkdown, differenceText } = await import("../../inspect/diff/text.js");
    const names = { oldName: oldPath, newName: newPath };
    const { red, green, dim } = styler(context.color);
    let chunks: string[] = [];
    for (const chunk of (options.markdown ? differenceMarkdown : differenceText)(difference, names)) {
      if (options.markdown || !context.color) chunks.push(chunk);
      else chunks.push((chunk.startsWith("-") ? red : chunk.startsWith("+") ? green : dim)(chunk));
      if (chunks.length < AT_ONCE) continue;
      await context.out.write(chunks.join(""));
      chunks = [];
    }
    await context.out.write(chunks.join(""));
  }
  return added.length + removed.length + changed.length > 0 ? 1 : 0;
}

/** Pieces of text that are written at once. */
const AT_ONCE = 1 << 12;

/** A number where JSON's readers have it exactly, digits where not. */
function exact(value: bigint): number | string {
  return BigInt(Number(value)) === value && Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}

/** Whether a definition is among those that -t names. */
export function anyOf(wanted: readonly string[]): (definition: Definition) => boolean {
  const tests = wanted.map((text) => {
    const [, prefix, name = text] = /^(\w+)(?::|\s+)(.+)$/.exec(text) ?? [];
    const kind = prefix === "enum64" ? "enum" : prefix?.toLowerCase();
    const expression = globExpression(name);
    return (one: Definition): boolean => (kind === undefined || kind === one.kind) && expression.test(one.name);
  });
  return (one) => tests.some((test) => test(one));
}

interface Ignored {
  readonly whole: (definition: Definition) => boolean;
  readonly parts?: (definition: Definition, part: string) => boolean;
}

/** What the lines of ignore files name: `[KIND] NAME[.MEMBER]`, all of them globs; # starts a comment. */
function rules(files: readonly string[]): Ignored {
  const whole: ((definition: Definition) => boolean)[] = [];
  const parts: ((definition: Definition, part: string) => boolean)[] = [];
  for (const file of files) {
    let text: string;
    try {
      text = readFileSync(file, "utf8");
    } catch (cause) {
      throw new InputError(`${file}: ${(cause as Error).message}`, { cause });
    }
    text.split("\n").forEach((line, i) => {
      const rule = line.replace(/#.*/, "").trim();
      if (!rule) return;
      const [, kind, name, member] = /^(?:(\w+)\s+)?([^\s.]+|\.\S+?)(?:\.(\S+))?$/.exec(rule) ?? [];
      if (name === undefined || (kind && kind !== "enum64" && !DEFINITION_KINDS.some((known) => known === kind))) {
        throw new InputError(`${file}: line ${i + 1} is no rule: ${rule}; it is like: struct NAME.MEMBER`);
      }
      const isMeant = anyOf([kind ? `${kind}:${name}` : name]);
      if (member === undefined) whole.push(isMeant);
      else {
        const expression = globExpression(member);
        parts.push((one, part) => expression.test(part) && isMeant(one));
      }
    });
  }
  return {
    whole: (one) => whole.some((rule) => rule(one)),
    ...(parts.length > 0 && { parts: (one: Definition, part: string) => parts.some((rule) => rule(one, part)) }),
  };
}
