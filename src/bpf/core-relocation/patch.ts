/** Puts a relocation's outcome into its instruction. Source: libbpf's bpf_core_patch_insn. */
import type { Engine } from "./engine.js";
import { ALU, ALU64, type Code, INSN_SIZE, LD, LD_IMM64, LDX, ST, STX } from "./instruction.js";
import { refuse } from "./refusal.js";
import type { Outcome } from "./value.js";

const SHRT_MAX = 0x7fff;

/**
 * Patches the instruction at byte `at`. Instructions that can be relocated:
 * arithmetic and moves with an immediate, loads and stores with an offset, and
 * ld_imm64.
 *
 * @param end where the program ends, in bytes
 * @returns whether the instruction was poisoned
 * @throws Refusal; nothing is written then
 */
export function patch(code: Code, at: number, end: number, outcome: Outcome, engine: Engine): boolean {
  const isWide = code.opcode(at) === LD_IMM64;
  if (isWide && at + 2 * INSN_SIZE > end) refuse("EINVAL", "half an ld_imm64 at the end of the program");
  if (outcome.poison) return poison(code, at, isWide, engine);
  switch (code.opcode(at) & 7) {
    case ALU:
    case ALU64:
      if (code.opcode(at) & 8) refuse("EINVAL", "the instruction has a register where an immediate is to be patched");
      expect(outcome, BigInt(code.immediate(at)), engine);
      code.setImmediate(at, Number(BigInt.asIntN(32, outcome.value)));
      return false;
    case LDX:
    case ST:
    case STX:
      return patchAccess(code, at, outcome, engine);
    case LD:
      patchWide(code, at, isWide, outcome, engine);
      return false;
    default:
      return refuse("EINVAL", `an instruction of opcode 0x${code.opcode(at).toString(16)} cannot be relocated`);
  }
}

function poison(code: Code, at: number, isWide: boolean, { poisonsWideWith }: Engine): true {
  if (isWide && poisonsWideWith === "load") {
    code.poisonLoad(at);
    return true;
  }
  code.poison(at);
  // Otherwise the verifier would complain about its second half.
  if (isWide) code.poison(at + INSN_SIZE);
  return true;
}

/** The compiler's value has to be there, or the record belongs to another instruction. */
function expect({ validate, original, value }: Outcome, found: bigint, engine: Engine): void {
  if (!validate || !engine.validates || BigInt.asUintN(64, found) === original) return;
  refuse("EINVAL", `the instruction holds ${found}, expected ${original} (to become ${value})`);
}

function patchAccess(code: Code, at: number, outcome: Outcome, engine: Engine): boolean {
  const { value, sizeMismatch, originalSize, newSize } = outcome;
  expect(outcome, BigInt(code.offset(at)), engine);
  if (value > SHRT_MAX) refuse("ERANGE", `offset ${value} does not fit into a load or store, which has 16 bits for it`);
  if (sizeMismatch && engine.resizes === "or poisons") return poison(code, at, false, engine);
  if (sizeMismatch) refuse("EINVAL", `the field has ${newSize} bytes in the target, ${originalSize} in the program`);
  if (newSize !== originalSize) {
    if (code.accessSize(at) !== originalSize) {
      refuse("EINVAL", `the instruction moves ${code.accessSize(at)} bytes, the field has ${originalSize}`);
    }
    if (!code.setAccessSize(at, newSize))
      refuse("EINVAL", `no load or store moves the ${newSize} bytes that the field has in the target`);
  }
  code.setOffset(at, Number(value));
  return false;
}

function patchWide(code: Code, at: number, isWide: boolean, outcome: Outcome, engine: Engine): void {
  const next = at + INSN_SIZE;
  const isPlain =
    isWide &&
    code.source(at) === 0 &&
    code.offset(at) === 0 &&
    code.opcode(next) === 0 &&
    code.source(next) === 0 &&
    code.destination(next) === 0 &&
    code.offset(next) === 0;
  if (!isPlain) refuse("EINVAL", "the instruction is no ld_imm64 of a number");
  const found = (BigInt(code.immediate(next)) << 32n) | BigInt.asUintN(32, BigInt(code.immediate(at)));
  expect(outcome, found, engine);
  code.setImmediate(at, Number(BigInt.asIntN(32, outcome.value)));
  code.setImmediate(next, Number(BigInt.asIntN(32, outcome.value >> 32n)));
}
