// Types in a line each, to write small images down and to read what comes out:
//
//   int int 4s           NAME SIZE, s signed, c char, b bool; then bits, if not all
//   ptr 1                also const, volatile, restrict
//   array 1*16 by 1      element, length, index
//   struct s 16: a 1@0, b 2@64:3      - for a union; - is no name
//   enum e 4: A=1        enum64 alike; s behind the size: signed
//   fwd s, fwd s union
//   typedef t 1, typetag t 1, float f 4
//   proto 1: a 1, - 0
//   func f 3 global, var v 1 static
//   datasec .bss 4: 2@0+4
//   tag t 1, tag t 1.2   the second for a component
//
// Builder and views are both used, to have both tried.
import type { Btf, BtfType } from "btfkit";
import { BtfBuilder } from "btfkit/edit";

const named = (name: string | undefined): string => (name === "-" ? "" : (name ?? ""));
const shown = (name: string): string => (name === "" ? "-" : name);

function add(b: BtfBuilder, line: string): void {
  const [head = "", tail = ""] = line.split(/: (.*)/s);
  const [kind, first = "", second = "", third = ""] = head.replace(/:$/, "").split(" ");
  const items = tail.split(", ").filter(Boolean);
  const name = named(first);
  const byteSize = Number.parseInt(second, 10);
  switch (kind) {
    case "int": {
      const [, , flag = ""] = /^(\d+)(\D?)$/.exec(second)!;
      b.int(name, { byteSize, isSigned: flag === "s", isChar: flag === "c", isBool: flag === "b" });
      break;
    }
    case "float":
      b.float(name, { byteSize });
      break;
    case "ptr":
    case "const":
    case "volatile":
    case "restrict":
      b[kind](b.id(Number(first)));
      break;
    case "array": {
      const [element, length] = first.split("*").map(Number);
      b.array(b.id(element!), { length: length!, index: b.id(Number(third)) });
      break;
    }
    case "struct":
    case "union":
      b[kind](
        name,
        { byteSize },
        items.map((item) => {
          const [, member, type, bitOffset, bits] = /^(\S+) (\d+)@(\d+)(?::(\d+))?$/.exec(item)!;
          const place = { bitOffset: Number(bitOffset), ...(bits && { bitfieldSize: Number(bits) }) };
          return [named(member), b.id(Number(type)), place] as const;
        }),
      );
      break;
    case "enum":
      b.enum(
        name,
        { byteSize },
        items.map((item) => [item.split("=")[0]!, Number(item.split("=")[1])] as const),
      );
      break;
    case "enum64":
      b.enum64(
        name,
        { byteSize, isSigned: second.endsWith("s") },
        items.map((item) => [item.split("=")[0]!, BigInt(item.split("=")[1]!)] as const),
      );
      break;
    case "fwd":
      b.fwd(name, second === "union" ? "union" : "struct");
      break;
    case "typedef":
      b.typedef(name, b.id(Number(second)));
      break;
    case "typetag":
      b.typeTag(name, b.id(Number(second)));
      break;
    case "proto":
      b.funcProto(
        b.id(Number(first)),
        items.map((item) => [named(item.split(" ")[0]), b.id(Number(item.split(" ")[1]))] as const),
      );
      break;
    case "func":
      b.func(name, b.id(Number(second)), third as "static");
      break;
    case "var":
      b.var(name, b.id(Number(second)), third as "static");
      break;
    case "datasec":
      b.datasec(
        name,
        { byteSize },
        items.map((item) => {
          const [type, byteOffset, size] = item.split(/[@+]/).map(Number);
          return [b.id(type!), { byteOffset: byteOffset!, byteSize: size! }] as const;
        }),
      );
      break;
    case "tag": {
      const [target, component] = second.split(".").map(Number);
      b.declTag(name, b.id(target!), component === undefined ? {} : { componentIndex: component });
      break;
    }
    default:
      throw new Error(`what is ${line}?`);
  }
}

/** A Btf of such lines, on a base or none. */
export function built(lines: readonly string[], base?: Btf): Btf {
  const b = new BtfBuilder(base ? { base } : {});
  for (const line of lines) add(b, line);
  return b.build();
}

function lineOf(type: BtfType): string {
  const name = shown(type.name);
  const list = (head: string, items: readonly string[]): string =>
    items.length ? `${head}: ${items.join(", ")}` : head;
  switch (type.kind) {
    case "int": {
      const bits =
        type.bitSize === type.byteSize * 8 && type.bitOffset === 0 ? "" : ` ${type.bitOffset}+${type.bitSize}`;
      return `int ${name} ${type.byteSize}${type.isSigned ? "s" : type.isChar ? "c" : type.isBool ? "b" : ""}${bits}`;
    }
    case "float":
      return `float ${name} ${type.byteSize}`;
    case "array":
      return `array ${type.elementId}*${type.length} by ${type.indexId}`;
    case "struct":
    case "union":
      return list(
        `${type.kind} ${name} ${type.byteSize}`,
        type.members.map(
          (m) => `${shown(m.name)} ${m.typeId}@${m.bitOffset}${m.bitfieldSize ? `:${m.bitfieldSize}` : ""}`,
        ),
      );
    case "enum":
    case "enum64":
      return list(
        `${type.kind} ${name} ${type.byteSize}${type.kind === "enum64" && type.isSigned ? "s" : ""}`,
        type.values.map((v) => `${v.name}=${v.value}`),
      );
    case "fwd":
      return `fwd ${name}${type.forwardKind === "union" ? " union" : ""}`;
    case "typedef":
      return `typedef ${name} ${type.targetId}`;
    case "type_tag":
      return `typetag ${name} ${type.targetId}`;
    case "func_proto":
      return list(
        `proto ${type.returnTypeId}`,
        type.params.map((p) => `${shown(p.name)} ${p.typeId}`),
      );
    case "func":
      return `func ${name} ${type.protoId} ${type.linkage}`;
    case "var":
      return `var ${name} ${type.typeId} ${type.linkage}`;
    case "datasec":
      return list(
        `datasec ${name} ${type.byteSize}`,
        type.variables.map((v) => `${v.typeId}@${v.byteOffset}+${v.byteSize}`),
      );
    case "decl_tag":
      return `tag ${name} ${type.targetId}${type.componentIndex < 0 ? "" : `.${type.componentIndex}`}`;
    case "ptr":
    case "const":
    case "volatile":
    case "restrict":
      return `${type.kind} ${type.targetId}`;
    default:
      throw new Error(`no line for ${type.kind}`);
  }
}

/** The own types of a Btf, a line each. */
export function lines(btf: Btf): string[] {
  return [...btf.types({ own: true })].map(lineOf);
}
