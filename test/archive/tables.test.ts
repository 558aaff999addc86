// The tables of an archive: what docs/archive-tables.md asks of them is answered as it says there, by DuckDB, and
// members are where the kernels themselves have them.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { DuckDBInstance } from "@duckdb/node-api";
import { Btf, fieldOf } from "btfkit";
import { Archive, ArchiveWriter } from "btfkit/archive";
import { archiveFolder } from "btfkit/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { built } from "../support/brief.js";
import { corpusPath, lacking, needing } from "../support/needs.js";

const folder = mkdtempSync(join(tmpdir(), "btfkit-tables-"));
afterAll(() => rmSync(folder, { recursive: true }));

const btfkit = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [resolve("dist/cli/btfkit.cjs"), "archive", ...args], {
    encoding: "utf8",
    cwd: folder,
    maxBuffer: 1 << 28,
  });
  return { code: status, out: stdout, error: stderr };
};

const made = join(folder, "made");
const KERNELS = [
  {
    id: "1",
    distribution: "debian",
    lines: [
      "int int 4s",
      "struct s 8: a 1@0, - 3@32",
      "union - 4: b 1@0, c 1@0:3",
      "enum64 e 8: BIG=18446744073709551615, ONE=1",
    ],
  },
  {
    id: "2",
    distribution: "debian",
    lines: [
      "int int 4s",
      "struct s 16: a 1@64",
      "typedef t 2",
      "proto 2: x 1, - 0",
      "func f 4 global",
      "ptr 2",
      "var v 6 global",
    ],
  },
];

beforeAll(async () => {
  const writer = await ArchiveWriter.open(archiveFolder(made));
  for (const { lines, ...kernel } of KERNELS) {
    const btf = built(lines);
    await writer.add({ ...kernel, vmlinux: btf.image.memory.slice(btf.image.raw, btf.image.raw + btf.byteLength) });
  }
  await writer.commit();
  await writer.close();
});

/** Asks the files of an export. */
async function ask(tables: string, query: string): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    const reader = await connection.runAndReadAll(query.replaceAll("$", `${tables}/`));
    return reader.getRowsJson() as unknown[][];
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

describe("made kernels", () => {
  test("all tables, as DuckDB reads them", async () => {
    const { code, out } = btfkit("export", made, "-d", "tables", "--json");
    expect([code, JSON.parse(out)]).toMatchObject([
      0,
      { version: 1, rows: { kernels: 2, members: 4, enumerators: 2 } },
    ]);
    const tables = join(folder, "tables");
    expect(await ask(tables, "SELECT * FROM '$kernels.parquet'")).toEqual([
      [0, "1", "1", "debian", null, 8],
      [1, "2", "2", "debian", null, 8],
    ]);
    expect(
      await ask(
        tables,
        "SELECT kind, name, byte_size, type, parts, kernels FROM read_parquet('$definitions/*/*.parquet', hive_partitioning = true) ORDER BY name, byte_size",
      ),
    ).toEqual([
      ["enum", "e", "8", null, 2, 1],
      ["func", "f", null, "struct s(int x, ...)", 2, 1],
      ["int", "int", "4", null, 0, 2],
      ["struct", "s", "8", null, 3, 1],
      ["struct", "s", "16", null, 1, 1],
      ["typedef", "t", null, "struct s", 0, 1],
      ["var", "v", null, "struct s *", 0, 1],
    ]);
    expect(await ask(tables, "SELECT name, type, bit_offset, bit_size, bitfield_size FROM '$members.parquet'")).toEqual(
      [
        ["a", "int", "0", "32", null],
        ["b", "int", "32", "32", null],
        ["c", "int", "32", "3", 3],
        ["a", "int", "64", "32", null],
      ],
    );
    expect(await ask(tables, "SELECT name, value, digits FROM '$enumerators.parquet'")).toEqual([
      ["BIG", null, "18446744073709551615"],
      ["ONE", "1", "1"],
    ]);
    expect(await ask(tables, "SELECT name, returns, parameters FROM '$functions.parquet'")).toEqual([
      ["f", "struct s", 2],
    ]);
    expect(await ask(tables, "SELECT position, name, type FROM '$parameters.parquet'")).toEqual([
      [0, "x", "int"],
      [1, "...", "..."],
    ]);
    expect(await ask(tables, "SELECT count(*), bool_or(module) FROM '$membership.parquet'")).toEqual([["4", false]]);
  });

  test("sql: of an archive, of an export, as JSON, and what is wrong", () => {
    const query = "SELECT id FROM kernels ORDER BY id";
    expect(btfkit("sql", made, query)).toEqual({ code: 0, out: "id\n1\n2\n", error: "" });
    btfkit("export", made, "-o", "again");
    expect(btfkit("sql", "again", query).out).toBe("id\n1\n2\n");
    const json = btfkit("sql", made, "SELECT 1 AS a, NULL AS b", "--json");
    expect(JSON.parse(json.out)).toEqual({ version: 1, columns: ["a", "b"], rows: [[1, null]] });
    expect(btfkit("sql", made, `${query} LIMIT 0`).code).toBe(1);
    expect(btfkit("sql", made, "SELEC")).toMatchObject({
      code: 3,
      error: expect.stringMatching(/^btfkit: Parser Error/),
    });
    expect(btfkit("sql", made).code).toBe(2);
    expect(btfkit("sql", "nowhere", query).code).toBe(3);
    // Nothing of DuckDB beside the executable, and none on the way up.
    const bare = mkdtempSync(join(tmpdir(), "btfkit-bare-"));
    execFileSync("cp", ["-r", resolve("dist"), join(bare, "dist")]);
    const alone = spawnSync(process.execPath, [join(bare, "dist/cli/btfkit.cjs"), "archive", "sql", made, query], {
      encoding: "utf8",
      cwd: bare,
      env: { PATH: "/nowhere" },
    });
    rmSync(bare, { recursive: true });
    expect([alone.status, alone.stderr]).toEqual([3, expect.stringMatching(/npm install @duckdb\/node-api/)]);
  });

  test("an export is whole or not there", () => {
    writeFileSync(join(folder, "file"), "");
    for (const [args, code] of [
      [[made], 2],
      [[made, "-d", "file"], 3],
      [[made, "-d", "made"], 3],
      [["nowhere", "-d", "new"], 3],
      [[made, "extra", "-d", "new"], 2],
    ] as const) {
      expect([args, btfkit("export", ...args).code]).toEqual([args, code]);
    }
    expect(readdirSync(folder).filter((name) => name.startsWith("new"))).toEqual([]);
  });

  test("init makes an archive without kernels, once", () => {
    expect(btfkit("init", "empty").code).toBe(0);
    expect(btfkit("list", "empty")).toEqual({ code: 0, out: "", error: "" });
    expect(btfkit("init", "empty")).toMatchObject({ code: 3, error: expect.stringMatching(/there already/) });
    expect(btfkit("export", "empty", "-d", "nothing", "--json").code).toBe(0);
    expect(existsSync(join(folder, "nothing/kernels.parquet"))).toBe(true);
  });

  test("definitions, in the library", async () => {
    const archive = await Archive.open(archiveFolder(made));
    const done: number[][] = [];
    const found: unknown[] = [];
    for await (const { kind, name, byteSize, type, places } of archive.definitions({
      onProgress: (...counts) => done.push(counts),
    })) {
      expect([type.kind.replace("64", ""), type.name]).toEqual([kind, name]);
      found.push([kind, name, byteSize, places]);
    }
    expect(found).toContainEqual(["int", "int", 4, [0, 2]]);
    expect(found).toContainEqual(["typedef", "t", undefined, [1, 2]]);
    expect(done).toEqual([[1, 1]]);
    await expect(archive.definitions({ signal: AbortSignal.abort() }).next()).rejects.toThrow();
  });
});

