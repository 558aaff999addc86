/** Puts a relocation's outcome into its instruction. Source: libbpf's bpf_core_patch_insn. */
import {
  ALU,
  ALU64,
  CLASS,
  type Code,
  INSN_SIZE,
  LD,
  LD_IMM64,
  LDX,
  SOURCE_IS_REGISTER,
  ST,
  STX,
} from "../instruction.js";
import { fail } from "./failure.js";
import type { Outcome } from "./value.js";

/** Where engines differ in what they do to an instruction. */
export interface PatchRules {
  /** A load or store whose size cannot be changed to that of the field is poisoned, an error, or left as it is. */
  readonly resizes: "or poisons" | "or fails" | "never";
  /** The instruction has to hold the local value. */
  readonly validates: boolean;
  /** Any instruction can be poisoned: also jumps, calls, packet loads, and arithmetic on two registers. */
  readonly poisonsAny: boolean;
  /** A poisoned ld_imm64 becomes two calls, or a load into the frame pointer. */
  readonly poisonsWideWith: "calls" | "load";
}

const SHRT_MAX = 0x7fff;

/**
 * Patches the instruction at byte `at`. Instructions that can be relocated:
 * arithmetic and moves with an immediate, loads and stores with an offset, and
 * ld_imm64.
 *
 * @param end where the program ends, in bytes
 * @returns whether the instruction was poisoned
 * @throws RelocationFailure; nothing is written then
 */
export function patch(code: Code, at: number, end: number, outcome: Outcome, rules: PatchRules): boolean {
  const isWide = code.opcode(at) === LD_IMM64;
  if (isWide && at + 2 * INSN_SIZE > end) fail("EINVAL", "the program ends inside an ld_imm64");
  if (outcome.poison) return poisonWhereAllowed(code, at, isWide, rules);
  switch (code.opcode(at) & CLASS) {
    case ALU:
    case ALU64:
      if (code.opcode(at) & SOURCE_IS_REGISTER)
        fail("EINVAL", "the instruction has a register where an immediate is to be patched");
      expect(outcome, BigInt(code.immediate(at)), rules);
      code.setImmediate(at, Number(BigInt.asIntN(32, outcome.value)));
      return false;
    case LDX:
    case ST:
    case STX:
      return patchAccess(code, at, outcome, rules);
    case LD:
      patchWide(code, at, isWide, outcome, rules);
      return false;
    default:
      return failWith(code, at);
  }
}

/** @returns false for an ld_imm64 that is not of a number, which is left as it is */
function poisonWhereAllowed(code: Code, at: number, isWide: boolean, rules: PatchRules): boolean {
  if (rules.poisonsAny) return poison(code, at, isWide, rules);
  const opcode = code.opcode(at);
  switch (opcode & CLASS) {
    case ALU:
    case ALU64:
      if (opcode & SOURCE_IS_REGISTER) return failWith(code, at);
      break;
    case LDX:
    case ST:
    case STX:
      break;
    case LD:
      if (!isWide) return failWith(code, at);
      if (!isNumberLoad(code, at)) return false;
      break;
    default:
      return failWith(code, at);
  }
  return poison(code, at, isWide, rules);
}

function failWith(code: Code, at: number): never {
  return fail("EINVAL", `an instruction of opcode 0x${code.opcode(at).toString(16)} cannot be relocated`);
}

function poison(code: Code, at: number, isWide: boolean, { poisonsWideWith }: PatchRules): true {
  if (isWide && poisonsWideWith === "load") {
    code.poisonLoad(at);
    return true;
  }
  code.poison(at);
  // Otherwise the verifier would complain about its second half.
  if (isWide) code.poison(at + INSN_SIZE);
  return true;
}

/** Requires the compiler's value: where it is missing, the record belongs to another instruction. */
function expect({ validate, original, value }: Outcome, found: bigint, rules: PatchRules): void {
  if (!validate || !rules.validates || BigInt.asUintN(64, found) === original) return;
  fail("EINVAL", `the instruction holds ${found}, expected ${original} (to become ${value})`);
}

function patchAccess(code: Code, at: number, outcome: Outcome, rules: PatchRules): boolean {
  const { value, sizeMismatch, originalSize, newSize } = outcome;
  expect(outcome, BigInt(code.offset(at)), rules);
  if (value > SHRT_MAX) fail("ERANGE", `offset ${value} does not fit into the 16 bits of a load or store`);
  if (sizeMismatch && rules.resizes === "or poisons") return poison(code, at, false, rules);
  if (sizeMismatch) fail("EINVAL", `the field has ${newSize} bytes in the target, ${originalSize} in the program`);
  if (newSize !== originalSize) {
    if (code.accessSize(at) !== originalSize) {
      fail("EINVAL", `the instruction moves ${code.accessSize(at)} bytes, the field has ${originalSize}`);
    }
    if (!code.setAccessSize(at, newSize))
      fail("EINVAL", `no load or store moves the ${newSize} bytes that the field has in the target`);
  }
  code.setOffset(at, Number(value));
  return false;
}

function patchWide(code: Code, at: number, isWide: boolean, outcome: Outcome, rules: PatchRules): void {
  const next = at + INSN_SIZE;
  if (!isWide || !isNumberLoad(code, at)) fail("EINVAL", "the instruction is not an ld_imm64 of a number");
  const found = (BigInt(code.immediate(next)) << 32n) | BigInt.asUintN(32, BigInt(code.immediate(at)));
  expect(outcome, found, rules);
  code.setImmediate(at, Number(BigInt.asIntN(32, outcome.value)));
  code.setImmediate(next, Number(BigInt.asIntN(32, outcome.value >> 32n)));
}

/** Tells whether an ld_imm64 loads a plain number, and its second slot is blank. */
function isNumberLoad(code: Code, at: number): boolean {
  const next = at + INSN_SIZE;
  return (
    code.source(at) === 0 &&
    code.offset(at) === 0 &&
    code.opcode(next) === 0 &&
    code.source(next) === 0 &&
    code.destination(next) === 0 &&
    code.offset(next) === 0
  );
}
