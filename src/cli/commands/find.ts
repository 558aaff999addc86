import { type Command, InvalidArgumentError, Option } from "commander";
import type { Btf } from "../../btf/btf.js";
import { nearest } from "../../btf/query/nearest.js";
import { KINDS, type Kind } from "../../format/kind.js";
import { type CommonOptions, type Context, type ExitCode, jsonText } from "../context.js";
import { openInput } from "../input.js";
import { file } from "../options.js";
import { expression, globExpression, isGlob } from "../pattern.js";

export interface FindCommandOptions extends CommonOptions {
  readonly kind?: Kind;
}

export function define(command: Command): void {
  command
    .argument("<pattern>", "substring, ^prefix, /regex/, or glob")
    .addArgument(file())
    .addOption(new Option("-k, --kind <kind>", "only this kind").choices(KINDS.slice(1)).argParser(kind))
    .addHelpText("after", "\nExample:\n  btfkit find ^tcp_ -k struct");
}

/** Lists types by name. */
export async function run(
  pattern: string,
  file: string | undefined,
  options: FindCommandOptions,
  context: Context,
): Promise<ExitCode> {
  const matches = matcher(pattern);
  const btf = await openInput(file, options);
  const ids = matches(btf, options.kind);
  if (options.json || options.pretty) {
    const types = Array.from(ids, (id) => ({ id, kind: btf.kindAt(id), name: btf.nameAt(id) }));
    await context.out.write(jsonText(types, options.pretty));
  } else {
    let text = "";
    for (const id of ids) text += `[${id}] ${btf.kindAt(id).toUpperCase()} '${btf.nameAt(id)}'\n`;
    await context.out.write(text);
  }
  return ids.length > 0 ? 0 : 1;
}

type Matcher = (btf: Btf, kind: Kind | undefined) => ArrayLike<number> & Iterable<number>;

/** `/regex/`, `^prefix`, a glob with * ? [ ], or a substring. */
function matcher(pattern: string): Matcher {
  const [, source, flags] = /^\/(.*)\/([imsuv]*)$/.exec(pattern) ?? [];
  if (source !== undefined) return byExpression(expression(source, flags));
  if (isGlob(pattern)) return byExpression(globExpression(pattern));
  const prefix = pattern.startsWith("^");
  const text = prefix ? pattern.slice(1) : pattern;
  return (btf, kind) => btf.searchIds(text, { match: prefix ? "prefix" : "substring", ...(kind && { kind }) });
}

function byExpression(wanted: RegExp): Matcher {
  return (btf, kind) => {
    const ids: number[] = [];
    for (const id of btf.searchIds("", kind ? { kind } : {})) if (wanted.test(btf.nameAt(id))) ids.push(id);
    return ids;
  };
}

/** A kind in either case, as bpftool and as this toolkit spell it. */
function kind(value: string): Kind {
  const found = KINDS.find((one) => one === value.toLowerCase());
  if (found) return found;
  const [near] = nearest(value.toLowerCase(), KINDS);
  throw new InvalidArgumentError(near ? `Did you mean ${near}?` : `Kinds are ${KINDS.slice(1).join(", ")}.`);
}
