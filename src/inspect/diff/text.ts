/** A difference as text: hunks of C with - and + as `diff -u` has them, or Markdown. */

import type { ChangedDefinition, Definition, Difference, Impact, MemberChange, MemberPlace } from "./types.js";
import { DEFINITION_KINDS } from "./types.js";

/** What the two sides are called. */
export interface DifferenceTextOptions {
  /** Name of the old side (default: `old`). */
  readonly oldName?: string;
  /** Name of the new side (default: `new`). */
  readonly newName?: string;
}

/** A declaration of a name with a type that C writes around it. */
function declared(type: string, name: string): string {
  const flat = type.replace(/\s+/g, " ");
  if (!name) return flat;
  const pointer = flat.indexOf("(*");
  if (pointer >= 0) return `${flat.slice(0, pointer + 2)}${name}${flat.slice(pointer + 2)}`;
  const array = flat.indexOf("[");
  const before = array < 0 ? flat : flat.slice(0, array);
  const space = before.endsWith("*") || before.endsWith(" ") ? "" : " ";
  return `${before}${space}${name}${array < 0 ? "" : flat.slice(array)}`;
}

/** An offset or size in bytes, with bits behind a colon where there are some. */
function bytes(bits: number): string {
  return bits % 8 === 0 ? String(bits / 8) : `${Math.floor(bits / 8)}:${bits % 8}`;
}

function memberText({ name, type, bitOffset, bitSize, bitfieldSize }: MemberPlace): string {
  const width = bitfieldSize > 0 ? `:${bitfieldSize}` : "";
  const size = bitSize === undefined ? "?" : bytes(bitSize);
  return `${declared(type, name)}${width}; /* ${bytes(bitOffset)} ${size} */`;
}

function percent(confidence: number | undefined): string {
  return confidence === undefined ? "" : `, ${Math.round(confidence * 100)}% sure`;
}

function movedOnly({ changes }: MemberChange): boolean {
  return changes.length === 1 && changes[0] === "moved";
}

/** Members in a row that moved by the same number of bits, as a line. */
function movedText(run: readonly MemberChange[]): string {
  const [first, last] = [run[0]!, run.at(-1)!];
  const by = first.new!.bitOffset - first.old!.bitOffset;
  const names = run.length === 1 ? first.name : `${first.name} to ${last.name}, ${run.length} members`;
  return ` \t/* moved by ${by > 0 ? "+" : "-"}${bytes(Math.abs(by))}: ${names} */\n`;
}

function* memberLines(members: readonly MemberChange[]): Generator<string> {
  let run: MemberChange[] = [];
  const shift = ({ old, new: now }: MemberChange): number => now!.bitOffset - old!.bitOffset;
  for (const member of members) {
    if (movedOnly(member) && (run.length === 0 || shift(run[0]!) === shift(member))) {
      run.push(member);
      continue;
    }
    if (run.length > 0) yield movedText(run);
    run = movedOnly(member) ? [member] : [];
    if (run.length > 0) continue;
    const note = member.changes.includes("renamed") ? ` /* renamed${percent(member.confidence)} */` : "";
    if (member.old) yield `-\t${memberText(member.old)}\n`;
    if (member.new) yield `+\t${memberText(member.new)}${note}\n`;
  }
  if (run.length > 0) yield movedText(run);
}

function title({ kind, name }: Definition): string {
  return kind === "struct" || kind === "union" || kind === "enum" ? `${kind} ${name}` : name;
}

function* changeLines(change: ChangedDefinition): Generator<string> {
  const size = change.byteSize ? ` ${change.byteSize.old} -> ${change.byteSize.new} bytes` : "";
  const several = change.definitions ? ` ${change.definitions.old} -> ${change.definitions.new} definitions` : "";
  yield `@@ ${change.kind === "struct" || change.kind === "union" || change.kind === "enum" ? "" : `${change.kind} `}${title(change)}${size}${several} @@\n`;
  if (change.members) yield* memberLines(change.members);
  for (const { old, new: now, changes, confidence } of change.enumerators ?? []) {
    const note = changes.includes("renamed") ? ` /* renamed${percent(confidence)} */` : "";
    if (old) yield `-\t${old.name} = ${old.value},\n`;
    if (now) yield `+\t${now.name} = ${now.value},${note}\n`;
  }
  if (change.type) {
    const what = change.kind === "func" ? "returns " : "";
    yield `-\t${what}${change.type.old.replace(/\s+/g, " ")};\n`;
    yield `+\t${what}${change.type.new.replace(/\s+/g, " ")};\n`;
  }
  for (const { old, new: now } of change.parameters ?? []) {
    if (old) yield `-\t${old.index}: ${declared(old.type, old.name)}\n`;
    if (now) yield `+\t${now.index}: ${declared(now.type, now.name)}\n`;
  }
  if (change.impact) yield* impactLines(change.impact);
}

