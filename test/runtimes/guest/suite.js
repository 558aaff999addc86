/** The API suite on the installed package. */
import * as lib from "btfkit";
import { run } from "../suite/run.js";
import { suite } from "../suite/suite.js";
import { readVmlinux } from "./fixtures.js";

export async function main({ read, print }) {
  const fixtures = { vmlinux: await readVmlinux(read), wasm: await read("node_modules/btfkit/dist/kernel.wasm") };
  await run((test) => suite({ lib, fixtures, test }), print);
}
