/** Compiled, never run: what the declarations promise. */
import { Btf, type BtfType, dumpRaw, type Enumerator, fieldOf, KINDS, type Kind, type StructType } from "btfkit";
import type { Btf as JsBtf } from "btfkit/js";
import { readObject } from "btfkit/js/bpf";
import { merge } from "btfkit/js/edit";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>): void {}

const btf = Btf.parse(new Uint8Array());
same<typeof JsBtf, typeof Btf>(true);
merge([readObject(new Uint8Array()).btf ?? btf]).btf satisfies JsBtf;
const split = await btf.loadSplit(fetch("module.btf"));

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