function* impactLines({ embeddedIn, pointers, functions }: Impact): Generator<string> {
  if (embeddedIn.length > 0) yield ` \t/* embedded in ${embeddedIn.length}: ${listed(embeddedIn)} */\n`;
  if (pointers > 0) yield ` \t/* ${pointers} struct${pointers > 1 ? "s point" : " points"} to it */\n`;
  if (functions > 0)
    yield ` \t/* ${functions} function${functions > 1 ? "s take or return" : " takes or returns"} it */\n`;
}

/** Names that a line lists. */
const LISTED = 8;

function listed(names: readonly string[]): string {
  return names.length > LISTED ? `${names.slice(0, LISTED).join(", ")}, …` : names.join(", ");
}

/** Returns the counts of a difference, a line for each kind that has some. */
export function* countLines({ added, removed, changed, renamed }: Difference): Generator<string> {
  for (const kind of DEFINITION_KINDS) {
    const [a, r, c, n] = [added, removed, changed, renamed].map(
      (list) => list.filter((one) => one.kind === kind).length,
    );
    if (!a && !r && !c) continue;
    yield `${kind}: ${a} added, ${r} removed, ${c} changed${n ? `, ${n} of them perhaps renamed` : ""}`;
  }
}

/**
 * Yields a difference as text: `-` and `+` in front of what is gone and what is new, members with offset and size in
 * bytes behind them. Members that merely moved are told together. Nothing for no difference.
 *
 * @example
 * const text = [...differenceText(diff(btf, [btf, module]))].join("");
 * console.log(text.split("\n")[2]); // +struct module_state
 */
export function* differenceText(
  difference: Difference,
  { oldName = "old", newName = "new" }: DifferenceTextOptions = {},
): Generator<string> {
  const { added, removed, changed, renamed } = difference;
  if (added.length + removed.length + changed.length === 0) return;
  yield `--- ${oldName}\n+++ ${newName}\n`;
  const heading = (one: Definition): string => (title(one) === one.name ? `${one.kind} ${one.name}` : title(one));
  const renames = new Map(renamed.map((one) => [`${one.kind} ${one.name}`, one]));
  for (const one of removed) {
    const to = renames.get(`${one.kind} ${one.name}`);
    yield `-${heading(one)}${to ? ` /* perhaps ${to.to}${percent(to.confidence)} */` : ""}\n`;
    if (one.impact) yield* impactLines(one.impact);
  }
  for (const one of added) {
    yield `+${heading(one)}\n`;
    if (one.impact) yield* impactLines(one.impact);
  }
  for (const one of changed) yield* changeLines(one);
  for (const counts of countLines(difference)) yield `# ${counts}\n`;
}

/** Text in a table cell or list of Markdown, as code. */
function code(text: string): string {
  const flat = text.replace(/\s+/g, " ");
  return flat.includes("`") ? flat : `\`${flat}\``;
}

/**
 * Yields a difference as Markdown: the counts as a table, lists of names, and the text of each change.
 *
 * @example
 * console.log([...differenceMarkdown(diff(btf, [btf, module]))].join("").includes("| struct | 1 | 0 | 0 |")); // true
 */
export function* differenceMarkdown(
  difference: Difference,
  { oldName = "old", newName = "new" }: DifferenceTextOptions = {},
): Generator<string> {
  const { added, removed, changed, renamed } = difference;
  yield `# ${code(oldName)} → ${code(newName)}\n\n`;
  if (added.length + removed.length + changed.length === 0) {
    yield "No difference.\n";
    return;
  }
  yield "| kind | added | removed | changed |\n|---|---:|---:|---:|\n";
  for (const kind of DEFINITION_KINDS) {
    const counts = [added, removed, changed].map((list) => list.filter((one) => one.kind === kind).length);
    if (counts.some(Boolean)) yield `| ${kind} | ${counts.join(" | ")} |\n`;
  }
  if (renamed.length > 0) {
    yield "\n## Perhaps renamed\n\n| kind | old | new | sure |\n|---|---|---|---:|\n";
    for (const { kind, name, to, confidence } of renamed) {
      yield `| ${kind} | ${code(name)} | ${code(to)} | ${Math.round(confidence * 100)}% |\n`;
    }
  }
  for (const [heading, list] of [
    ["Removed", removed],
    ["Added", added],
  ] as const) {
    if (list.length === 0) continue;
    yield `\n## ${heading}\n\n`;
    for (const one of list) yield `- ${one.kind} ${code(one.name)}\n`;
  }
  if (changed.length === 0) return;
  yield "\n## Changed\n";
  for (const one of changed) {
    yield `\n### ${one.kind} ${code(one.name)}\n\n\`\`\`diff\n`;
    yield* changeLines(one);
    yield "```\n";
  }
}
