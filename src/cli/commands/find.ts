import { existsSync } from "node:fs";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Btf } from "../../btf/btf.js";
import { declaration } from "../../btf/dump/declaration.js";
import { nearest } from "../../btf/query/nearest.js";
import type { BtfType } from "../../btf/types.js";
import { KINDS, type Kind } from "../../format/kind.js";
import { attempt } from "../../inspect/leaves.js";
import type { Relations, Tracepoint } from "../../inspect/relations/relations.js";
import { type CommonOptions, type Context, type ExitCode, jsonText } from "../context.js";
import { UsageError } from "../exit.js";
import { openKernelInput, type Source } from "../kernel-input.js";
import { FILE_HELP } from "../options.js";
import { expandPaths } from "../paths.js";
import { expression, globExpression, isGlob } from "../pattern.js";

export interface FindCommandOptions extends CommonOptions {
  readonly kind?: Kind;
  readonly size?: SizeRange;
  readonly embeds?: string;
  readonly deep?: boolean;
  readonly pointsTo?: string;
  readonly takes?: string;
  readonly returns?: string;
  readonly holes?: number | true;
  readonly kfuncs?: boolean;
  readonly tracepoints?: boolean;
  readonly structOps?: boolean;
}

/** Here --member means members of structs; a package is searched whole. */
export const hasOwnMember = true;

export function define(command: Command): void {
  command
    .argument(
      "[pattern]",
      "substring, ^prefix, suffix$, ^name$, /regex/, or glob; with an option below it may be left out",
    )
    .argument("[files...]", `${FILE_HELP}, with their modules (default: the running kernel and its modules)`)
    .addOption(new Option("-k, --kind <kind>", "only this kind").choices(KINDS.slice(1)).argParser(kind))
    .addOption(new Option("--size <range>", "only this size in bytes: 64, '>4096', '<=16', 64-128").argParser(size))
    .option("--embeds <type>", "structs that hold this type by value, arrays of it too")
    .option("--deep", "with --embeds: also inside of what they hold")
    .option("--points-to <type>", "structs with a pointer to this type")
    .option("--takes <type>", "functions that take this type, by value or through pointers")
    .option("--returns <type>", "functions that return this type, by value or through pointers")
    .option("--member <name>", "structs with a member of this name: a name, or a glob")
    .addOption(new Option("--holes [bytes]", "structs with holes, of that many bytes or more in all").argParser(holes))
    .option("--kfuncs", "kernel functions that BPF programs may call, with their flags")
    .option("--tracepoints", "tracepoints with their arguments")
    .option("--struct-ops", "structs of operations that BPF programs may fill in")
    .addHelpText(
      "after",
      "\nExit code 1 if nothing is found.\n\nExamples:\n  btfkit find ^tcp_ -k struct\n  btfkit find --embeds list_head --size '>4096'\n  btfkit find '*' vmlinux --takes bpf_prog",
    );
}

/** A size that is asked for, both ends included. */
interface SizeRange {
  readonly least: number;
  readonly most: number;
}

/** Reads a size or a range of sizes in bytes. */
export function size(value: string): SizeRange {
  const [, sign, text, upper] =
    /^(>=|<=|>|<|=)?\s*(0x[0-9a-f]+|\d+)(?:\s*(?:-|\.\.)\s*(0x[0-9a-f]+|\d+))?$/i.exec(value.trim()) ?? [];
  const bytes = Number(text);
  if (text !== undefined && !(sign && upper)) {
    if (upper !== undefined) return { least: bytes, most: Number(upper) };
    if (sign === ">") return { least: bytes + 1, most: Infinity };
    if (sign === ">=") return { least: bytes, most: Infinity };
    if (sign === "<") return { least: 0, most: bytes - 1 };
    if (sign === "<=") return { least: 0, most: bytes };
    return { least: bytes, most: bytes };
  }
  throw new InvalidArgumentError("It is a number of bytes such as 64, '>4096', '<=16' or 64-128.");
}

