/** Actions of `btfkit archive` that ask: find, history, diff. */
import { anyOf, writeDifference } from "../commands/diff.js";
import { writeHistories } from "../commands/history.js";
import { type Context, type ExitCode, jsonText } from "../context.js";
import { UsageError } from "../exit.js";
import { globExpression, isGlob } from "../pattern.js";
import type { ArchiveOptions } from "./options.js";
import { openArchive } from "./target.js";

/** The version of the shape of --json. */
const SHAPE = 1;

/** A name, a glob or /an expression/. */
function wanted(text: string): string | RegExp {
  const [, source] = /^\/(.*)\/$/.exec(text) ?? [];
  if (source === undefined) return isGlob(text) ? globExpression(text) : text;
  try {
    return new RegExp(source);
  } catch (cause) {
    throw new UsageError(`not a regular expression: ${(cause as Error).message}`);
  }
}

/** Definitions by name, with who has them. */
export async function find(
  place: string,
  patterns: readonly string[],
  options: ArchiveOptions,
  context: Context,
): Promise<ExitCode> {
  const [pattern] = patterns;
  if (patterns.length > 1) throw new UsageError("one pattern: btfkit archive find DIR PATTERN");
  if (pattern === undefined && !options.withMember && !options.size) {
    throw new UsageError("no pattern: btfkit archive find DIR PATTERN");
  }
  const archive = await openArchive(place);
  const kinds = options.kind ?? [undefined];
  const all = archive.kernels.length;
  const definitions: object[] = [];
  let text = "";
  for (const kind of kinds) {
    const query = {
      ...(pattern !== undefined && { name: wanted(pattern) }),
      ...(kind && { kind }),
      ...(options.withMember && { member: wanted(options.withMember) }),
      ...(options.size && { byteSize: options.size }),
    };
    for await (const one of archive.find(query)) {
      definitions.push(one);
      const { kernels, byteSize } = one;
      const who =
        kernels.length === all ? "all" : kernels.length === 1 ? kernels[0] : `${kernels[0]} … ${kernels.at(-1)}`;
      const size = byteSize === undefined ? "" : `  ${byteSize} bytes`;
      text += `${one.kind} ${one.name}${size}  ${kernels.length} of ${all}: ${who}\n`;
    }
  }
  if (options.json || options.pretty)
    await context.out.write(jsonText({ version: SHAPE, definitions }, options.pretty));
  else await context.out.write(text);
  return definitions.length > 0 ? 0 : 1;
}

/** Where members are, kernel by kernel. */
export async function history(
  place: string,
  members: readonly string[],
  options: ArchiveOptions,
  context: Context,
): Promise<ExitCode> {
  if (members.length === 0) throw new UsageError("no members: btfkit archive history DIR TYPE.MEMBER...");
  const archive = await openArchive(place);
  const { distribution, architecture } = options;
  const chosen = archive.kernels.filter(
    (kernel) =>
      (distribution === undefined || kernel.distribution === distribution) &&
      (architecture === undefined || kernel.architecture === architecture),
  );
  const histories = await archive.history(
    members,
    chosen.map(({ id }) => id),
  );
  const kernels = chosen.map(({ id }) => ({ name: id, file: `${place.replace(/\/$/, "")}/${id}` }));
  return await writeHistories(histories, kernels, options, context);
}

/** What changed between two kernels. */
export async function diff(
  place: string,
  ids: readonly string[],
  options: ArchiveOptions,
  context: Context,
): Promise<ExitCode> {
  const [old, now, ...more] = ids;
  if (old === undefined || now === undefined || more.length > 0) {
    throw new UsageError("two kernels: btfkit archive diff DIR OLD NEW");
  }
  const archive = await openArchive(place);
  const { type, ...shown } = options;
  const difference = await archive.diff(old, now, {
    ...(options.kind && { kinds: options.kind }),
    ...(type && { filter: anyOf(type) }),
  });
  return await writeDifference(difference, [old, now], shown, context);
}
