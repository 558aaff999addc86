/** `btfkit archive sql DIR QUERY`: an archive's tables asked in SQL, by DuckDB where that is installed. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { columns } from "../columns.js";
import { type Context, type ExitCode, jsonText } from "../context.js";
import { InputError, UsageError } from "../exit.js";
import { filesOf, inTemporary, writeTables } from "./export.js";
import type { ArchiveOptions } from "./options.js";
import { TABLES, type TableName } from "./tables.js";
import { openArchive } from "./target.js";

/** A result: names of columns, and rows of what JSON can say. */
interface Answer {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
}

/** Answers a query after some statements. */
type Engine = (statements: readonly string[], query: string) => Promise<Answer>;

export async function sql(
  place: string,
  queries: readonly string[],
  options: ArchiveOptions,
  context: Context,
): Promise<ExitCode> {
  const [query] = queries;
  if (query === undefined || queries.length > 1) throw new UsageError('one query: btfkit archive sql DIR "SELECT …"');
  const engine = await duckdb();
  // A folder of an earlier export is asked as it is.
  const isExport = existsSync(join(place, "kernels.parquet"));
  const ask = async (folder: string): Promise<ExitCode> => {
    const views = (Object.keys(TABLES) as TableName[]).map((table) => {
      const files = join(folder, filesOf(table)).replaceAll("'", "''");
      return `CREATE VIEW ${table} AS SELECT * FROM read_parquet('${files}'${table === "definitions" ? ", hive_partitioning = true" : ""})`;
    });
    const answer = await engine(views, query);
    if (options.json || options.pretty) await context.out.write(jsonText({ version: 1, ...answer }, options.pretty));
    else await context.out.write(asText(answer));
    return answer.rows.length > 0 ? 0 : 1;
  };
  if (isExport) return await ask(place);
  const archive = await openArchive(place);
  return await inTemporary(join(tmpdir(), "btfkit-sql-"), async (folder) => {
    await writeTables(archive, folder, (done, total) => context.progress(done, total, "blocks"));
    return await ask(folder);
  });
}

function asText({ columns: names, rows }: Answer): string {
  return columns([names, ...rows.map((row) => row.map((value) => (value === null ? "" : String(value))))]);
}

/** DuckDB as a package, or as a program. */
async function duckdb(): Promise<Engine> {
  const PACKAGE = "@duckdb/node-api";
  for (const from of [`${process.cwd()}/`, __filename]) {
    let path: string;
    try {
      path = createRequire(from).resolve(PACKAGE);
    } catch {
      continue;
    }
    return inProcess((await import(pathToFileURL(path).href)) as DuckDb);
  }
  if (run(["--version"], "").status === 0) return asProgram;
  throw new InputError(
    `archive sql needs DuckDB: install the package ${PACKAGE} (npm install ${PACKAGE}) or the program duckdb, or ask another engine: btfkit archive export writes Parquet`,
  );
}

/** What is used of @duckdb/node-api. */
interface DuckDb {
  readonly DuckDBInstance: {
    create(path: string): Promise<{
      connect(): Promise<{
        run(sql: string): Promise<unknown>;
        runAndReadAll(sql: string): Promise<{ columnNames(): string[]; getRowsJson(): unknown[][] }>;
        closeSync(): void;
      }>;
      closeSync(): void;
    }>;
  };
}

function inProcess({ DuckDBInstance }: DuckDb): Engine {
  return async (statements, query) => {
    const instance = await DuckDBInstance.create(":memory:");
    const connection = await instance.connect();
    try {
      for (const statement of statements) await connection.run(statement);
      const reader = await connection.runAndReadAll(query);
      return { columns: reader.columnNames(), rows: reader.getRowsJson() };
    } catch (cause) {
      throw new InputError((cause as Error).message, { cause });
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  };
}

function run(args: readonly string[], input: string): { status: number | null; stdout: string; stderr: string } {
  const { spawnSync } = process.getBuiltinModule("node:child_process");
  return spawnSync("duckdb", args, { input, encoding: "utf8", maxBuffer: 1 << 30 });
}

async function asProgram(statements: readonly string[], query: string): Promise<Answer> {
  const input = [...statements.map((statement) => `${statement};`), ".mode json", query].join("\n");
  const { status, stdout, stderr } = run(["-bail"], input);
  if (status !== 0) throw new InputError(stderr.trim());
  const rows = JSON.parse(stdout.trim() || "[]") as Record<string, unknown>[];
  const columns = Object.keys(rows[0] ?? {});
  return { columns, rows: rows.map((row) => columns.map((column) => row[column])) };
}
