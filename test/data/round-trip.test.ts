// encode is the inverse of decode: for every type of every kernel with random bytes, and beside gcc for random structs.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { Btf, type BtfError, type BtfType } from "btfkit";
import { type DecodeOptions, decoderOf, encoderOf } from "btfkit/data";
import { describe, expect, test } from "vitest";
import { corpusPath, needing } from "../support/needs.js";
import { compileSource, openObject } from "../support/objects.js";
import { type Random, seeded } from "../support/random.js";
import { SAMPLE } from "../support/samples.js";

/** Keeps all bits: texts end at their first NUL otherwise. */
const EXACT: DecodeOptions = { strings: "raw" };

/** Larger types are decoded too, but not thousands of times. */
const LARGEST = 1 << 15;

function hasValues(type: BtfType): boolean {
  try {
    return decoderOf(type).byteSize <= LARGEST;
  } catch (error) {
    expect((error as BtfError).code).toBe("ERR_DATA_TYPE");
    return false;
  }
}

/** Decodes and encodes random bytes; bits that no member holds are lost, and only those. */
function roundTrip(type: BtfType, random: Random, options: DecodeOptions): void {
  const decode = decoderOf(type, { ...EXACT, ...options });
  const encode = encoderOf(type);
  const size = decode.byteSize;
  const held = encode(decode(new Uint8Array(size).fill(0xff)));
  const bytes = Uint8Array.from({ length: size }, () => random(256));
  const again = encode(decode(bytes));
  if (again.length !== size) throw new Error(`type ${type.id}: ${again.length} bytes of ${size}`);
  for (let i = 0; i < size; i++) {
    if (again[i] !== (bytes[i]! & held[i]!)) {
      throw new Error(`type ${type.id} "${type.name}": byte ${i} is ${again[i]}, was ${bytes[i]}, held ${held[i]}`);
    }
  }
}

/** Each kernel in another way of decoding, so that all are tried on many types. */
const KERNELS: Readonly<Record<string, DecodeOptions>> = {
  "6.12-amd64": {},
  "6.1-cloud-amd64": { wide: "number", arrays: "plain" },
  "6.12-s390x": { enums: "flags" },
  "6.1-i386": { enums: "number", arrays: "view" },
  "6.12-armhf-layout": { wide: "number", arrays: "view" },
};

for (const [kernel, options] of Object.entries(KERNELS)) {
  needing("the corpus in ../shared")(`encode(decode(bytes)) is bytes for every type of ${kernel}`, () => {
    const btf = Btf.parse(gunzipSync(readFileSync(corpusPath(`vmlinux/${kernel}.btf.gz`))));
    const random = seeded(kernel);
    let count = 0;
    for (const type of btf) {
      if (!hasValues(type)) continue;
      roundTrip(type, random, options);
      count++;
    }
    expect(count).toBeGreaterThan(20000);
  });
}

test("encode(decode(bytes)) is bytes for structs of a kernel, whatever the options", () => {
  const btf = Btf.parse(gunzipSync(readFileSync(SAMPLE)));
  const random = seeded("options");
  const structs = [...btf.ofKind("struct")].filter((type) => type.byteSize <= 256 && hasValues(type));
  for (let i = 0; i < 400; i++) {
    const type = structs[random(structs.length)]!;
    for (const wide of ["bigint", "number"] as const) {
      for (const enums of ["name", "number", "flags"] as const) {
        for (const arrays of ["typed", "view", "plain"] as const) roundTrip(type, random, { wide, enums, arrays });
      }
    }
  }
});

interface CField {
  readonly name: string;
  readonly declaration: string;
  /** Of the values that are put in: width in bits, sign. */
  readonly width: number;
  readonly signed: boolean;
  /** Elements of an array, 0 for a plain field. */
  readonly length: number;
}

const TYPES = [
  ["signed char", 8, true],
  ["unsigned char", 8, false],
  ["short", 16, true],
  ["unsigned short", 16, false],
  ["int", 32, true],
  ["unsigned int", 32, false],
  ["long long", 64, true],
  ["unsigned long long", 64, false],
] as const;

function randomField(name: string, random: Random): CField {
  const [type, width, signed] = TYPES[random(TYPES.length)]!;
  switch (random(4)) {
    case 0: {
      const bits = 1 + random(width);
      return { name, declaration: `${type} ${name} : ${bits}`, width: bits, signed, length: 0 };
    }
    case 1: {
      const length = 1 + random(5);
      return { name, declaration: `${type} ${name}[${length}]`, width, signed, length };
    }
    default:
      return { name, declaration: `${type} ${name}`, width, signed, length: 0 };
  }
}

