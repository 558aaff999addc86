#!/usr/bin/env node
/** The executable. */
import { writeSync } from "node:fs";
import { isatty } from "node:tty";
import { main } from "./main.js";

/** Put in by the build, from package.json. */
declare const BTFKIT_VERSION: string;

void main(process.argv.slice(2), {
  version: BTFKIT_VERSION,
  stdout: 1,
  stdoutIsTerminal: isatty(1),
  stderrIsTerminal: isatty(2),
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