function holes(value: string): number {
  if (/^\d{1,9}$/.test(value) && Number(value) > 0) return Number(value);
  throw new InvalidArgumentError("It is a number of bytes.");
}

/** A kind in either case, as bpftool and as this toolkit spell it. */
function kind(value: string): Kind {
  const found = KINDS.find((one) => one === value.toLowerCase());
  if (found) return found;
  const [near] = nearest(value.toLowerCase(), KINDS);
  throw new InvalidArgumentError(near ? `Did you mean ${near}?` : `Kinds are ${KINDS.slice(1).join(", ")}.`);
}

/** What is known of a type that was found. */
interface Details {
  /** Of a tracepoint or struct_ops: the name that it goes by. */
  alias?: string;
  /** Of a tracepoint: what it hands over. */
  signature?: string;
  /** Paths of the members for which it was found. */
  members?: readonly string[];
  /** Of a kfunc: its tags. */
  flags?: readonly string[];
  /** Bytes in holes. */
  holeBytes?: number;
}

interface Hit {
  readonly source: Source;
  readonly type: BtfType;
  readonly details: Details;
}

/** Lists types by name, size, and what they have to do with others. */
export async function run(
  first: string | undefined,
  rest: readonly string[],
  options: FindCommandOptions,
  context: Context,
): Promise<ExitCode> {
  const filtered = FILTERS.some((name) => options[name] !== undefined);
  if (options.deep && options.embeds === undefined) throw new UsageError("--deep goes with --embeds");
  // With an option that says what to look for, an argument that is a file is no pattern.
  const isFile = first !== undefined && filtered && rest.length === 0 && (first === "-" || existsSync(first));
  const pattern = isFile ? undefined : first;
  const files = isFile ? [first] : rest;
  if (pattern === undefined && !filtered) throw new UsageError("no pattern: btfkit find PATTERN [FILE...]");
  const matches = pattern === undefined ? undefined : matcher(pattern);
  const { member: _, ...opening } = options;
  const kernels: Awaited<ReturnType<typeof openKernelInput>>[] = [];
  for (const file of files.length > 0 ? files.flatMap(filesOf) : [undefined]) {
    kernels.push(await openKernelInput(file, opening, context.warn));
  }
  const sources = kernels.flatMap((kernel) => kernel.sources);
  const hits: Hit[] = [];
  for (const { sources: own } of kernels) hits.push(...(await findIn(own, matches, options)));
  if (options.json || options.pretty) {
    const types = hits.map((hit) => ({ version: 1, ...plain(hit, sources.length > 1) }));
    await context.out.write(jsonText(types, options.pretty));
  } else {
    let text = "";
    for (const hit of hits) text += line(hit, sources.length > 1);
    await context.out.write(text);
  }
  if (hits.length > 0) return 0;
  context.warn(nothing(pattern, options, sources));
  return 1;
}

const FILTERS = [
  "size",
  "embeds",
  "pointsTo",
  "takes",
  "returns",
  "member",
  "holes",
  "kfuncs",
  "tracepoints",
  "structOps",
] as const;

/** A pattern of a shell stands for files; a folder is a kernel with its modules. */
function filesOf(file: string): string[] {
  return /[*?]/.test(file) && !existsSync(file) ? expandPaths([file]) : [file];
}

