// formatJson beside bpftool: maps of the running kernel, filled with random bytes, dumped in its three forms.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sizeOf } from "btfkit";
import { formatJson, jsonFormatterOf } from "btfkit/data";
import { expect } from "vitest";
import { needing } from "../support/needs.js";
import { compileObject, openObject } from "../support/objects.js";
import { seeded } from "../support/random.js";

const ENTRIES = 3;
const ROUNDS = 6;

/** Backslash and apostrophe: bpftool 7.1 writes the first as a line feed and escapes the second, 7.8 does not. */
const MISWRITTEN = [0x5c, 0x27];

/** A value: random, or letters with a NUL, as texts are, or small numbers. */
function randomValue(byteSize: number, round: number, random: (below: number) => number): Uint8Array {
  return Uint8Array.from({ length: byteSize }, () => {
    if (round % 3 === 0) return random(256);
    if (round % 3 === 2) return random(3) === 0 ? random(9) : 0;
    const letter = random(4) === 0 ? 0 : 0x20 + random(0x5f);
    return MISWRITTEN.includes(letter) ? 0x78 : letter;
  });
}

needing(
  "bpf(2)",
  "bpftool",
  "clang-19",
)("formatJson equals bpftool map dump, -j and -p", () => {
  const folder = mkdtempSync(join(tmpdir(), "btfkit-maps-"));
  // A file system of its own: other tests look at what is pinned in the common one.
  execFileSync("mount", ["-t", "bpf", "bpf", folder]);
  try {
    const path = compileObject("maps");
    execFileSync("bpftool", ["prog", "load", path, `${folder}/use`, "type", "socket", "pinmaps", `${folder}/maps`]);
    const object = openObject(path);
    const random = seeded("maps");
    let compared = 0;
    for (const { name, valueTypeId } of object.maps) {
      const type = object.btf.get(valueTypeId!)!;
      const pinned = ["pinned", `${folder}/maps/${name}`];
      const plain = jsonFormatterOf(type, { plain: true, indentLevel: 2 });
      const pretty = jsonFormatterOf(type, { pretty: true, indentLevel: 3 });
      const bytes = (values: Uint8Array): string[] => Array.from(values, (byte) => byte.toString(16).padStart(2, "0"));
      for (let round = 0; round < ROUNDS; round++) {
        const values = Array.from({ length: ENTRIES }, (_, key) => {
          const value = randomValue(sizeOf(type)!, round, random);
          const entry = ["key", "hex", ...bytes(Uint8Array.of(key, 0, 0, 0)), "value", "hex", ...bytes(value)];
          execFileSync("bpftool", ["map", "update", ...pinned, ...entry]);
          return value;
        });
        const dumped = (...flags: string[]): string =>
          execFileSync("bpftool", [...flags, "map", "dump", ...pinned], { encoding: "utf8" });

        // bpftool 7.1 does not quote pointers, 7.8 does.
        const element = (value: Uint8Array, key: number): string =>
          `{\n        "key": ${key},\n        "value": ${plain(value).replace(/"(0x[0-9a-f]+|\(nil\))"/g, "$1")}\n    }`;
        expect(dumped()).toBe(`[${values.map(element).join(",")}\n]\n`);

        const compact = dumped("-j");
        for (const [key, value] of values.entries()) {
          expect(compact).toContain(`"formatted":{"key":${key},"value":${formatJson(type, value)}}}`);
        }
        const indented = dumped("-p");
        for (const [key, value] of values.entries()) {
          const formatted = `"formatted": {\n            "key": ${key},\n            "value": ${pretty(value)}\n        }`;
          expect(indented).toContain(formatted);
        }
        compared += values.length;
      }
    }
    expect(compared).toBe(object.maps.length * ROUNDS * ENTRIES);
  } finally {
    execFileSync("umount", [folder]);
    rmSync(folder, { recursive: true });
  }
});
