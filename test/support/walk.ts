// Looks at everything that an open Btf shows: each type's fields, size,
// alignment, resolution, its name looked up again, and its dumps.
import {
  alignOf,
  type Btf,
  BtfError,
  type BtfType,
  declaration,
  dumpC,
  dumpJson,
  dumpRaw,
  resolve,
  sizeOf,
} from "btfkit";

/** Runs what may be refused, but never in another way than with a BtfError. */
function allowed(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof BtfError) || error.code === "ERR_INTERNAL") throw error;
  }
}

function look(type: BtfType): void {
  JSON.stringify(type, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
  switch (type.kind) {
    case "struct":
    case "union":
      for (const member of type.members) void member.type.kind;
      break;
    case "func_proto":
      allowed(() => type.returnType.kind);
      for (const param of type.params) void param.type.kind;
      break;
    case "datasec":
      for (const variable of type.variables) void variable.type.kind;
      break;
    case "array":
      void [type.element.kind, type.index.kind];
      break;
    case "func":
      void type.proto.kind;
      break;
    case "var":
      void type.type.kind;
      break;
    default:
      if ("target" in type) void type.target.kind;
  }
}

/** `c`: the C texts too, which take most of the time. */
export function walk(btf: Btf, c = true): void {
  for (const type of btf.types({ own: true })) {
    look(type);
    allowed(() => sizeOf(type));
    allowed(() => alignOf(type));
    allowed(() => resolve(type));
    if (c) allowed(() => declaration(type, { name: "x" }));
    // A name that is no UTF-8 cannot be asked for.
    if (type.name && !type.name.includes("\ufffd") && !btf.findAll(type.name, type.kind).includes(type)) {
      throw new Error(`type ${type.id} is not found by its name ${JSON.stringify(type.name)}`);
    }
  }
  let length = 0;
  dumpRaw(btf).drain((chunk) => (length += chunk.length));
  dumpJson(btf).drain((chunk) => (length += chunk.length));
  dumpJson(btf, { pretty: true }).drain((chunk) => (length += chunk.length));
  if (btf.size > btf.firstId && length === 0) throw new Error("empty dump");
  btf.searchIds("a");
  if (!c) return;
  for (const sorted of [true, false]) allowed(() => dumpC(btf, { sorted, annotate: !sorted }).drain(() => {}));
}