async function findIn(
  sources: readonly Source[],
  matches: Matcher | undefined,
  options: FindCommandOptions,
): Promise<Hit[]> {
  const tables = await tablesOf(
    sources.map(({ btf }) => btf),
    options,
  );
  const hits: Hit[] = [];
  for (const source of sources) {
    const { btf } = source;
    // A single split shows its base's types too.
    const from = sources.length > 1 ? btf.firstId : 1;
    const candidates = tables.length > 0 ? [...tables[0]!.keys()].filter((type) => type.btf === btf) : undefined;
    const ids = candidates ? undefined : (matches?.ids ?? allIds)(btf, options.kind);
    const types = candidates ?? Array.from(ids!, (id) => btf.get(id)!);
    for (const type of types.sort((a, b) => a.id - b.id)) {
      if (type.id < from || (options.kind && type.kind !== options.kind)) continue;
      if (options.size && !isInRange(type, options.size)) continue;
      const details = tables.map((table) => table.get(type));
      if (details.includes(undefined)) continue;
      const [alias] = details.flatMap((one) => one?.alias ?? []);
      if (candidates && matches && !matches.test(type.name) && !(alias !== undefined && matches.test(alias))) continue;
      hits.push({ source, type, details: merged(details as Details[]) });
    }
  }
  return hits;
}

/** Facts of all options; members are read only here, for what has passed all of them. */
function merged(all: readonly Details[]): Details {
  const details: Details = {};
  for (const { members, flags, holeBytes, alias, signature } of all) {
    if (members) details.members = [...(details.members ?? []), ...members];
    if (flags) details.flags = flags;
    if (holeBytes !== undefined) details.holeBytes = holeBytes;
    if (alias !== undefined) details.alias = alias;
    if (signature !== undefined) details.signature = signature;
  }
  return details;
}

function isInRange(type: BtfType, { least, most }: SizeRange): boolean {
  return "byteSize" in type && type.byteSize >= least && type.byteSize <= most;
}

type DetailTable = Map<BtfType, Details>;

/** The types that each of the options asks for. */
async function tablesOf(btfs: readonly Btf[], options: FindCommandOptions): Promise<DetailTable[]> {
  const asked = FILTERS.filter((name) => name !== "size" && options[name] !== undefined);
  if (asked.length === 0) return [];
  const { relations } = await import("../../inspect/relations/relations.js");
  const index = relations(btfs);
  return asked.map((name) => tableOf(index, name, options));
}

function tableOf(index: Relations, name: (typeof FILTERS)[number], options: FindCommandOptions): DetailTable {
  switch (name) {
    case "embeds":
      return new Map(
        index.holders(options.deep ? "embeds-deep" : "embeds", options.embeds!).map((one) => [one.type, one]),
      );
    case "pointsTo":
      return new Map(index.holders("points-to", options.pointsTo!).map((one) => [one.type, one]));
    case "takes":
    case "returns":
      return new Map(index.functions(name, options[name]!).map((func) => [func, {}]));
    case "member": {
      const wanted = options.member!;
      const test = isGlob(wanted) ? globExpression(wanted) : undefined;
      const isWanted = test ? (text: string) => test.test(text) : (text: string) => text === wanted;
      return new Map(index.withMember(isWanted).map((one) => [one.type, one]));
    }
    case "holes":
      return new Map(
        index
          .withHoles(options.holes === true ? 1 : options.holes!)
          .map(({ type, holeBytes }) => [type, { holeBytes }]),
      );
    case "kfuncs":
      return new Map(index.kfuncs().map(({ func, flags }) => [func, { flags }]));
    case "tracepoints":
      return new Map(index.tracepoints().map((one) => [one.type, { alias: one.name, signature: tracepointText(one) }]));
    default:
      return new Map(index.structOps().map(({ name: alias, type }) => [type, { alias }]));
  }
}

/** A function as C declares it. */
function signatureOf(type: BtfType): string | undefined {
  return type.kind === "func" ? attempt(() => declaration(type.proto, { name: type.name })) : undefined;
}

/** A tracepoint as a function of what it hands over. */
function tracepointText({ name, args }: Tracepoint): string {
  const text = args.map((arg) => attempt(() => declaration(arg.type, { name: arg.name })) ?? arg.name);
  return `${name}(${text.join(", ")})`;
}

