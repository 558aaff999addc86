/**
 * Whether a program's use of its arguments fits the function that it attaches
 * to: how many there are, and what they point to. Source for the places of
 * arguments: the kernel's btf_ctx_access.
 */

import { sizeOf } from "../../../btf/query/resolve.js";
import type { BtfType, FuncProtoType } from "../../../btf/types.js";
import { essentialName } from "../../core-relocation/names.js";
import { isComposite, skip } from "../../core-relocation/types.js";
import type { Use } from "../control-flow/reach.js";
import { described } from "../described.js";

/** Arguments lie in the context one behind the other, in words of 8 bytes. */
const WORD = 8;

/** Words of one argument, at most: functions that programs attach to have arguments of two. */
const WORDS = 16;

/** Kinds that get the function's result behind its arguments. */
const WITH_RESULT = ["fexit", "fmod_ret", "fsession", "lsm", "lsm_cgroup"];

/** Uses that do not fit are looked at closely, at most this many: each takes a walk through the program. */
const DOUBTS = 64;

/** How deep first members are looked into. */
const DEPTH = 16;

/** How a program of a kind uses an argument of a function in a way that it is not; `undefined` where nothing is known against it. */
export function misused(kind: string, proto: FuncProtoType | undefined, uses: readonly Use[]): string | undefined {
  if (!proto || proto.isVariadic) return undefined;
  // A trace point's function gets data of its own first.
  const params = kind === "tp_btf" ? proto.params.slice(1) : proto.params;
  const words = params.flatMap(({ type, name }, i) =>
    Array.from({ length: Math.min(WORDS, Math.max(1, Math.ceil((sizeOf(type) ?? WORD) / WORD))) }, () => ({
      type,
      what: `argument ${i + 1}${name ? ` (${name})` : ""}`,
    })),
  );
  const arguments_ = words.length;
  if (WITH_RESULT.includes(kind)) words.push({ type: proto.returnType, what: "the result" });
  let doubts = 0;
  for (const use of [...uses].sort((a, b) => a.offset - b.offset)) {
    const { offset, root } = use;
    const word = words[Math.floor(offset / WORD)];
    const reason = word
      ? root && offset % WORD === 0 && otherType(word, root)
      : `argument ${Math.floor(offset / WORD) - arguments_ + params.length + 1} is read, it has ${params.length} in the target`;
    if (!reason) continue;
    if (use.isCertain()) return reason;
    if (++doubts === DOUBTS) break;
  }
  return undefined;
}

/** What is not said of pointers to no particular type, and of those to what starts with the other. */
function otherType({ type, what }: { type: BtfType; what: string }, root: BtfType): string | undefined {
  const found = skip(type);
  const expected = `${what} is taken for a pointer to ${described(root)}`;
  if (found.kind !== "ptr") {
    const isAddress = found.kind === "int" && found.byteSize === WORD;
    return isAddress ? undefined : `${expected}, it is ${described(found)} in the target`;
  }
  const pointed = skip(found.target);
  const ours = skip(root);
  const isNamed = (one: BtfType): boolean => (isComposite(one) || one.kind === "fwd") && one.name !== "";
  if (!isNamed(pointed) || !isNamed(ours)) return undefined;
  const name = essentialName(ours.name);
  // The local type is often cut down to what the program reads: the target's is asked too.
  const whole = pointed.btf.find(name, ours.kind === "union" ? "union" : "struct");
  if (startsWith(pointed, name) || startsWith(ours, pointed.name) || (whole && startsWith(whole, pointed.name))) {
    return undefined;
  }
  return `${expected}, it is one to ${described(pointed)} in the target`;
}

/** Whether a type is, or has as its first member, one of a name: a pointer to it is one to that too. */
function startsWith(type: BtfType, name: string): boolean {
  let at = skip(type);
  for (let depth = 0; depth < DEPTH; depth++) {
    if (at.name === name) return true;
    const first: BtfType | undefined = isComposite(at) ? at.members[0]?.type : undefined;
    if (!first) return false;
    at = skip(first);
  }
  return false;
}
