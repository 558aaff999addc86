/** Compiled, never run: what the declarations promise. */
import {
  Btf,
  BtfError,
  type BtfType,
  dumpRaw,
  type Enumerator,
  type ErrorCode,
  fieldOf,
  KINDS,
  type Kind,
  type Member,
  resolve,
  type StructType,
  type sizeOf,
  type TypeOf,
} from "btfkit";
import { type check, readObject, relocate, type Verdict } from "btfkit/bpf";
import { type BTF_FEATURES, BtfBuilder, type BtfFeature, dedup, merge, verify } from "btfkit/edit";
import type { Btf as JsBtf } from "btfkit/js";
import { readObject as jsReadObject } from "btfkit/js/bpf";
import { merge as jsMerge } from "btfkit/js/edit";
import { openFile } from "btfkit/node";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>): void {}

const btf = Btf.parse(new Uint8Array());
same<typeof JsBtf, typeof Btf>(true);
jsMerge([jsReadObject(new Uint8Array()).btf ?? btf]).btf satisfies JsBtf;
const split = await btf.loadSplit(fetch("module.btf"));

const searched = btf.search("task", { kind: "struct", limit: 5 });
same<typeof searched, StructType[]>(true);
const anything = btf.search("task");
same<typeof anything, BtfType[]>(true);
const found = btf.find("task_struct", "struct");
same<typeof found, StructType | undefined>(true);
const required = split.require("task_struct", "struct");
same<typeof required, StructType>(true);
const unknown = btf.get(1);
same<typeof unknown, BtfType | undefined>(true);
const first: Kind = KINDS[1];
split.pointerSize = fieldOf(btf, required, first).byteSize === 4 ? 4 : 8;

for (const type of btf.types({ own: true })) {
  if (type.kind === "enum64") same<typeof type.values, readonly Enumerator<bigint>[]>(true);
  // @ts-expect-error: only a struct or union has members
  void type.members;
  if (type.kind === "ptr") type.target satisfies BtfType;
}

for await (const chunk of dumpRaw(btf, { types: [required, 1] })) chunk satisfies Uint8Array;
// @ts-expect-error: views are not to be written
required.byteSize = 8;

/** Each kind has fields of its own; none is left over. */
function narrowed(type: BtfType): unknown {
  switch (type.kind) {
    case "struct":
    case "union":
      return same<typeof type.members, readonly Member[]>(true);
    case "int":
      return type.isSigned satisfies boolean;
    case "enum":
      return same<typeof type.values, readonly Enumerator<number>[]>(true);
    case "enum64":
      return type.values[0]?.value satisfies bigint | undefined;
    case "array":
      return [type.element satisfies BtfType, type.length satisfies number];
    case "fwd":
      return type.forwardKind satisfies "struct" | "union";
    case "func":
      return type.linkage satisfies "static" | "global" | "extern" | "unknown";
    case "func_proto":
      return [type.returnType satisfies BtfType, type.isVariadic satisfies boolean];
    case "var":
      return type.type satisfies BtfType;
    case "datasec":
      return type.variables[0]?.byteOffset satisfies number | undefined;
    case "float":
      return type.byteSize satisfies number;
    case "decl_tag":
      return type.componentIndex satisfies number;
    case "ptr":
    case "typedef":
    case "volatile":
    case "const":
    case "restrict":
    case "type_tag":
      return type.target satisfies BtfType;
    case "unknown":
      return type.kindNumber satisfies number;
    case "void":
      return type.id satisfies number;
    default:
      return type satisfies never;
  }
}
void narrowed;

same<TypeOf<Kind>, BtfType>(true);
same<TypeOf<"struct" | "union">["members"], readonly Member[]>(true);
same<ReturnType<typeof sizeOf>, number | undefined>(true);
// What a typedef or modifier stands for is none itself.
const behind = resolve(required);
// @ts-expect-error: so this compares kinds that never meet
void (behind.kind === "typedef");
// @ts-expect-error: no kind of BTF
btf.find("task_struct", "class");

try {
  openFile("vmlinux");
} catch (error) {
  if (error instanceof BtfError) {
    same<typeof error.code, ErrorCode>(true);
    // @ts-expect-error: no such code
    void (error.code === "ERR_NO_SUCH_CODE");
  }
}

const object = readObject(new ArrayBuffer(8));
same<ReturnType<typeof check>["verdict"], Verdict>(true);
// @ts-expect-error: no such loader
relocate(object, btf, { engine: "other" });
for (const { status } of relocate(object, { vmlinux: btf, modules: [split] }).relocations) status satisfies string;

const builder = new BtfBuilder({ base: btf, endian: "big" });
builder.struct("s", { byteSize: 4 }, [["a", builder.int("int", { byteSize: 4 })]]) satisfies number;
// @ts-expect-error: a member has a type
builder.struct("s", { byteSize: 4 }, [["a"]]);
same<typeof BTF_FEATURES, readonly BtfFeature[]>(true);
dedup(builder.build()).map satisfies Uint32Array;
merge([btf, split]).btf satisfies Btf;
verify(new Uint8Array(), { kernel: "6.1" }).findings[0]?.message satisfies string | undefined;
