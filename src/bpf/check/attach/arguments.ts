/**
 * Compares a program's use of its arguments with the function that it attaches
 * to: their number, and the types that they point to. Source for the places of
 * arguments: the kernel's btf_ctx_access.
 */

import { sizeOf } from "../../../btf/query/resolve.js";
import { isComposite } from "../../../btf/traverse.js";
import type { BtfType, FuncProtoType } from "../../../btf/types.js";
import { essentialName } from "../../core-relocation/essential-name.js";
import { skipModifiers } from "../../core-relocation/types.js";
import type { Use } from "../control-flow/use.js";
import { inWords } from "../in-words.js";

/** Bytes of a word: arguments follow each other in the context, in words. */
const WORD = 8;

/** Most words of one argument: functions that programs attach to have arguments of two. */
const WORDS = 16;

/** Kinds of programs that get the function's result behind its arguments. */
const WITH_RESULT = ["fexit", "fmod_ret", "fsession", "lsm", "lsm_cgroup"];

/** Uses that are checked closely where they do not fit: each check walks through the program. */
const DOUBTS = 64;

/** First members inside one another that are followed. */
const DEPTH = 16;

/** Returns how a program uses an argument against its type; `undefined` where nothing is known against the program. */
export function misused(kind: string, proto: FuncProtoType | undefined, uses: readonly Use[]): string | undefined {
  if (!proto || proto.isVariadic) return undefined;
  // The function of a trace point gets a pointer to private data first.
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

/** Returns how the types differ. Accepts `void *`, and pointers to a type that starts with the other. */
function otherType({ type, what }: { type: BtfType; what: string }, root: BtfType): string | undefined {
  const found = skipModifiers(type);
  const expected = `${what} is used as a pointer to ${inWords(root)}`;
  if (found.kind !== "ptr") {
    const isAddress = found.kind === "int" && found.byteSize === WORD;
    return isAddress ? undefined : `${expected}, it is ${inWords(found)} in the target`;
  }
  const pointed = skipModifiers(found.target);
  const ours = skipModifiers(root);
  const isNamed = (type: BtfType): boolean => (isComposite(type) || type.kind === "fwd") && type.name !== "";
  if (!isNamed(pointed) || !isNamed(ours)) return undefined;
  const name = essentialName(ours.name);
  // The local type often has only the members that the program reads: the target's type is looked at too.
  const whole = pointed.btf.find(name, ours.kind === "union" ? "union" : "struct");
  if (isVariant(pointed, whole ?? ours, name)) return undefined;
  if (startsWith(pointed, name) || startsWith(ours, pointed.name) || (whole && startsWith(whole, pointed.name))) {
    return undefined;
  }
  return `${expected}, it points to ${inWords(pointed)} in the target`;
}

/**
 * Tells whether a type is another one with a longer name and the same start, as
 * `struct sockaddr_unsized` is `struct sockaddr` with an array of no size.
 */
function isVariant(type: BtfType, other: BtfType, name: string): boolean {
  const isLonger = type.name.startsWith(`${name}_`) || name.startsWith(`${type.name}_`);
  const [a, b] = [skipModifiers(type), skipModifiers(other)];
  if (!isLonger || !isComposite(a) || !isComposite(b)) return false;
  const [first, second] = [a.members[0], b.members[0]];
  return first !== undefined && first.name === second?.name && first.bitOffset === second.bitOffset;
}

/** Tells whether a type, or its first member, has a name: a pointer to the type is then a pointer to that too. */
function startsWith(type: BtfType, name: string): boolean {
  let at = skipModifiers(type);
  for (let depth = 0; depth < DEPTH; depth++) {
    if (at.name === name) return true;
    const first: BtfType | undefined = isComposite(at) ? at.members[0]?.type : undefined;
    if (!first) return false;
    at = skipModifiers(first);
  }
  return false;
}
