/** The API suite on the installed package. */
import * as lib from "btfkit";
import * as bpf from "btfkit/bpf";
import * as data from "btfkit/data";
import * as edit from "btfkit/edit";
import * as generate from "btfkit/generate";
import * as generated from "../generated.js";
import { run } from "../suite/run.js";
import { suite } from "../suite/suite.js";
import { readVmlinux } from "./fixtures.js";

/** @param argument "ahead" where the host has compiled all WebAssembly that it ever will */
export async function main({ read, print, argument }) {
  const wasm = argument === "ahead" ? undefined : await read("node_modules/btfkit/dist/kernel.wasm");
  const fixtures = { vmlinux: await readVmlinux(read), wasm };
  await run((test) => suite({ lib, bpf, edit, data, generate, generated, fixtures, test }), print);
}
