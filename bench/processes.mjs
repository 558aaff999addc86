/** Starts the processes that are measured and reads what they report. */
import { execFile } from "node:child_process";
import process from "node:process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The lines of JSON that a command prints. */
export async function report(command, ...args) {
  const { stdout } = await run(command, args, { maxBuffer: 64 << 20 });
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** What a program in bench/programs reports, run by Node. */
export const reportOf = (program, ...args) => report(process.execPath, `bench/programs/${program}`, ...args);

/** Runs a whole process with its output into a pipe that is read to its end; it has to end with `tools.exitCode`, 0 by default. */
export async function launch(tools, command, ...args) {
  const [{ exitCode, bytes, firstByteNs, wallNs, peakKiB }] = await report(tools.launch, ...command, ...args);
  if (exitCode !== (tools.exitCode ?? 0))
    throw new Error(`${[...command, ...args].join(" ")} ended with exit code ${exitCode}`);
  return { outputBytes: bytes, firstByteMs: firstByteNs / 1e6, ms: wallNs / 1e6, peakMB: (peakKiB * 1024) / 1e6 };
}

/** Milliseconds of the one call that a process makes. */
export async function firstCall(call, ...args) {
  const [{ ns }] = await reportOf("first-call.mjs", call, ...args);
  return ns / 1e6;
}