describe("Debian's kernels", () => {
  const questions = Array.from(
    readFileSync("docs/archive-tables.md", "utf8").matchAll(
      /\*\*(.*\?)\*\*\n\n```sql\n([\s\S]*?)\n```\n\n```text\n([\s\S]*?)\n```/g,
    ),
    ([, title, query, answer]) => ({ title: title!, query: query!, answer: answer! }),
  );
  const archive = join(folder, "debian");
  beforeAll(() => {
    if (lacking("the corpus in ../shared").length > 0) return;
    const kernels = readdirSync(corpusPath("series")).map((name) => corpusPath(`series/${name}`));
    expect(btfkit("add", archive, ...kernels).code).toBe(0);
    expect(btfkit("export", archive, "-d", "debian-tables").code).toBe(0);
  }, 300_000);

  test("there are ten questions", () => expect(questions.length).toBe(10));
  for (const { title, query, answer } of questions) {
    needing("the corpus in ../shared")(title, () => {
      expect(btfkit("sql", "debian-tables", query).out.trimEnd()).toBe(answer);
    });
  }

  needing("the corpus in ../shared")("members are where the kernels have them", async () => {
    for (const name of readdirSync(corpusPath("series")).slice(0, 3)) {
      const btf = Btf.parse(gunzipSync(readFileSync(corpusPath(`series/${name}`))));
      const rows = await ask(
        join(folder, "debian-tables"),
        `SELECT d.name, m.name, m.bit_offset, m.bit_size FROM '$members.parquet' m
         JOIN read_parquet('$definitions/*/*.parquet', hive_partitioning = true) d USING (definition)
         JOIN '$membership.parquet' USING (membership) JOIN '$kernels.parquet' k USING (kernel)
         WHERE k.id = '${name.replace(".btf.gz", "")}' AND d.kind = 'struct' AND d.name IN ('task_struct', 'sk_buff', 'inode')`,
      );
      expect(rows.length).toBeGreaterThan(200);
      for (const [struct, member, bitOffset, bitSize] of rows as [string, string, string, string | null][]) {
        if (member === "") continue;
        const field = fieldOf(btf, btf.require(struct, "struct"), member);
        expect([struct, member, field.bitOffset]).toEqual([struct, member, Number(bitOffset)]);
        expect(bitSize === null || field.bitSize === Number(bitSize)).toBe(true);
      }
    }
  });
});
