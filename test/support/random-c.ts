// Random C: a struct as a program knows it and as a kernel has it, and a
// program that asks all there is to ask about each field.
import type { Random } from "./random.js";

const SCALARS = [
  "char",
  "u8",
  "short",
  "u16",
  "int",
  "u32",
  "long",
  "u64",
  "void *",
  "enum colour",
  "float",
  "struct named",
];
const BITFIELDS = ["u8", "u16", "u32", "u64", "int", "long"];

interface Field {
  readonly name: string;
  readonly declaration: string;
  readonly expression: string;
  readonly isBitfield: boolean;
  /** clang has no sign and no shifts of other fields. */
  readonly isNumber: boolean;
}

function pick<T>(random: Random, list: readonly T[]): T {
  return list[random(list.length)]!;
}

function field(random: Random, name: string): Field {
  switch (random(6)) {
    case 0: {
      const type = pick(random, BITFIELDS);
      const width = { u8: 8, u16: 16, u32: 32, u64: 64, int: 32, long: 64 }[type]!;
      return {
        name,
        declaration: `${type} ${name} : ${1 + random(width)};`,
        expression: name,
        isBitfield: true,
        isNumber: true,
      };
    }
    case 1: {
      const length = 1 + random(4);
      return {
        name,
        declaration: `${pick(random, SCALARS)} ${name}[${length}];`,
        expression: `${name}[${random(length)}]`,
        isBitfield: false,
        isNumber: false,
      };
    }
    case 2: {
      const [outer, inner] = [1 + random(3), 1 + random(3)];
      const declaration = `${pick(random, SCALARS)} ${name}[${outer}][${inner}];`;
      return { name, declaration, expression: `${name}[${random(outer)}]`, isBitfield: false, isNumber: false };
    }
    default: {
      const type = pick(random, SCALARS);
      return {
        name,
        declaration: `${type} ${name};`,
        expression: name,
        isBitfield: false,
        isNumber: !/\*|struct|float/.test(type),
      };
    }
  }
}

/** Declarations, some of them inside anonymous structs and unions. */
function nested(random: Random, fields: readonly Field[]): string {
  let text = "";
  for (let i = 0; i < fields.length; ) {
    const count = 1 + random(3);
    const some = fields
      .slice(i, i + count)
      .map(({ declaration }) => declaration)
      .join(" ");
    text += random(3)
      ? `  ${some}\n`
      : `  ${pick(random, ["struct", "union"])} { ${some} ${random(2) ? "struct { u16 : 3; };" : ""} };\n`;
    i += count;
  }
  return text;
}

function shuffled<T>(random: Random, list: readonly T[]): T[] {
  return list
    .map((one) => ({ one, at: random(1 << 20) }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one);
}

/** The sources of an object and of its target. */
export function randomTypes(random: Random): { object: string; target: string } {
  const names = Array.from({ length: 10 }, (_, i) => `f${i}`);
  const local = names.map((name) => field(random, name));
  // Most fields stay, move, and sometimes become something else.
  const theirs = shuffled(random, local).flatMap((one) =>
    random(8) ? [random(4) ? one : field(random, one.name)] : [],
  );
  const head = `typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32; typedef unsigned long u64;
enum colour { RED, GREEN };
#define CORE __attribute__((preserve_access_index))
struct named { u32 one; u64 two; } CORE;
`;
  let program = "";
  for (const { expression, isBitfield, isNumber } of local) {
    for (let kind = 0; kind < (isNumber ? 6 : 3); kind++)
      program += `  sum = sum * 31 + __builtin_preserve_field_info(from->${expression}, ${kind});\n`;
    if (!isBitfield) program += `  sum = sum * 31 + (u64)&from->${expression};\n`;
  }
  return {
    object: `${head}struct subject {\n${nested(random, local)}} CORE;
__attribute__((section("raw_tp/x"), used)) u64 program(struct subject *from)
{
  u64 sum = 0;
${program}  return sum;
}
char license_name[] __attribute__((section("license"), used)) = "GPL";
`,
    target: `${head}struct subject {\n  ${pick(random, SCALARS)} first;\n${nested(random, theirs)}} CORE;\nstruct subject *keep;\n`,
  };
}
