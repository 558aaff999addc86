/** The knowledge about a register or a stack slot: constants are folded as the verifier folds them. */

import type { BtfType } from "../../../btf/types.js";
import type { Program } from "../../elf/programs.js";
import { ALU_OP, JMP_OP } from "../../instruction.js";

/**
 * The value of a register or a stack slot.
 *
 * `number`: a constant of 64 bits; with `root`, an offset inside that type by a
 * CO-RE relocation. `stack`: the frame pointer plus some bytes. `context`: the
 * address of the memory that the kernel hands to a program, plus some bytes.
 * `argument`: 8 bytes read from there. `displaced`: an argument plus a number
 * of bytes that no CO-RE relocation has put there. `frozen`: an address in memory that the
 * verifier takes for constant (`.rodata`, `.kconfig`). `verifier-known`: a
 * number that the verifier knows and we do not, since it depends on such memory
 * or on the path. `unknown`: any other value, not a pointer into the stack.
 * `address`: a pointer that is not null, such as the address of a kernel symbol.
 * `maybe-stack`: any value, perhaps a pointer into the stack.
 */
export type Value =
  | { readonly kind: "number"; readonly number: bigint; readonly root?: BtfType | undefined }
  | { readonly kind: "stack"; readonly offset: number }
  | { readonly kind: "context"; readonly program: Program; readonly offset: number }
  | { readonly kind: "argument"; readonly program: Program; readonly offset: number }
  | { readonly kind: "displaced"; readonly program: Program; readonly offset: number; readonly bytes: number }
  | { readonly kind: "frozen"; readonly of: number | string; readonly offset: number }
  | { readonly kind: "verifier-known" }
  | { readonly kind: "address" }
  | { readonly kind: "unknown" }
  | { readonly kind: "maybe-stack" };

export const UNKNOWN: Value = { kind: "unknown" };
export const ADDRESS: Value = { kind: "address" };
export const MAYBE_STACK: Value = { kind: "maybe-stack" };
export const VERIFIER_KNOWN: Value = { kind: "verifier-known" };

export function constant(number: bigint | number): Value {
  return { kind: "number", number: BigInt.asUintN(64, BigInt(number)) };
}

export function same(a: Value, b: Value): boolean {
  switch (a.kind) {
    case "number":
      return b.kind === "number" && a.number === b.number && a.root === b.root;
    case "stack":
      return b.kind === "stack" && a.offset === b.offset;
    case "context":
    case "argument":
      return b.kind === a.kind && a.program === b.program && a.offset === b.offset;
    case "displaced":
      return b.kind === "displaced" && a.program === b.program && a.offset === b.offset && a.bytes === b.bytes;
    case "frozen":
      return b.kind === "frozen" && a.of === b.of && a.offset === b.offset;
    default:
      return a.kind === b.kind;
  }
}

/** Returns what is known where two paths meet. */
export function join(a: Value, b: Value): Value {
  if (same(a, b)) return a;
  if (a.kind === "number" && b.kind === "number" && a.number === b.number) return constant(a.number);
  if (mayStayPointer(a) || mayStayPointer(b)) return MAYBE_STACK;
  return isVerifierKnown(a) || isVerifierKnown(b) ? VERIFIER_KNOWN : UNKNOWN;
}

/** Tells whether the verifier knows the value on each path that leads here. */
export function isVerifierKnown({ kind }: Value): boolean {
  return kind === "number" || kind === "verifier-known";
}

/**
 * Returns the result of an ALU instruction.
 *
 * @param offset its offset field: since instruction set v4 signed division, and sign-extending moves
 */
