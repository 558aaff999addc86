/** Runs a program of the application: what it prints, and how it ends. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { environment } from "./hosts.js";

/** No program of ours takes longer, in milliseconds. */
const DEADLINE = 120_000;

/** Runs a command line to its end. `input` goes to standard input; `leave` closes its output after the first chunk. */
export function output([program, ...args], { cwd, input, leave = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: environment, timeout: DEADLINE });
    const stdout = [];
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout.push(chunk);
      if (leave) child.stdout.destroy();
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text;
    });
    // A program that does not read its input to the end closes the pipe.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout: Buffer.concat(stdout), stderr }));
  });
}

/** Runs a guest, hands its lines to `print`, and checks that it came to its end. */
export async function runGuest(command, { cwd, print }) {
  const child = spawn(command[0], command.slice(1), {
    cwd,
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: DEADLINE,
  });
  let done = false;
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  const closed = new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(signal ?? code));
  });
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === "done") done = true;
    else print(line);
  }
  const ended = await closed;
  if (!done || ended !== 0) throw new Error(`ended with ${ended}: ${stderr}`);
}
