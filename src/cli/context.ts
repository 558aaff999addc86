/** What a command gets from its surroundings, so that it can be run and tested anywhere. */
import type { Output } from "./output.js";

/** Options that every command takes. */
export interface CommonOptions {
  readonly base?: string;
  readonly member?: string;
  readonly maxSize?: number;
  readonly output?: string;
  readonly json?: boolean;
  readonly pretty?: boolean;
  readonly quiet?: boolean;
  /** Progress also where standard error is no terminal. */
  readonly progress?: boolean;
  readonly color: "auto" | "always" | "never";
}

export interface Context {
  readonly out: Output;
  /** Standard output: for a report besides what goes to `out`. The same as `out` without --output. */
  readonly stdout: Output;
  /** `out` is a terminal: no place for binary data. */
  readonly outIsTerminal: boolean;
  /** A line on standard error; nothing with --quiet. */
  warn(line: string): void;
  /** Text on standard error as it is, also with --quiet: for a command that speaks as another tool. */
  writeError(text: string): void;
  /** Characters in a line of the output: the terminal's, or 100. */
  readonly columns: number;
  /** Whether to colour the output. */
  readonly color: boolean;
  /** Told how far long work is: shown on a terminal after half a second, elsewhere if it is asked for. */
  progress(done: number, total: number, what?: string): void;
  /** Of btfkit. */
  readonly version: string;
}

/** 0 done, 1 the answer is no, or what another tool returns that the command stands in for. Everything else is thrown. */
export type ExitCode = number;

/** A result of `--json`: `schemas/` has its shape, which `version` numbers. */
export interface Versioned {
  readonly version: number;
}

/** JSON of a result or of a list of results, one line or indented. */
export function jsonText<T extends Versioned | readonly Versioned[]>(result: T, pretty = false): string {
  return `${JSON.stringify(result, null, pretty ? 2 : 0)}\n`;
}