export function compute(op: number, is64: boolean, a: Value, b: Value, offset: number): Value {
  if (op === ALU_OP.mov && offset === 0) return is64 ? b : narrowed(b);
  if (is64 && hasOffset(a) && b.kind === "number" && (op === ALU_OP.add || op === ALU_OP.sub)) {
    const bytes = Number(BigInt.asIntN(64, b.number));
    return { ...a, offset: a.offset + (op === ALU_OP.add ? bytes : -bytes) };
  }
  if (is64 && op === ALU_OP.add && b.kind === "number" && b.root === undefined && b.number !== 0n) {
    if (a.kind === "argument") return { ...a, kind: "displaced", bytes: Number(BigInt.asIntN(64, b.number)) };
    if (a.kind === "displaced") return { ...a, bytes: a.bytes + Number(BigInt.asIntN(64, b.number)) };
  }
  // And with 0 is 0, whatever the other operand is.
  if (op === ALU_OP.and && ((a.kind === "number" && a.number === 0n) || (b.kind === "number" && b.number === 0n))) {
    return constant(0);
  }
  if (b.kind === "number" && (a.kind === "number" || op === ALU_OP.mov)) {
    const bits = is64 ? 64 : 32;
    const left = a.kind === "number" ? BigInt.asUintN(bits, a.number) : 0n;
    const result = calculate(op, bits, left, BigInt.asUintN(bits, b.number), offset);
    return result === undefined ? UNKNOWN : constant(BigInt.asUintN(bits, result));
  }
  if (mayStayPointer(a) || mayStayPointer(b)) return MAYBE_STACK;
  return isVerifierKnown(b) && (isVerifierKnown(a) || op === ALU_OP.mov) ? VERIFIER_KNOWN : UNKNOWN;
}

type Pointer = Extract<Value, { readonly kind: "stack" | "context" | "frozen" }>;

/** Tells whether bytes can be added to a pointer. */
function hasOffset(value: Value): value is Pointer {
  return value.kind === "stack" || value.kind === "context" || value.kind === "frozen";
}

function mayStayPointer({ kind }: Value): boolean {
  return kind === "stack" || kind === "maybe-stack";
}

function narrowed(value: Value): Value {
  if (value.kind === "number") return constant(BigInt.asUintN(32, value.number));
  return value.kind === "verifier-known" ? value : UNKNOWN;
}

function calculate(op: number, bits: 32 | 64, a: bigint, b: bigint, offset: number): bigint | undefined {
  const shift = b & BigInt(bits - 1);
  const signed = (value: bigint): bigint => BigInt.asIntN(bits, value);
  switch (op) {
    case ALU_OP.add:
      return a + b;
    case ALU_OP.sub:
      return a - b;
    case ALU_OP.mul:
      return a * b;
    case ALU_OP.div:
      if (b === 0n) return 0n;
      return offset === 1 ? signed(a) / signed(b) : a / b;
    case ALU_OP.mod:
      if (b === 0n) return a;
      return offset === 1 ? signed(a) % signed(b) : a % b;
    case ALU_OP.or:
      return a | b;
    case ALU_OP.and:
      return a & b;
    case ALU_OP.xor:
      return a ^ b;
    case ALU_OP.lsh:
      return a << shift;
    case ALU_OP.rsh:
      return a >> shift;
    case ALU_OP.arsh:
      return signed(a) >> shift;
    case ALU_OP.neg:
      return -a;
    case ALU_OP.mov:
      return offset === 8 || offset === 16 || offset === 32 ? BigInt.asIntN(offset, b) : undefined;
    default:
      return undefined;
  }
}

/** Tells whether a conditional jump is taken; `undefined` where that is not known. */
export function isTaken(op: number, is64: boolean, a: Value, b: Value): boolean | undefined {
  // The frame pointer and addresses of symbols are never null.
  if ((a.kind === "stack" || a.kind === "address") && b.kind === "number" && b.number === 0n && is64) {
    return op === JMP_OP.equal ? false : op === JMP_OP.notEqual ? true : undefined;
  }
  if (a.kind !== "number" || b.kind !== "number") return undefined;
  const bits = is64 ? 64 : 32;
  const [x, y] = [BigInt.asUintN(bits, a.number), BigInt.asUintN(bits, b.number)];
  const [sx, sy] = [BigInt.asIntN(bits, x), BigInt.asIntN(bits, y)];
  switch (op) {
    case JMP_OP.equal:
      return x === y;
    case JMP_OP.greater:
      return x > y;
    case JMP_OP.greaterOrEqual:
      return x >= y;
    case JMP_OP.anyBitSet:
      return (x & y) !== 0n;
    case JMP_OP.notEqual:
      return x !== y;
    case JMP_OP.signedGreater:
      return sx > sy;
    case JMP_OP.signedGreaterOrEqual:
      return sx >= sy;
    case JMP_OP.less:
      return x < y;
    case JMP_OP.lessOrEqual:
      return x <= y;
    case JMP_OP.signedLess:
      return sx < sy;
    case JMP_OP.signedLessOrEqual:
      return sx <= sy;
    default:
      return undefined;
  }
}
