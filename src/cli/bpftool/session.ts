/** What the commands of the drop-in share: the options, where output goes, and how bpftool fails. */
import { lstatSync, readdirSync, readFileSync, statSync } from "node:fs";
import { errnoText } from "../../live/errno.js";
import { BtfSystemError } from "../../live/error.js";
import type { Kernel } from "../../live/kernel.js";
import type { Output } from "../output.js";
import { JsonWriter } from "./json-writer.js";

/** A failure that has bpftool's words: `Error: …`, or an object with `--json`. */
export class ToolError extends Error {
  /** What bpftool's function returns; the exit code is its lowest byte. */
  readonly result: number;

  constructor(message: string, result = -1) {
    super(message);
    this.result = result;
  }
}

/** The usage is shown, and the exit code is bpftool's for a failure. */
export class Usage extends Error {}

/** What is not built here: exit code 2. */
export class Missing extends Error {}

/** Options that come before, between or after the arguments. */
export interface ToolOptions {
  readonly isJson: boolean;
  readonly isPretty: boolean;
  /** -f: list the paths where objects are pinned. */
  readonly showsPins: boolean;
  /** -n: mount no BPF file system. */
  readonly mountsNothing: boolean;
  /** -B: the base of a split BTF. */
  readonly baseBtf: string | undefined;
}

/** Text that is kept before it is written, in characters. */
const FLUSH_AT = 1 << 16;

/** One run of the tool. */
export class Session {
  readonly options: ToolOptions;
  /** The JSON of the whole output; undefined without --json. */
  readonly json: JsonWriter | undefined;
  readonly #output: Output;
  readonly #writeError: (text: string) => void;
  readonly #open: () => Promise<Kernel>;
  #kernel: Kernel | undefined;
  #text = "";

  constructor(options: ToolOptions, output: Output, writeError: (text: string) => void, open: () => Promise<Kernel>) {
    this.options = options;
    this.json = options.isJson ? new JsonWriter(options.isPretty) : undefined;
    this.#output = output;
    this.#writeError = writeError;
    this.#open = open;
  }

  /** The kernel, opened when it is first asked for. */
  async kernel(): Promise<Kernel> {
    this.#kernel ??= await this.#open();
    return this.#kernel;
  }

  /** Appends to the output, where that is no JSON. */
  print(text: string): void {
    this.#text += text;
  }

  /** Writes bytes at once, after what has been collected. */
  async write(bytes: Uint8Array): Promise<void> {
    await this.flush(true);
    await this.#output.write(bytes);
  }

  /** Writes what has been collected, if it is much or if `all` is asked for. */
  async flush(all = false): Promise<void> {
    if (this.json && (all || this.json.text.length > FLUSH_AT)) await this.#output.write(this.json.take());
    if (this.#text.length > (all ? 0 : FLUSH_AT)) {
      await this.#output.write(this.#text);
      this.#text = "";
    }
  }

  /** Reports a failure, as bpftool's p_err: the command may go on. */
  error(message: string): void {
    if (this.json) this.json.startObject().name("error").raw(`"${message}"`).endObject();
    else this.#writeError(`Error: ${message}\n`);
  }

  /** A remark on standard error; none with --json. */
  info(message: string): void {
    if (!this.json) this.#writeError(`${message}\n`);
  }

  /** Shows how a command is used. */
  usage(text: string): void {
    if (this.json) this.json.raw("null");
    else this.#writeError(text);
  }

  /** JSON's null where a command succeeds without a word. */
  succeed(): void {
    this.json?.raw("null");
  }

  close(): void {
    this.#kernel?.[Symbol.dispose]();
  }
}

/** Reports whether `prefix` abbreviates `word`. */
export function abbreviates(prefix: string | undefined, word: string): boolean {
  return prefix !== undefined && word.startsWith(prefix);
}

/**
 * Reads a number as C's strtoul with base 0 does: hexadecimal with `0x`, octal
 * with `0`.
 *
 * @returns undefined if anything else follows; 0 for an empty text
 */
