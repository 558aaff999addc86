/** What is known of a register or a stack slot: constants, folded as the verifier folds them. */

import type { BtfType } from "../../../btf/types.js";
import type { Program } from "../../elf/programs.js";

/**
 * `number`: a constant of 64 bits; with `root`, an offset inside that type by a
 * CO-RE relocation. `stack`: the frame pointer plus some bytes. `context`: what
 * the kernel hands to a program, plus some bytes. `argument`: 8 bytes of it.
 * `frozen`: a place in memory that the verifier takes for constant (`.rodata`,
 * `.kconfig`). `decided`: a number that the verifier knows and we do not: it
 * depends on such memory, or on the way to here. `other`: anything else.
 * `maybe`: anything, perhaps a pointer into the stack.
 */
export type Value =
  | { readonly kind: "number"; readonly number: bigint; readonly root?: BtfType | undefined }
  | { readonly kind: "stack"; readonly offset: number }
  | { readonly kind: "context"; readonly program: Program; readonly offset: number }
  | { readonly kind: "argument"; readonly program: Program; readonly offset: number }
  | { readonly kind: "frozen"; readonly of: number | string; readonly offset: number }
  | { readonly kind: "decided" }
  | { readonly kind: "other" }
  | { readonly kind: "maybe" };

export const OTHER: Value = { kind: "other" };
export const MAYBE: Value = { kind: "maybe" };
export const DECIDED: Value = { kind: "decided" };

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
    case "frozen":
      return b.kind === "frozen" && a.of === b.of && a.offset === b.offset;
    default:
      return a.kind === b.kind;
  }
}

/** What is known where two ways meet. */
export function join(a: Value, b: Value): Value {
  if (same(a, b)) return a;
  if (a.kind === "number" && b.kind === "number" && a.number === b.number) return constant(a.number);
  if (mayStayPointer(a) || mayStayPointer(b)) return MAYBE;
  return isDecided(a) || isDecided(b) ? DECIDED : OTHER;
}

/** The verifier knows it on each way that leads here. */
export function isDecided({ kind }: Value): boolean {
  return kind === "number" || kind === "decided";
}

/** Operations of ALU instructions (`BPF_OP`). */
const OP = {
  add: 0x00,
  sub: 0x10,
  mul: 0x20,
  div: 0x30,
  or: 0x40,
  and: 0x50,
  lsh: 0x60,
  rsh: 0x70,
  neg: 0x80,
  mod: 0x90,
  xor: 0xa0,
  mov: 0xb0,
  arsh: 0xc0,
} as const;

/**
 * The result of an ALU instruction.
 *
 * @param offset its offset field: since instruction set v4 signed division, and sign-extending moves
 */
export function compute(op: number, is64: boolean, a: Value, b: Value, offset: number): Value {
  if (op === OP.mov && offset === 0) return is64 ? b : narrowed(b);
  if (is64 && hasOffset(a) && b.kind === "number" && (op === OP.add || op === OP.sub)) {
    const bytes = Number(BigInt.asIntN(64, b.number));
    return { ...a, offset: a.offset + (op === OP.add ? bytes : -bytes) };
  }
  // Whatever the other side is.
  if (op === OP.and && ((a.kind === "number" && a.number === 0n) || (b.kind === "number" && b.number === 0n))) {
    return constant(0);
  }
  if (b.kind === "number" && (a.kind === "number" || op === OP.mov)) {
    const bits = is64 ? 64 : 32;
    const left = a.kind === "number" ? BigInt.asUintN(bits, a.number) : 0n;
    const result = calculate(op, bits, left, BigInt.asUintN(bits, b.number), offset);
    return result === undefined ? OTHER : constant(BigInt.asUintN(bits, result));
  }
  if (mayStayPointer(a) || mayStayPointer(b)) return MAYBE;
  return isDecided(b) && (isDecided(a) || op === OP.mov) ? DECIDED : OTHER;
}

type Pointer = Extract<Value, { readonly kind: "stack" | "context" | "frozen" }>;

/** A pointer to which bytes can be added. */
function hasOffset(value: Value): value is Pointer {
  return value.kind === "stack" || value.kind === "context" || value.kind === "frozen";
}

function mayStayPointer({ kind }: Value): boolean {
  return kind === "stack" || kind === "maybe";
}

function narrowed(value: Value): Value {
  if (value.kind === "number") return constant(BigInt.asUintN(32, value.number));
  return value.kind === "decided" ? value : OTHER;
}

function calculate(op: number, bits: 32 | 64, a: bigint, b: bigint, offset: number): bigint | undefined {
  const shift = b & BigInt(bits - 1);
  const signed = (value: bigint): bigint => BigInt.asIntN(bits, value);
  switch (op) {
    case OP.add:
      return a + b;
    case OP.sub:
      return a - b;
    case OP.mul:
      return a * b;
    case OP.div:
      if (b === 0n) return 0n;
      return offset === 1 ? signed(a) / signed(b) : a / b;
    case OP.mod:
      if (b === 0n) return a;
      return offset === 1 ? signed(a) % signed(b) : a % b;
    case OP.or:
      return a | b;
    case OP.and:
      return a & b;
    case OP.xor:
      return a ^ b;
    case OP.lsh:
      return a << shift;
    case OP.rsh:
      return a >> shift;
    case OP.arsh:
      return signed(a) >> shift;
    case OP.neg:
      return -a;
    case OP.mov:
      return offset === 8 || offset === 16 || offset === 32 ? BigInt.asIntN(offset, b) : undefined;
    default:
      return undefined;
  }
}

/** Whether a conditional jump is taken; `undefined` where that is not known. */
export function isTaken(op: number, is64: boolean, a: Value, b: Value): boolean | undefined {
  // The frame pointer is never null.
  if (a.kind === "stack" && b.kind === "number" && b.number === 0n && is64) {
    return op === 0x10 ? false : op === 0x50 ? true : undefined;
  }
  if (a.kind !== "number" || b.kind !== "number") return undefined;
  const bits = is64 ? 64 : 32;
  const [x, y] = [BigInt.asUintN(bits, a.number), BigInt.asUintN(bits, b.number)];
  const [sx, sy] = [BigInt.asIntN(bits, x), BigInt.asIntN(bits, y)];
  switch (op) {
    case 0x10:
      return x === y;
    case 0x20:
      return x > y;
    case 0x30:
      return x >= y;
    case 0x40:
      return (x & y) !== 0n;
    case 0x50:
      return x !== y;
    case 0x60:
      return sx > sy;
    case 0x70:
      return sx >= sy;
    case 0xa0:
      return x < y;
    case 0xb0:
      return x <= y;
    case 0xc0:
      return sx < sy;
    case 0xd0:
      return sx <= sy;
    default:
      return undefined;
  }
}
