/** `bpftool prog run`. */

import { readFileSync, writeFileSync } from "node:fs";
import { errnoText } from "../../../live/errno.js";
import { BtfSystemError } from "../../../live/error.js";
import type { Program } from "../../../live/program.js";
import { DumpFailed } from "../failures.js";
import { hexDump } from "../hex.js";
import { parseProgram } from "../objects.js";
import { type Arguments, fileErrorText, parseNumber, type Session, ToolError } from "../session.js";

/** The most that a program may leave, unless it is said. */
const DEFAULT_OUT = 32768;

const RUN_OPTIONS = ["data_in", "data_out", "data_size_out", "ctx_in", "ctx_out", "ctx_size_out", "repeat"] as const;

/** `prog run` */
export async function runProgram(session: Session, args: Arguments): Promise<void> {
  args.require(4);
  const program = await parseProgram(session, args);
  try {
    const given = parseRunOptions(args);
    const number = (name: (typeof RUN_OPTIONS)[number], title: string): number => {
      const text = given.get(name);
      const value = text === undefined ? 0 : parseNumber(text);
      if (value === undefined) throw new ToolError(`can't parse ${text} as ${title}`);
      return value >>> 0;
    };
    const [dataPath, contextPath] = [given.get("data_in"), given.get("ctx_in")];
    if (dataPath === "-" && contextPath === "-") {
      throw new ToolError("cannot use standard input for both data_in and ctx_in");
    }
    const dataOut = number("data_size_out", "output data size");
    const contextOut = number("ctx_size_out", "output context size");
    const repeat = given.has("repeat") ? number("repeat", "repeat number") : 1;
    const data = dataPath === undefined ? undefined : inputFile(dataPath);
    const context = contextPath === undefined ? undefined : inputFile(contextPath);
    let result: ReturnType<Program["run"]>;
    try {
      result = program.run({
        ...(data && { data }),
        ...(context && { context }),
        repeat,
        dataOutByteSize: data ? dataOut || DEFAULT_OUT : dataOut,
        contextOutByteSize: context ? contextOut || DEFAULT_OUT : contextOut,
      });
    } catch (error) {
      if (!(error instanceof BtfSystemError)) throw error;
      throw new ToolError(`failed to run program: ${errnoText(error.errno)}`, -error.errno);
    }
    const { json } = session;
    json?.startObject();
    let failures = 0;
    const output = (bytes: Uint8Array, path: string | undefined, key: string): void => {
      if (bytes.length === 0 || path === undefined) return;
      if (path === "-") {
        if (json) json.name(key).bytes(bytes);
        else session.print(hexDump(bytes));
        return;
      }
      try {
        writeFileSync(path, bytes);
      } catch (error) {
        session.error(`failed to open ${path}: ${fileErrorText(error)}`);
        failures--;
      }
    };
    output(result.data, given.get("data_out"), "data_out");
    output(result.context, given.get("ctx_out"), "ctx_out");
    if (json) json.field("retval", result.returnValue).field("duration", result.durationNs).endObject();
    else {
      const average = repeat > 1 ? " (average)" : "";
      session.print(`Return value: ${result.returnValue}, duration${average}: ${result.durationNs}ns\n`);
    }
    if (failures) throw new DumpFailed(failures);
  } finally {
    program[Symbol.dispose]();
  }
}

function parseRunOptions(args: Arguments): Map<(typeof RUN_OPTIONS)[number], string> {
  const given = new Map<(typeof RUN_OPTIONS)[number], string>();
  while (args.count > 0) {
    const word = args.current!;
    const matches = RUN_OPTIONS.filter((option) => option.startsWith(word));
    if (matches.length > 1) {
      throw new ToolError(`ambiguous prefix: '${word}' could be '${matches.join("' or '")}'`);
    }
    const [option] = matches;
    if (!option) {
      const names = RUN_OPTIONS.map((name) => `'${name}'`);
      const list = `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
      throw new ToolError(`expected no more arguments, ${list}, got: '${word}'?`);
    }
    args.skip();
    args.require(1);
    given.set(option, args.take()!);
  }
  return given;
}

function inputFile(path: string): Uint8Array {
  try {
    return readFileSync(path === "-" ? 0 : path);
  } catch (error) {
    throw new ToolError(`failed to open ${path}: ${fileErrorText(error)}`);
  }
}
