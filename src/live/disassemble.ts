/**
 * Instructions of BPF as text, in the notation of the kernel's verifier log.
 *
 * Source: the notation is that of the kernel's kernel/bpf/disasm.c, the
 * encoding that of Documentation/bpf/standardization/instruction-set.rst.
 */

import {
  ACCESS,
  ALU,
  ALU_OP,
  ALU64,
  CLASS,
  JMP,
  JMP_OP,
  JMP32,
  LD,
  LD_IMM64,
  LDX,
  MODE,
  OPERATION,
  PSEUDO,
  SOURCE_IS_REGISTER,
  ST,
  STX,
} from "../bpf/instruction.js";

/** An instruction of 8 bytes. */
export interface Instruction {
  readonly code: number;
  readonly destination: number;
  readonly source: number;
  /** 16 bits, signed. */
  readonly offset: number;
  /** 32 bits, signed. */
  readonly immediate: number;
}

/** Decodes instructions of a little-endian machine. */
export function decodeInstructions(bytes: Uint8Array): Instruction[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length >> 3 }, (_, i) => {
    const registers = view.getUint8(i * 8 + 1);
    return {
      code: view.getUint8(i * 8),
      destination: registers & 15,
      source: registers >> 4,
      offset: view.getInt16(i * 8 + 2, true),
      immediate: view.getInt32(i * 8 + 4, true),
    };
  });
}

/** How names come into the text. */
export interface DisassembleOptions {
  /** The name of what an instruction calls; undefined for none. */
  readonly callName?: (instruction: Instruction) => string | undefined;
  /** The text of a 64-bit immediate. */
  readonly immediateText?: (instruction: Instruction, next: Instruction | undefined, value: bigint) => string;
  /** Only the instructions of Linux 6.1, as bpftool 7.1 prints them. */
  readonly compat?: "bpftool-7.1";
}

/** Jumps once more only where the kernel lets it (`BPF_JCOND`). */
const MAY_GOTO = 0xe0;
const MOV_REGISTER = ALU64 | ALU_OP.mov | SOURCE_IS_REGISTER;

const OPERATORS = ["+=", "-=", "*=", "/=", "|=", "&=", "<<=", ">>=", "neg", "%=", "^=", "=", "s>>=", "endian"];
const SIGNED_OPERATORS: Readonly<Record<number, string>> = { [ALU_OP.div]: "s/=", [ALU_OP.mod]: "s%=" };
const ATOMIC: Readonly<Record<number, string>> = {
  [ALU_OP.add]: "add",
  [ALU_OP.or]: "or",
  [ALU_OP.and]: "and",
  [ALU_OP.xor]: "xor",
};
const SIZES = ["u32", "u16", "u8", "u64"];
const SIGNED_SIZES = ["s32", "s16", "s8", "(null)"];
const JUMP = ["jmp", "==", ">", ">=", "&", "!=", "s>", "s>=", "call", "exit", "<", "<=", "s<", "s<="];

/** What an atomic operation does besides, and those that do something else. */
const FETCH = 1;
const EXCHANGE = 0xe1;
const COMPARE_EXCHANGE = 0xf1;
const LOAD_ACQUIRE = 0x100;
const STORE_RELEASE = 0x110;

/** A number with its sign, as C's `%+d`. */
function signed(value: number): string {
  return value < 0 ? `${value}` : `+${value}`;
}

function hexByte(value: number): string {
  return value.toString(16).padStart(2, "0");
}

/**
 * Returns the text of an instruction, such as `(bf) r6 = r1`.
 *
 * @param next the one after it, for a load of 64 bits
 */
export function disassemble(
  instruction: Instruction,
  next: Instruction | undefined,
  options: DisassembleOptions = {},
): string {
  const { code } = instruction;
  const shown = `(${hexByte(code)})`;
  switch (code & CLASS) {
    case LD:
      return load(instruction, next, options, shown);
    case LDX:
      return loadFromMemory(instruction, options, shown);
    case ST:
      return store(instruction, shown);
    case STX:
      return storeRegister(instruction, options, shown);
    case ALU:
    case ALU64:
      return arithmetic(instruction, options, shown);
    default:
      return jump(instruction, options, shown);
  }
}

function sizeOf(code: number): string {
  return SIZES[(code >> 3) & 3]!;
}

function load(
  instruction: Instruction,
  next: Instruction | undefined,
  { immediateText }: DisassembleOptions,
  shown: string,
): string {
  const { code, destination, source, immediate } = instruction;
  const mode = code & MODE;
  if (mode === ACCESS.absolute) return `${shown} r0 = *(${sizeOf(code)} *)skb[${immediate}]`;
  if (mode === ACCESS.indirect) return `${shown} r0 = *(${sizeOf(code)} *)skb[r${source} + ${immediate}]`;
  if (code !== LD_IMM64) return `BUG_ld_${hexByte(code)}`;
  const value = (BigInt.asUintN(32, BigInt(next?.immediate ?? 0)) << 32n) | BigInt.asUintN(32, BigInt(immediate));
  const text = immediateText?.(instruction, next, value) ?? `0x${value.toString(16)}`;
  return `${shown} r${destination} = ${text}`;
}

