// Damaged objects and targets: relocating, checking, minimising and reporting
// refuse them with a BtfError, or tell of them; nothing traps, hangs or throws otherwise.
import { readFileSync } from "node:fs";
import { Btf, BtfError } from "btfkit";
import {
  cellOf,
  check,
  ENGINES,
  junit,
  markdown,
  minimize,
  readObject,
  relocate,
  relocationReport,
  sarif,
} from "btfkit/bpf";
import { describe, expect } from "vitest";
import { needing } from "./support/needs.js";
import { compileObject } from "./support/objects.js";
import { type Random, seeded } from "./support/random.js";

/** Runs what may be refused. */
function allowed(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof BtfError) || error.code === "ERR_INTERNAL") throw error;
  }
}

function everything(object: Uint8Array, target: Uint8Array): void {
  allowed(() => {
    const [read, btf] = [readObject(object), Btf.parse(target)];
    for (const engine of ENGINES) {
      allowed(() => {
        const relocated = relocate(read, btf, { engine });
        JSON.stringify(relocationReport(relocated));
        relocated.toBytes();
      });
    }
    allowed(() => Btf.parse(minimize([read], btf)));
    allowed(() => {
      const cell = cellOf("object", "target", check(read, btf));
      const matrix = { objects: ["object"], targets: ["target"], cells: [cell] };
      expect([junit(matrix), markdown(matrix), JSON.stringify(sarif(matrix, "0"))].length).toBe(3);
    });
    read[Symbol.dispose]();
    btf[Symbol.dispose]();
  });
}

/** A copy with some words changed, most of them between two places. */
function damaged(random: Random, bytes: Uint8Array, from: number, to: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  for (let n = 1 + random(4); n > 0; n--) {
    const at = random(8) ? from + random(to - from) : random(copy.length);
    copy[at] = random(3) ? random(256) : random(8);
  }
  return copy;
}

describe("mutations", () => {
  for (const section of [".BTF", ".BTF.ext", "raw_tp/loads", ".symtab"]) {
    needing("clang-19")(`of ${section} of the object`, () => {
      const random = seeded(`object ${section}`);
      const object = new Uint8Array(readFileSync(compileObject("core")));
      const target = new Uint8Array(readFileSync(compileObject("core", "bpfel", "-DTARGET")));
      const { offset, byteSize } = readObject(object).section(section)!;
      for (let i = 0; i < 120; i++) everything(damaged(random, object, offset, offset + byteSize), target);
    });
  }
  needing("clang-19")("of the target's types", () => {
    const random = seeded("target");
    const object = new Uint8Array(readFileSync(compileObject("core")));
    const target = new Uint8Array(readFileSync(compileObject("core", "bpfel", "-DTARGET")));
    const { offset, byteSize } = readObject(target).section(".BTF")!;
    for (let i = 0; i < 250; i++) everything(object, damaged(random, target, offset, offset + byteSize));
  });
});
