// What a runtime prints of an error that nobody catches: short, readable, with the class that users import.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { needing, runtime } from "../support/needs.js";
import { SAMPLE } from "../support/samples.js";

/** Runtimes with the arguments that run a module, and what each needs. */
const RUNTIMES = [
  ["node", [process.execPath], []],
  ["deno", [runtime("deno"), "run", "--quiet", "--no-prompt", "--allow-read"], ["deno"]],
  ["bun", [runtime("bun")], ["bun"]],
] as const;

const folder = mkdtempSync(join(tmpdir(), "btfkit-uncaught-"));
const entry = (file: string): string => JSON.stringify(`file://${resolve("dist", file)}`);

const OPEN = `import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
const open = () => gunzipSync(readFileSync(${JSON.stringify(resolve(SAMPLE))}));
`;

/** Programs that end with an error, and the first line of its message. */
const PROGRAMS: Readonly<Record<string, readonly [code: string, message: string]>> = {
  "a mistyped name": [
    `${OPEN}import { Btf } from ${entry("index.js")};\nBtf.parse(open()).require("task_strct");`,
    'BtfLookupError: no type named "task_strct"; did you mean "task_struct"',
  ],
  "a name of another kind": [
    `${OPEN}import { Btf } from ${entry("js/index.js")};\nBtf.parse(open()).require("pid_t", "struct");`,
    'BtfLookupError: no struct named "pid_t"; the type of that name is a typedef',
  ],
  "a missing file": [
    `import { openFile } from ${entry("node.js")};\nopenFile("/none/vmlinux");`,
    "BtfEnvironmentError: /none/vmlinux: no such file",
  ],
  "bytes that are no BTF": [
    `import { Btf } from ${entry("index.js")};\nBtf.parse(new Uint8Array(24));`,
    "BtfFormatError: not BTF: the first two bytes are 0x0000, neither BTF's magic 0xeb9f nor an ELF file's",
  ],
  "compressed data": [
    `import { Btf } from ${entry("index.js")};\nawait Btf.load(Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0));`,
    "BtfFormatError: not BTF but xz-compressed data: openImage of btfkit/image opens",
  ],
  "bytes that are no object": [
    `import { readObject } from ${entry("bpf.js")};\nreadObject(new Uint8Array(64));`,
    "BtfFormatError: not a BPF object",
  ],
  "bytes that are no image": [
    `import { openImage } from ${entry("image.js")};\nawait openImage(new Uint8Array(64));`,
    "BtfFormatError: not BTF, and not a file that can hold BTF",
  ],
  "bytes that no kernel loads": [
    `import { dedup } from ${entry("edit.js")};\nimport { Btf } from ${entry("index.js")};\ndedup(Btf.parse(new Uint8Array(2)));`,
    "BtfFormatError: not BTF",
  ],
};

for (const [host, command, needs] of RUNTIMES) {
  describe(host, () => {
    for (const [name, [code, message]] of Object.entries(PROGRAMS)) {
      needing(...needs)(name, () => {
        const path = join(folder, `${name.replaceAll(" ", "-")}.mjs`);
        writeFileSync(path, code);
        const [program = "", ...args] = command;
        const { status, stderr } = spawnSync(program, [...args, path], {
          encoding: "utf8",
          env: { ...process.env, NO_COLOR: "1" },
        });
        expect(status).not.toBe(0);
        expect(stderr.split("\n").filter((line) => line.length > 300)).toEqual([]);
        expect(stderr).not.toMatch(/[^\n\t\P{Cc}]/u);
        expect(stderr.length).toBeLessThan(1500);
        // Bun shows the source lines first, and the class and the message apart.
        const [shown, text] = message.split(": ", 1).concat(message.slice(message.indexOf(": ") + 2));
        expect(stderr).toContain(text);
        expect(stderr).toContain(shown);
      });
    }
  });
}

test("Node shows what a Btf and a type are", () => {
  const code = `${OPEN}import { Btf } from ${entry("index.js")};
const btf = Btf.parse(open());
console.log(btf);
console.log(btf.require("list_head"));
console.log(JSON.stringify(btf));
console.log(JSON.stringify([...btf.types()].find(({ kind }) => kind === "enum64").toJSON()).length > 20);
console.log(structuredClone(btf.require("list_head").members)[1].bitOffset);
structuredClone(btf.require("list_head"));`;
  const path = join(folder, "shown.mjs");
  writeFileSync(path, code);
  const lines = execFileSync(process.execPath, [path], { encoding: "utf8" });
  expect(lines).toContain("types: 95068");
  expect(lines).not.toContain("arena");
  expect(lines).toContain("kind: 'struct'");
  expect(lines).toContain('{"types":95068,"byteLength":4111222,"endian":"little","pointerSize":8}');
  expect(lines.trimEnd().split("\n").slice(-2)).toEqual(["true", "64"]);
});
