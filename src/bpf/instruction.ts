/** BPF instructions: their opcodes, and reading and writing their fields in either byte order. */

/** Bytes of one instruction slot; an ld_imm64 takes two. */
export const INSN_SIZE = 8;

/** Masks an opcode's class (`BPF_CLASS`). */
export const CLASS = 0x07;
export const LD = 0x00;
export const LDX = 0x01;
export const ST = 0x02;
export const STX = 0x03;
export const ALU = 0x04;
export const JMP = 0x05;
export const JMP32 = 0x06;
export const ALU64 = 0x07;

/** The operand of an arithmetic instruction or jump is a register, not the immediate (`BPF_X`). */
export const SOURCE_IS_REGISTER = 0x08;

/** Masks the operation of an arithmetic instruction or jump (`BPF_OP`). */
export const OPERATION = 0xf0;

/** Arithmetic operations. */
export const ALU_OP = {
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
  /** Swaps bytes (`BPF_END`). */
  end: 0xd0,
} as const;

/** Jumps, calls and exits; the conditions compare the destination with the operand. */
export const JMP_OP = {
  /** Always (`BPF_JA`). */
  always: 0x00,
  equal: 0x10,
  greater: 0x20,
  greaterOrEqual: 0x30,
  anyBitSet: 0x40,
  notEqual: 0x50,
  signedGreater: 0x60,
  signedGreaterOrEqual: 0x70,
  call: 0x80,
  exit: 0x90,
  less: 0xa0,
  lessOrEqual: 0xb0,
  signedLess: 0xc0,
  signedLessOrEqual: 0xd0,
} as const;

/** Masks the mode of a load or store (`BPF_MODE`). */
export const MODE = 0xe0;
/** Modes of loads and stores. */
export const ACCESS = {
  /** A value in the instruction (`BPF_IMM`). */
  immediate: 0x00,
  /** Of a packet, at a constant place (`BPF_ABS`). */
  absolute: 0x20,
  /** Of a packet, at a place that a register counts from (`BPF_IND`). */
  indirect: 0x40,
  /** `BPF_MEM` */
  plain: 0x60,
  /** A load that keeps the sign (`BPF_MEMSX`). */
  signed: 0x80,
  atomic: 0xc0,
} as const;
/** Masks the size of a load or store (`BPF_SIZE`). */
const SIZE = 0x18;

/** `BPF_LD | BPF_IMM | BPF_DW`: takes two slots. */
export const LD_IMM64 = 0x18;
/** `BPF_JMP | BPF_CALL` */
export const CALL = 0x85;

/** What the source register says of a call's target, or of where an ld_imm64 takes its value from (`BPF_PSEUDO_*`). */
export const PSEUDO = {
  /** A map, by its descriptor. */
  mapFd: 1,
  /** An address in the value of a map, by the map's descriptor. */
  mapValue: 2,
  /** The address of a kernel variable, by its type id. */
  btfId: 3,
  /** The address of a function of the program. */
  function: 4,
  /** An address in the value of a map, by the map's index in the list that is loaded with the program. */
  mapIndexValue: 6,
  /** A call to another function of the object. */
  call: 1,
  /** A call to a kernel function. */
  kernelCall: 2,
} as const;

/** The frame pointer's register, which no instruction may write. */
export const FRAME_POINTER = 10;

/** What libbpf calls in place of a relocation that failed: 0xbad2310. The verifier says `invalid func unknown#195896080`. */
export const POISON = 195896080;

/** Bytes that a load or store moves, by its size bits. */
const ACCESS_SIZES: Readonly<Record<number, number>> = { 0: 4, 8: 2, 16: 1, 24: 8 };
/** Size bits of a load or store, by the bytes that it moves. */
const SIZE_BITS: Readonly<Record<number, number>> = { 4: 0x00, 2: 0x08, 1: 0x10, 8: 0x18 };

/** Instructions of one section, read and written in place. Places are byte offsets from the start of the code. */
export class Code {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #little: boolean;

  constructor(bytes: Uint8Array, little: boolean) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#little = little;
  }

  /** The number of slots. */
  get length(): number {
    return Math.floor(this.bytes.length / INSN_SIZE);
  }

  opcode(at: number): number {
    return this.#view.getUint8(at);
  }
  setOpcode(at: number, opcode: number): void {
    this.#view.setUint8(at, opcode);
  }

  /** The destination register. The two registers share a byte, whose halves change places with the byte order. */
  destination(at: number): number {
    const registers = this.#view.getUint8(at + 1);
    return this.#little ? registers & 15 : registers >> 4;
  }
  /** The source register. */
  source(at: number): number {
    const registers = this.#view.getUint8(at + 1);
    return this.#little ? registers >> 4 : registers & 15;
  }

  setSource(at: number, register: number): void {
    const registers = this.#view.getUint8(at + 1);
    this.#view.setUint8(at + 1, this.#little ? (registers & 15) | (register << 4) : (registers & 0xf0) | register);
  }

  /** Sets a slot to zeros. */
  clear(at: number): void {
    this.bytes.fill(0, at, at + INSN_SIZE);
  }

  /** The offset field: 16 bits, signed. */
  offset(at: number): number {
    return this.#view.getInt16(at + 2, this.#little);
  }
  setOffset(at: number, offset: number): void {
    this.#view.setInt16(at + 2, offset, this.#little);
  }

  /** The immediate: 32 bits, signed. */
  immediate(at: number): number {
    return this.#view.getInt32(at + 4, this.#little);
  }
  setImmediate(at: number, value: number): void {
    this.#view.setInt32(at + 4, value, this.#little);
  }

  /** Replaces a slot by a call of a function that does not exist. */
  poison(at: number): void {
    this.#view.setUint32(at, 0);
    this.setOpcode(at, CALL);
    this.setImmediate(at, POISON);
  }

  /** Makes an ld_imm64 write the frame pointer, which the verifier refuses. */
  poisonLoad(at: number): void {
    this.#view.setUint8(at + 1, this.#little ? FRAME_POINTER : FRAME_POINTER << 4);
    this.setOffset(at, 0);
    this.setImmediate(at, POISON);
    this.setImmediate(at + INSN_SIZE, 0);
  }

  isPoison(at: number): boolean {
    return this.opcode(at) === CALL && this.source(at) === 0 && this.immediate(at) === POISON;
  }

  /** The number of bytes that a load or store moves. */
  accessSize(at: number): number {
    return ACCESS_SIZES[this.opcode(at) & SIZE]!;
  }

  /** Changes the size of a load or store. @returns false where no instruction moves that many bytes */
  setAccessSize(at: number, byteSize: number): boolean {
    const bits = SIZE_BITS[byteSize];
    if (bits === undefined) return false;
    this.setOpcode(at, (this.opcode(at) & ~SIZE) | bits);
    return true;
  }
}
