// The table of bpf(2)'s structs against the running kernel's own BTF.
import { expect } from "vitest";
import { ATTACH_TYPES, PROGRAM_TYPES } from "../../src/bpf/elf/section-names.js";
import type { Btf } from "../../src/btf/btf.js";
import { fieldOf } from "../../src/btf/query/field.js";
import {
  ATTRIBUTES,
  BTF_INFO,
  COMMANDS,
  LINK_INFO,
  MAP_INFO,
  PROGRAM_INFO,
  type StructLayout,
} from "../../src/live/layouts.js";
import { LINK_TYPES, MAP_TYPES } from "../../src/live/types.js";
import { openKernel } from "../../src/node.js";
import { needing } from "../support/needs.js";

const test = needing("the running kernel's BTF");

function expectLayout(btf: Btf, type: string, layout: StructLayout, inside = ""): void {
  const found = Object.keys(layout).map((name) => [name, fieldOf(btf, type, inside + name).bitOffset / 8] as const);
  const ours = Object.entries(layout).map(([name, [offset]]) => [name, offset] as const);
  expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(found));
}

test("offsets are the kernel's", () => {
  using btf = openKernel();
  for (const [command, layout] of Object.entries(ATTRIBUTES)) {
    expectLayout(btf, "bpf_attr", layout, command.endsWith("_BATCH") ? "batch." : "");
  }
  expectLayout(btf, "bpf_map_info", MAP_INFO);
  expectLayout(btf, "bpf_prog_info", PROGRAM_INFO);
  expectLayout(btf, "bpf_btf_info", BTF_INFO);
  expectLayout(btf, "bpf_link_info", LINK_INFO);
});

test("numbers and names are the kernel's", () => {
  using btf = openKernel();
  const commands = btf.require("bpf_cmd", "enum").values;
  for (const [name, value] of Object.entries(COMMANDS)) expect(commands).toContainEqual({ name: `BPF_${name}`, value });
  for (const [ours, type, prefix] of [
    [MAP_TYPES, "bpf_map_type", "BPF_MAP_TYPE_"],
    [PROGRAM_TYPES, "bpf_prog_type", "BPF_PROG_TYPE_"],
    [LINK_TYPES, "bpf_link_type", "BPF_LINK_TYPE_"],
    [ATTACH_TYPES, "bpf_attach_type", "BPF_"],
  ] as const) {
    const values = btf.require(type, "enum").values;
    const end = values.find(({ name }) => /^__MAX_BPF_/i.test(name))?.value ?? Number.POSITIVE_INFINITY;
    for (const [number, name] of ours.entries()) {
      // What later kernels added.
      if (number >= end) break;
      const spelt = values.filter(({ value }) => value === number).map((one) => one.name);
      expect(spelt.map((one) => one.toLowerCase())).toContain(`${prefix}${name}`.toLowerCase());
    }
  }
});
