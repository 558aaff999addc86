/** The tables of an archive's export, as docs/archive-tables.md describes them. */
import type { Archive } from "../../archive.js";
import { sizeOf } from "../../btf/query/resolve.js";
import { isComposite } from "../../btf/traverse.js";
import type { BtfType } from "../../btf/types.js";
import { typeText } from "../../inspect/diff/type-text.js";
import { attempt, leavesOf } from "../../inspect/leaves.js";

export type ColumnType = "INT32" | "INT64" | "STRING" | "BOOLEAN";
export type Row = readonly (number | bigint | string | boolean | undefined)[];

/** The tables and their columns; `definitions` is parted by kind. */
export const TABLES = {
  kernels: {
    kernel: "INT32",
    id: "STRING",
    release: "STRING",
    distribution: "STRING",
    architecture: "STRING",
    pointer_size: "INT32",
  },
  definitions: {
    definition: "INT32",
    name: "STRING",
    byte_size: "INT64",
    type: "STRING",
    parts: "INT32",
    membership: "INT32",
    kernels: "INT32",
  },
  members: {
    definition: "INT32",
    position: "INT32",
    name: "STRING",
    type: "STRING",
    bit_offset: "INT64",
    bit_size: "INT64",
    bitfield_size: "INT32",
  },
  enumerators: { definition: "INT32", position: "INT32", name: "STRING", value: "INT64", digits: "STRING" },
  functions: { definition: "INT32", name: "STRING", returns: "STRING", parameters: "INT32" },
  parameters: { definition: "INT32", position: "INT32", name: "STRING", type: "STRING" },
  membership: { membership: "INT32", kernel: "INT32", module: "BOOLEAN" },
} as const satisfies Readonly<Record<string, Readonly<Record<string, ColumnType>>>>;

export type TableName = keyof typeof TABLES;

/** Takes the rows of a table; of `definitions`, with its kind. */
export type Sink = (table: TableName, row: Row, kind?: string) => void | Promise<void>;

/** Hands out all rows of an archive's tables. Numbers of kernels, definitions and memberships count from 0. */
export async function fillTables(
  archive: Archive,
  sink: Sink,
  onProgress: (done: number, total: number) => void,
): Promise<void> {
  const { kernels } = archive;
  for (const [i, { id, release, distribution, architecture, pointerSize }] of kernels.entries()) {
    await sink("kernels", [i, id, release, distribution || undefined, architecture || undefined, pointerSize]);
  }
  const memberships = new Map<string, { readonly number: number; readonly kernels: number }>();
  let definition = 0;
  for await (const { kind, name, byteSize, type, places } of archive.definitions({ onProgress })) {
    const key = places.join();
    let membership = memberships.get(key);
    if (!membership) {
      const having = new Set<number>();
      const number = memberships.size;
      for (let i = 0; i < places.length; i += 2) {
        for (let place = places[i]!; place < places[i + 1]!; place++) {
          having.add(place % kernels.length);
          await sink("membership", [number, place % kernels.length, place >= kernels.length]);
        }
      }
      membership = { number, kernels: having.size };
      memberships.set(key, membership);
    }
    const parts = partsOf(definition, type);
    await sink(
      "definitions",
      [
        definition,
        name,
        byteSize === undefined ? undefined : BigInt(byteSize),
        textOf(type),
        parts.rows.length,
        membership.number,
        membership.kernels,
      ],
      kind,
    );
    if (parts.table) for (const row of parts.rows) await sink(parts.table, row);
    if (type.kind === "func" && type.proto.kind === "func_proto") {
      await sink("functions", [definition, name, typeText(type.proto.returnType), parts.rows.length]);
    }
    definition++;
  }
}

/** What a definition is of: the target of a typedef, the prototype of a function, a variable's type. */
function textOf(type: BtfType): string | undefined {
  switch (type.kind) {
    case "typedef":
      return typeText(type.target);
    case "func":
      return typeText(type.proto);
    case "var":
      return typeText(type.type);
    default:
      return undefined;
  }
}

/** The rows of a definition's parts. */
function partsOf(definition: number, type: BtfType): { readonly table?: TableName; readonly rows: readonly Row[] } {
  const shape = type.kind === "typedef" && type.target.name === "" ? type.target : type;
  if (isComposite(shape)) {
    const rows = leavesOf(shape).map(({ name, member, bitOffset }, i): Row => {
      const byteSize = member.bitfieldSize ? undefined : attempt(() => sizeOf(member.type));
      const bitSize = member.bitfieldSize || (byteSize === undefined ? undefined : byteSize * 8);
      return [
        definition,
        i,
        name,
        typeText(member.type),
        BigInt(bitOffset),
        bitSize === undefined ? undefined : BigInt(bitSize),
        member.bitfieldSize || undefined,
      ];
    });
    return { table: "members", rows };
  }
  if (shape.kind === "enum" || shape.kind === "enum64") {
    const rows = shape.values.map(({ name, value }, i): Row => {
      const wide = BigInt(value);
      return [definition, i, name, BigInt.asIntN(64, wide) === wide ? wide : undefined, String(value)];
    });
    return { table: "enumerators", rows };
  }
  if (shape.kind === "func" && shape.proto.kind === "func_proto") {
    const rows = shape.proto.params.map(({ name, type: of, typeId }, i): Row => {
      const isVariadic = typeId === 0 && name === "";
      return [definition, i, isVariadic ? "..." : name, isVariadic ? "..." : typeText(of)];
    });
    return { table: "parameters", rows };
  }
  return { rows: [] };
}
