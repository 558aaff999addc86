/** The offset box: what lies where a crash or a disassembly points. */
import { type BtfType, fieldOf } from "btfkit";
import { memberAt, memberTextAt } from "btfkit/inspect";
import type { OffsetAnswer, TypeRef } from "../protocol.js";
import { kernelOf, type OpenKernel, typeOf } from "./kernels.js";
import { titleOf } from "./page.js";

interface Asked {
  readonly kernel: number;
  readonly text: string;
  readonly current: TypeRef | undefined;
}

/** What a text asks: a type, if it names one, and a byte offset or a path. */
export interface Wanted {
  readonly type: string | undefined;
  readonly byteOffset: number | undefined;
  readonly path: string | undefined;
}

const NUMBER = "0x[\\da-f]+|\\d+";

/**
 * Reads `task_struct+0x9e8`, `task_struct.pid`, `0x9e8`, `mov 0x9e8(%rdi),%rax`, and the address of an oops, which for
 * a NULL pointer is the offset: `BUG: kernel NULL pointer dereference, address: 00000000000009e8`.
 */
export function parseOffset(text: string): Wanted | undefined {
  const line = text.trim();
  const address = /(?:address|CR2)[:=]?\s*(?:0x)?([\da-f]{8,16})\b/i.exec(line)?.[1];
  if (address) return { type: undefined, byteOffset: Number.parseInt(address, 16), path: undefined };
  const operand =
    new RegExp(`(${NUMBER})\\(%[a-z]\\w+`, "i").exec(line)?.[1] ??
    new RegExp(`\\[\\w+, *#(${NUMBER})\\]`, "i").exec(line)?.[1];
  if (operand) return { type: undefined, byteOffset: Number(operand), path: undefined };
  const [, named, offset] =
    new RegExp(`^(?:(?:struct|union)\\s+)?([A-Za-z_]\\w*)?\\s*\\+?\\s*(${NUMBER})$`, "i").exec(line) ?? [];
  if (offset) return { type: named, byteOffset: Number(offset), path: undefined };
  const [, type, path] = /^(?:(?:struct|union)\s+)?([A-Za-z_]\w*)\s*(?:\.|->)\s*(\S+)$/.exec(line) ?? [];
  return type ? { type, byteOffset: undefined, path } : undefined;
}

export function offset({ kernel, text, current }: Asked): OffsetAnswer {
  const wanted = parseOffset(text);
  if (!wanted)
    throw new Error(`"${text.trim().slice(0, 60)}" is no offset: write task_struct+0x9e8, 0x9e8 or a line of an oops`);
  const found = kernelOf(kernel);
  const type = wanted.type ? named(found, wanted.type) : current && typeOf(current).type;
  if (!type) throw new Error("name the type too, as in task_struct+0x9e8, or open a type's page");
  const byteOffset = wanted.byteOffset ?? Math.floor(fieldOf(type.btf, type, wanted.path!).bitOffset / 8);
  return {
    type: titleOf(type),
    ref: found.refOf(type),
    byteOffset,
    text: memberTextAt(type, byteOffset),
    places: memberAt(type, byteOffset).map((place) => ({
      path: place.path,
      text: place.text,
      what: place.what,
      type: place.type.name ? titleOf(place.type) : place.type.kind,
    })),
  };
}

function named({ btfs }: OpenKernel, name: string): BtfType {
  for (const btf of btfs) {
    for (const kind of ["struct", "union", "typedef"] as const) {
      const found = btf.find(name, kind);
      if (found) return found;
    }
  }
  // The error names what is like it.
  return btfs[0]!.require(name);
}