function loadFromMemory(
  { code, destination, source, offset }: Instruction,
  { compat }: DisassembleOptions,
  shown: string,
): string {
  const mode = code & MODE;
  if (mode !== ACCESS.plain && (mode !== ACCESS.signed || compat)) return `BUG_ldx_${hexByte(code)}`;
  const size = (mode === ACCESS.plain ? SIZES : SIGNED_SIZES)[(code >> 3) & 3];
  return `${shown} r${destination} = *(${size} *)(r${source} ${signed(offset)})`;
}

function store({ code, destination, offset, immediate }: Instruction, shown: string): string {
  const mode = code & MODE;
  if (mode === ACCESS.plain) return `${shown} *(${sizeOf(code)} *)(r${destination} ${signed(offset)}) = ${immediate}`;
  // What the kernel puts in against speculation.
  return mode === ACCESS.atomic ? `${shown} nospec` : `BUG_st_${hexByte(code)}`;
}

function storeRegister(
  { code, destination, source, offset, immediate }: Instruction,
  { compat }: DisassembleOptions,
  shown: string,
): string {
  const mode = code & MODE;
  const size = sizeOf(code);
  const place = `(${size} *)(r${destination} ${signed(offset)})`;
  if (mode === ACCESS.plain) return `${shown} *${place} = r${source}`;
  if (mode !== ACCESS.atomic) return `BUG_${hexByte(code)}`;
  const wide = size === "u64" ? "64" : "";
  const operation = ATOMIC[immediate & ~FETCH];
  if (operation && immediate & FETCH) {
    return `${shown} r${source} = atomic${wide}_fetch_${operation}(${place}, r${source})`;
  }
  if (operation) return `${shown} lock *${place} ${OPERATORS[immediate >> 4]} r${source}`;
  if (immediate === COMPARE_EXCHANGE) return `${shown} r0 = atomic${wide}_cmpxchg(${place}, r0, r${source})`;
  if (immediate === EXCHANGE) return `${shown} r${source} = atomic${wide}_xchg(${place}, r${source})`;
  if (!compat && immediate === LOAD_ACQUIRE) {
    return `${shown} r${destination} = load_acquire((${size} *)(r${source} ${signed(offset)}))`;
  }
  if (!compat && immediate === STORE_RELEASE) return `${shown} store_release(${place}, r${source})`;
  return `BUG_${hexByte(code)}`;
}

function arithmetic(
  { code, destination, source, offset, immediate }: Instruction,
  { compat }: DisassembleOptions,
  shown: string,
): string {
  const isWide = (code & CLASS) === ALU64;
  const register = isWide ? "r" : "w";
  const operation = code & OPERATION;
  const usesRegister = (code & SOURCE_IS_REGISTER) !== 0;
  if (operation === ALU_OP.end) {
    if (isWide)
      return compat ? `BUG_alu64_${hexByte(code)}` : `${shown} r${destination} = bswap${immediate} r${destination}`;
    return `${shown} r${destination} = ${usesRegister ? "be" : "le"}${immediate} r${destination}`;
  }
  if (operation === ALU_OP.neg) return `${shown} ${register}${destination} = -${register}${destination}`;
  let operator = OPERATORS[operation >> 4] ?? "(null)";
  let cast = "";
  if (!compat) {
    if (code === MOV_REGISTER && offset === 1) {
      const [from, to] = [immediate >>> 16, immediate & 0xffff];
      return `${shown} r${destination} = addr_space_cast(r${source}, ${from}, ${to})`;
    }
    if (code === MOV_REGISTER && offset === -1) return `${shown} r${destination} = &(void __percpu *)(r${source})`;
    if (offset === 1) operator = SIGNED_OPERATORS[operation] ?? operator;
    if (operation === ALU_OP.mov && usesRegister && (offset === 8 || offset === 16 || offset === 32))
      cast = `(s${offset})`;
  }
  const operand = usesRegister ? `${cast}${register}${source}` : `${immediate}`;
  return `${shown} ${register}${destination} ${operator} ${operand}`;
}

function jump(instruction: Instruction, { callName, compat }: DisassembleOptions, shown: string): string {
  const { code, destination, source, offset, immediate } = instruction;
  const operation = code & OPERATION;
  if (operation === JMP_OP.call) {
    const isLocal = source === PSEUDO.call;
    const name = callName?.(instruction);
    if (isLocal) return `${shown} call pc${name ?? signed(immediate)}`;
    return `${shown} call ${name ?? (source === PSEUDO.kernelCall ? "kernel-function" : "unknown")}#${immediate}`;
  }
  if (code === (JMP | JMP_OP.always)) return `${shown} goto pc${signed(offset)}`;
  if (!compat) {
    if (code === (JMP | JMP_OP.always | SOURCE_IS_REGISTER)) return `${shown} gotox r${destination}`;
    if (code === (JMP | MAY_GOTO) && source === 0) return `${shown} may_goto pc${signed(offset)}`;
    if (code === (JMP32 | JMP_OP.always)) return `${shown} gotol pc${signed(immediate)}`;
  }
  if (code === (JMP | JMP_OP.exit)) return `${shown} exit`;
  const register = (code & CLASS) === JMP32 ? "w" : "r";
  const operand = code & SOURCE_IS_REGISTER ? `${register}${source}` : `0x${(immediate >>> 0).toString(16)}`;
  return `${shown} if ${register}${destination} ${JUMP[operation >> 4] ?? "(null)"} ${operand} goto pc${signed(offset)}`;
}