function plain({ source, type, details }: Hit, withFile: boolean): Record<string, unknown> {
  const signature = details.signature ?? signatureOf(type);
  const { members, flags, holeBytes } = details;
  return {
    id: type.id,
    kind: type.kind,
    name: type.name,
    ...("byteSize" in type && { byteSize: type.byteSize }),
    ...(signature && { signature }),
    ...(members && { members }),
    ...(flags && { flags }),
    ...(holeBytes !== undefined && { holeBytes }),
    ...(withFile && { file: source.file }),
  };
}

function line({ source, type, details }: Hit, withFile: boolean): string {
  const signature = details.signature ?? signatureOf(type);
  const { members, flags, holeBytes } = details;
  const facts = [
    `[${type.id}] ${type.kind.toUpperCase()} '${type.name}'`,
    "byteSize" in type ? `size=${type.byteSize}` : "",
    signature ? signature.replace(/\s+/g, " ") : "",
    members?.length ? `members: ${members.join(", ")}` : "",
    flags?.length ? `flags: ${flags.join(", ")}` : "",
    holeBytes === undefined ? "" : `holes=${holeBytes}`,
    withFile ? `(${source.file})` : "",
  ];
  return `${facts.filter(Boolean).join(" ")}\n`;
}

/** Says what was looked for, and where. */
function nothing(pattern: string | undefined, options: FindCommandOptions, sources: readonly Source[]): string {
  const [first, ...modules] = sources.map(({ file }) => file);
  const where = modules.length > 0 ? `${first} and ${modules.length} module${modules.length > 1 ? "s" : ""}` : first;
  const types = sources.reduce((sum, { btf }) => sum + btf.image.count, 0);
  const what = pattern === undefined ? "no such type" : `no ${options.kind ?? "type"} matches ${pattern}`;
  const name = pattern?.replace(/^\^|\$$/g, "") ?? "";
  const near = /^\w+$/.test(name) ? nearest(name, namesOf(sources)) : [];
  const hint = near.length > 0 ? `; did you mean ${near.map((one) => `"${one}"`).join(", ")}?` : "";
  return `${what}: searched ${types} types of ${where}${hint}`;
}

function* namesOf(sources: readonly Source[]): Generator<string> {
  for (const { btf } of sources) for (let id = btf.firstId; id < btf.size; id++) yield btf.nameAt(id);
}

/** Types by a pattern, and names. */
interface Matcher {
  ids(btf: Btf, kind: Kind | undefined): Iterable<number>;
  test(name: string): boolean;
}

function allIds(btf: Btf, kind: Kind | undefined): Iterable<number> {
  return btf.searchIds("", kind ? { kind } : {});
}

/**
 * `/regex/`, `^prefix`, `suffix$`, `^name$`, a glob with * ? [ ], or a substring; what is anchored and more than a name
 * is a regular expression.
 */
function matcher(pattern: string): Matcher {
  const [, source, flags] = /^\/(.*)\/([imsuv]*)$/.exec(pattern) ?? [];
  if (source !== undefined) return byExpression(expression(source, flags));
  const isAnchored = pattern.startsWith("^") || pattern.endsWith("$");
  const [, prefix] = /^\^([^$.*+?()[\]{}|\\]*)$/.exec(pattern) ?? [];
  if (isAnchored && prefix === undefined) return byExpression(expression(pattern));
  if (isGlob(pattern)) return byExpression(globExpression(pattern));
  const text = prefix ?? pattern;
  return {
    ids: (btf, kind) =>
      btf.searchIds(text, { match: prefix === undefined ? "substring" : "prefix", ...(kind && { kind }) }),
    test: (name) => (prefix === undefined ? name.includes(text) : name.startsWith(text)),
  };
}

function byExpression(wanted: RegExp): Matcher {
  return {
    *ids(btf, kind) {
      for (const id of allIds(btf, kind)) if (wanted.test(btf.nameAt(id))) yield id;
    },
    test: (name) => wanted.test(name),
  };
}
