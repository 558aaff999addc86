/** The command line of this process. */
import { fstatSync, writeSync } from "node:fs";
import { main } from "./main.js";

/** Put in by the build, from package.json. */
declare const BTFKIT_VERSION: string;

/** Linux's device class of /dev/null and the like, none of which is a terminal. */
const MEMORY_DEVICES = 1;

/** Asks node:tty only of what can be a terminal: loading it takes 5 ms. */
function isTerminal(descriptor: number): boolean {
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isCharacterDevice() || (process.platform === "linux" && stat.rdev >> 8 === MEMORY_DEVICES)) return false;
    return process.getBuiltinModule("node:tty").isatty(descriptor);
  } catch {
    return false;
  }
}

void main(process.argv.slice(2), {
  version: BTFKIT_VERSION,
  stdout: 1,
  stdoutIsTerminal: isTerminal(1),
  get stderrIsTerminal() {
    return isTerminal(2);
  },
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
