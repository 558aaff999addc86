// Debian's kernels under QEMU: what the table of docs/loader.md says of each
// is what came of a program of that kind, attached and set off there.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { check } from "btfkit/bpf";
import { openImageFile } from "btfkit/node";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { boot, filesIn, type Guest, unpacked } from "../support/guest.js";
import { compileHooks, resultsOf } from "../support/hooks.js";
import { nativeProgram } from "../support/native.js";
import { corpusPath, lacking, needing } from "../support/needs.js";
import { corpusObject, objectNames } from "../support/objects.js";
import type { PackageName } from "../support/packages.js";

const NEEDS = ["qemu-system-x86_64", "Debian's kernel packages", "clang-19", "gcc and libbpf-dev", "cpio"] as const;
const KERNELS: Readonly<Record<string, PackageName>> = { "6.1": "6.1-cloud-amd64", "6.12": "6.12-cloud-amd64" };

/** Disagreements that no static check can avoid: docs/objects.md says why. */
const EXPLAINED: Readonly<Record<string, readonly string[]>> = {
  "6.1": [],
  "6.12": ["lt026-biosnoop.bpf.o load -13: guarded"],
};

/** What guest.mjs calls what libbpf made of the objects. */
const LOADED = "load-objects";

/** The rows of the table: `| what | 6.1 | 6.12 |`. */
const table = new Map(
  readFileSync("docs/loader.md", "utf8")
    .split("<!-- test/guests -->")[1]!
    .split("\n")
    .flatMap((line) => {
      const [, name, ...cells] = line.split("|").map((cell) => cell.trim().replaceAll("`", ""));
      return name && cells.length > 2 && !/^-+$/.test(name) && name !== "programs" ? [[name, cells] as const] : [];
    }),
);

const booted = new Map<string, Promise<Guest>>();
const folder = mkdtempSync(join(tmpdir(), "btfkit-hooks-"));
beforeAll(async () => {
  if (lacking(...NEEDS).length > 0) return;
  const corpus = lacking("the corpus in ../shared").length === 0;
  const objects = corpus ? objectNames.filter((name) => !name.startsWith("s390x")) : [];
  const files = {
    ...Object.fromEntries(objects.map((name) => [`objects/${name}`, corpusPath(`objects/${name}`)])),
    ...(corpus && { "bin/load-objects": nativeProgram("load-objects") }),
    ...filesIn(compileHooks(folder), "hooks"),
    "guest.mjs": resolve("test/guests/guest.mjs"),
    "hooks.mjs": resolve("test/live/hooks.mjs"),
  };
  // Both at once: each has one processor.
  for (const [version, name] of Object.entries(KERNELS)) booted.set(version, boot(name, files));
  await Promise.allSettled(booted.values());
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true }));

for (const [column, version] of Object.keys(KERNELS).entries()) {
  describe(`Linux ${version}`, () => {
    needing(...NEEDS)("boots, and runs everything to its end", async () => {
      const { output, console } = (await booted.get(version))!;
      expect(output.split("\n").at(-2), `${output}\n${console.slice(-3000)}`).toBe("exit 0");
      const names = [...resultsOf(output).keys()].filter((name) => name !== LOADED);
      expect(names.sort()).toEqual([...table.keys()].sort());
    });

    // docs/objects.md has the figures.
    needing(...NEEDS, "the corpus in ../shared")(
      "check's verdict on each object is what libbpf's load comes to",
      async () => {
        const said = resultsOf((await booted.get(version))!.output).get(LOADED)!;
        const { btf } = await openImageFile(unpacked(KERNELS[version]!).kernel);
        const differing = said
          .trim()
          .split("\n")
          .flatMap((line) => {
            const [, name = "", stage, errno] = /^\/objects\/(.*) (open|load) (-?\d+)$/.exec(line)!;
            const { verdict } = check(corpusObject(name), btf);
            return (verdict === "breaks") === (errno !== "0") ? [] : [`${name} ${stage} ${errno}: ${verdict}`];
          });
        expect(said.trim().split("\n").length).toBeGreaterThan(60);
        expect(differing).toEqual(EXPLAINED[version]);
      },
    );
    for (const [name, cells] of table) {
      needing(...NEEDS)(`${name}: ${cells[column]}`, async () => {
        const result = resultsOf((await booted.get(version))!.output).get(name);
        const expected = cells[column]!;
        if (expected.startsWith("yes")) expect(result).toBe(/\((.*)\)/.exec(expected)?.[1] ?? "ok");
        else expect(result).toContain(/\((.*)\)/.exec(expected)![1]);
      });
    }
  });
}
