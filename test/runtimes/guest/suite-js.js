/** The API suite on `btfkit/js`, where there is no WebAssembly. */

import * as data from "btfkit/data";
import * as generate from "btfkit/generate";
import * as lib from "btfkit/js";
import * as bpf from "btfkit/js/bpf";
import * as edit from "btfkit/js/edit";
import * as generated from "../generated.js";
import { run } from "../suite/run.js";
import { suite } from "../suite/suite.js";
import { readVmlinux } from "./fixtures.js";

export async function main({ read, print }) {
  // The library's ways to it; others' remain (Node's fetch compiles some).
  for (const name of ["Module", "Instance"]) {
    WebAssembly[name] = () => {
      throw new Error(`WebAssembly.${name} is called`);
    };
  }
  const fixtures = { vmlinux: await readVmlinux(read) };
  await run((test) => suite({ lib, bpf, edit, data, generate, generated, fixtures, test }), print);
}
