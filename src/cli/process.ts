/** The command line of this process. */
import { fstatSync, writeSync } from "node:fs";
import { main } from "./main.js";

/** Put in by the build, from package.json. */
declare const BTFKIT_VERSION: string;

/** Asks node:tty only of what can be a terminal: loading it takes 1.5 ms in Node and 5 in Bun. */
function isTerminal(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isCharacterDevice() && process.getBuiltinModule("node:tty").isatty(descriptor);
  } catch {
    return false;
  }
}

void main(process.argv.slice(2), {
  version: BTFKIT_VERSION,
  stdout: 1,
  stdoutIsTerminal: isTerminal(1),
  stderrIsTerminal: isTerminal(2),
  columns: () => process.stdout.columns,
  env: process.env,
  writeError: (text) => {
    try {
      writeSync(2, text);
    } catch {
      // Nobody reads it.
    }
  },
}).then((code) => {
  process.exitCode = code;
});