export function parseNumber(text: string, base = 0): number | undefined {
  const [, sign = "", body = ""] = /^\s*([+-]?)(.*)$/s.exec(text) ?? [];
  if (body === "" && text === "") return 0;
  const isHex = /^0x[\da-f]/i.test(body) && (base === 0 || base === 16);
  const radix = base !== 0 ? base : isHex ? 16 : body.startsWith("0") ? 8 : 10;
  const digits = isHex ? body.slice(2) : body;
  const valid = radix === 16 ? /^[\da-f]+$/i : radix === 8 ? /^[0-7]+$/ : /^\d+$/;
  if (!valid.test(digits)) return undefined;
  const value = Number.parseInt(digits, radix);
  return sign === "-" ? -value : value;
}

/** Takes arguments one after the other. */
export class Arguments {
  readonly #all: readonly string[];
  #at: number;

  constructor(all: readonly string[], at = 0) {
    this.#all = all;
    this.#at = at;
  }

  /** How many are left. */
  get count(): number {
    return this.#all.length - this.#at;
  }

  /** The next one, which stays. */
  get current(): string | undefined {
    return this.#all[this.#at];
  }

  /** The one before the next: the command's name at the start. */
  get previous(): string {
    return this.#all[this.#at - 1] ?? "";
  }

  peek(ahead: number): string | undefined {
    return this.#all[this.#at + ahead];
  }

  /** Takes the next. */
  take(): string | undefined {
    return this.#all[this.#at++];
  }

  /** Leaves the next out. @throws Usage if there is none */
  skip(count = 1): void {
    this.#at += count;
    if (this.#at > this.#all.length) throw new Usage();
  }

  /** All that are left. */
  rest(): readonly string[] {
    return this.#all.slice(this.#at);
  }

  /** @throws ToolError if fewer are left */
  require(count: number, result = -1): void {
    if (this.count < count) {
      throw new ToolError(`'${this.previous}' needs at least ${count} arguments, ${this.count} found`, result);
    }
  }
}

/** The words of an error that a file gave. */
export function fileErrorText(error: unknown): string {
  const { errno, message } = error as NodeJS.ErrnoException;
  return errno === undefined ? message : errnoText(Math.abs(errno));
}

/** Returns the C library's words for an error of a system call. */
export function systemText(error: unknown): string {
  if (error instanceof BtfSystemError) return errnoText(error.errno);
  return error instanceof Error ? error.message : String(error);
}

/** Every file in a BPF file system that is mounted. */
export function* pinnedPaths(): Generator<string, void, undefined> {
  for (const line of readFileSync("/proc/mounts", "utf8").split("\n")) {
    const [, folder, type] = line.split(" ");
    if (folder !== undefined && type?.startsWith("bpf")) yield* filesBelow(unescaped(folder));
  }
}

/** /proc/mounts has octal escapes for spaces and the like. */
function unescaped(path: string): string {
  return path.replace(/\\(\d{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** Depth first, in the order of the folder, as nftw goes. Links are not followed. */
function* filesBelow(folder: string): Generator<string, void, undefined> {
  let entries: string[];
  try {
    entries = readdirSync(folder);
  } catch {
    return;
  }
  for (const name of entries) {
    const path = folder === "/" ? `/${name}` : `${folder}/${name}`;
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory()) yield* filesBelow(path);
    else if (stat && !stat.isSymbolicLink()) yield path;
  }
}

/** Returns the name of a network interface of this process's namespace, or undefined. */
export function interfaceName(index: number, device: bigint, inode: bigint): string | undefined {
  const namespace = statSync("/proc/self/ns/net", { bigint: true });
  if (namespace.dev !== device || namespace.ino !== inode) return undefined;
  for (const name of readdirSync("/sys/class/net")) {
    if (Number(readFileSync(`/sys/class/net/${name}/ifindex`, "utf8")) === index) return name;
  }
  return undefined;
}
