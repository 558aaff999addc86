/** `btfkit archive export DIR -d FOLDER`: an archive's tables as Parquet, for engines that people have. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { type ColumnSource, fileWriter, ParquetWriter, schemaFromColumnData } from "hyparquet-writer";
import type { Archive } from "../../archive.js";
import { type Context, type ExitCode, jsonText } from "../context.js";
import { InputError, UsageError } from "../exit.js";
import { SIGNALS } from "../output.js";
import type { ArchiveOptions } from "./options.js";
import { type ColumnType, fillTables, type Row, TABLES, type TableName } from "./tables.js";
import { openArchive } from "./target.js";

/** Rows that are held before they are written. */
const ROW_GROUP = 100_000;

/** A file of a table. */
class TableFile {
  readonly #columns: readonly (readonly [name: string, type: ColumnType])[];
  readonly #writer: ParquetWriter;
  #rows: Row[] = [];

  constructor(path: string, table: TableName) {
    mkdirSync(dirname(path), { recursive: true });
    this.#columns = Object.entries(TABLES[table]);
    this.#writer = new ParquetWriter({
      writer: fileWriter(path),
      schema: schemaFromColumnData({ columnData: this.#take() }),
      codec: "GZIP",
      compressors: { GZIP: (bytes) => gzipSync(bytes) },
      createdBy: "btfkit",
    });
  }

  /** The rows as columns; none are left. */
  #take(): ColumnSource[] {
    const rows = this.#rows;
    this.#rows = [];
    return this.#columns.map(([name, type], i) => ({ name, type, data: rows.map((row) => row[i]), nullable: true }));
  }

  async add(row: Row): Promise<void> {
    this.#rows.push(row);
    if (this.#rows.length >= ROW_GROUP) await this.#flush();
  }

  async #flush(): Promise<void> {
    await this.#writer.write({ columnData: this.#take(), rowGroupSize: ROW_GROUP });
  }

  async finish(): Promise<void> {
    if (this.#rows.length > 0) await this.#flush();
    await this.#writer.finish();
  }
}

/** Where the files of a table lie in the folder: one, or one a kind. */
export function filesOf(table: TableName): string {
  return table === "definitions" ? "definitions/*/*.parquet" : `${table}.parquet`;
}

/** Writes the tables into a folder that is empty. Returns the number of rows of each. */
export async function writeTables(
  archive: Archive,
  folder: string,
  onProgress: (done: number, total: number) => void,
): Promise<Record<TableName, number>> {
  const files = new Map<string, TableFile>();
  const counts = Object.fromEntries(Object.keys(TABLES).map((table) => [table, 0])) as Record<TableName, number>;
  const fileOf = (table: TableName, kind?: string): TableFile => {
    const path = kind ? `${table}/kind=${kind}/definitions.parquet` : `${table}.parquet`;
    let file = files.get(path);
    if (!file) {
      file = new TableFile(join(folder, path), table);
      files.set(path, file);
    }
    return file;
  };
  // A table is there even where it has no rows.
  for (const table of Object.keys(TABLES) as TableName[]) fileOf(table, table === "definitions" ? "struct" : undefined);
  await fillTables(
    archive,
    (table, row, kind) => {
      counts[table]++;
      return fileOf(table, kind).add(row);
    },
    onProgress,
  );
  for (const file of files.values()) await file.finish();
  return counts;
}

/** Exports the tables: all of them, or nothing. */
export async function exportTables(place: string, options: ArchiveOptions, context: Context): Promise<ExitCode> {
  const folder = options.directory ?? options.output;
  if (folder === undefined || folder === "-") throw new UsageError("no folder: btfkit archive export DIR -d FOLDER");
  // It is a folder, whichever option names it: no file is written there.
  if (options.output !== undefined) context.out.abandon();
  if (existsSync(folder) && (!statSync(folder).isDirectory() || readdirSync(folder).length > 0)) {
    throw new InputError(`${folder}: there already: name a folder that is new or empty`);
  }
  const archive = await openArchive(place);
  try {
    mkdirSync(dirname(folder), { recursive: true });
  } catch (cause) {
    throw new InputError(`${folder}: cannot be written: ${(cause as Error).message}`, { cause });
  }
  return await inTemporary(`${folder.replace(/\/+$/, "")}.`, async (partial) => {
    const rows = await writeTables(archive, partial, (done, total) => context.progress(done, total, "blocks"));
    if (existsSync(folder)) rmdirSync(folder);
    renameSync(partial, folder);
    if (options.json || options.pretty)
      await context.stdout.write(jsonText({ version: 1, folder, rows }, options.pretty));
    else for (const [table, count] of Object.entries(rows)) await context.stdout.write(`${table}: ${count} rows\n`);
    return 0;
  });
}

/** Makes a folder whose name starts so, for as long as it is used, or until a signal ends the process. */
export async function inTemporary<T>(start: string, use: (folder: string) => Promise<T>): Promise<T> {
  let folder: string;
  try {
    folder = mkdtempSync(start);
  } catch (cause) {
    throw new InputError(`${start}…: cannot be written: ${(cause as Error).message}`, { cause });
  }
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const interrupted = (signal: NodeJS.Signals): void => {
    remove();
    process.kill(process.pid, signal);
  };
  for (const signal of SIGNALS) process.once(signal, interrupted);
  try {
    return await use(folder);
  } finally {
    for (const signal of SIGNALS) process.removeListener(signal, interrupted);
    remove();
  }
}