function randomValue({ width, signed }: CField, random: Random): bigint {
  let value = 0n;
  for (let i = 0; i < 8; i++) value = (value << 8n) | BigInt(random(256));
  return signed ? BigInt.asIntN(width, value) : BigInt.asUintN(width, value);
}

/** A number of C that has no warning and no overflow. */
const literal = (value: bigint, signed: boolean): string =>
  signed ? `(long long)${BigInt.asUintN(64, value)}ull` : `${value}ull`;

/** Values of integers as `bigint`s, in arrays too. */
function normal(value: unknown): unknown {
  if (typeof value === "number") return BigInt(value);
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>, normal);
  return value;
}

const STRUCTS = 60;

describe("random structs", () => {
  needing("gcc and libbpf-dev", "clang-19")("what gcc fills is decoded, and gcc reads what is encoded", () => {
    const random = seeded("gcc");
    const structs = Array.from({ length: STRUCTS }, (_, i) => {
      const fields = Array.from({ length: 1 + random(9) }, (_, j) => randomField(`f${j}`, random));
      const packed = random(4) === 0 ? " __attribute__((packed))" : "";
      const body = fields.map(({ declaration }) => `\t${declaration};\n`).join("");
      const values = fields.map((field) =>
        Array.from({ length: Math.max(1, field.length) }, () => randomValue(field, random)),
      );
      return { name: `s${i}`, fields, values, definition: `struct s${i} {\n${body}}${packed};\n` };
    });
    const definitions = structs.map(({ definition }) => definition).join("");
    const object = openObject(
      compileSource(
        "random-structs",
        `${definitions}${structs.map(({ name }) => `struct ${name} v_${name};\n`).join("")}`,
      ),
    );

    const places = structs.map(({ name, fields, values }) =>
      fields.flatMap((field, j) =>
        values[j]!.map((value, k) => ({
          place: `v_${name}.${field.name}${field.length ? `[${k}]` : ""}`,
          value: literal(value, field.signed),
        })),
      ),
    );
    const folder = mkdtempSync(join(tmpdir(), "btfkit-data-"));
    try {
      const variables = structs.map(({ name }) => `static struct ${name} v_${name};\n`).join("");
      const fill = places.flat().map(({ place, value }) => `\t${place} = ${value};\n`);
      const write = structs.map(({ name }) => `\tfwrite(&v_${name}, sizeof(v_${name}), 1, stdout);\n`);
      const read = structs.map(({ name }) => `\tif (fread(&v_${name}, sizeof(v_${name}), 1, stdin) != 1) return 2;\n`);
      const compare = places
        .flat()
        .map(({ place, value }) => `\tif (${place} != ${value}) { puts("${place}"); return 1; }\n`);
      writeFileSync(
        `${folder}/structs.c`,
        `#include <stdio.h>\n${definitions}${variables}int main(int argc, char **argv)\n{\n\tif (argc > 1) {\n${read.join("")}${compare.join("")}\treturn 0;\n\t}\n${fill.join("")}${write.join("")}\treturn 0;\n}\n`,
      );
      execFileSync("gcc", ["-w", "-o", `${folder}/structs`, `${folder}/structs.c`]);
      const bytes = execFileSync(`${folder}/structs`);

      let at = 0;
      const encoded: Uint8Array[] = [];
      for (const { name, fields, values } of structs) {
        const type = object.btf.require(name, "struct");
        const decode = decoderOf<Record<string, unknown>>(type);
        const value = decode(bytes, at);
        const expected = fields.map((field, j) => [field.name, field.length ? values[j] : values[j]![0]]);
        expect(Object.entries(value).map(([member, held]) => [member, normal(held)])).toEqual(expected);
        at += decode.byteSize;
        encoded.push(encoderOf(type)(value));
        // The text of every integer stands for it.
        const texts = Object.fromEntries(
          fields.map((field, j) => [field.name, field.length ? values[j]!.map(String) : String(values[j]![0])]),
        );
        expect(encoderOf(type)(texts)).toEqual(encoded.at(-1));
      }
      expect(at).toBe(bytes.length);
      expect(execFileSync(`${folder}/structs`, ["read"], { input: Buffer.concat(encoded), encoding: "utf8" })).toBe("");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
