// The suite that every runtime runs, here also on the kernel that asserts.
import { readFileSync } from "node:fs";
import * as lib from "btfkit";
import * as bpf from "btfkit/bpf";
import * as data from "btfkit/data";
import * as edit from "btfkit/edit";
import * as generate from "btfkit/generate";
import { test } from "vitest";
import { suite } from "./suite.js";

const recorded = new URL("../data/vmlinux-6.1-cloud-amd64", import.meta.url).href;
const isJs = process.env["BTFKIT_KERNEL"] === "js";
const kernel = process.env["BTFKIT_KERNEL"] === "debug" ? "kernel.debug.wasm" : "kernel.wasm";

suite({
  lib,
  bpf,
  edit,
  data,
  generate,
  fixtures: {
    vmlinux: {
      packed: readFileSync(new URL(`${recorded}.btf.gz`)),
      golden: JSON.parse(readFileSync(new URL(`${recorded}.json`), "utf8")),
    },
    wasm: isJs ? undefined : readFileSync(new URL(`../../build/${kernel}`, import.meta.url)),
  },
  test,
});
