/** Instructions of BPF: where they have their fields, and which of them a relocation may patch. */

/** Instruction classes (`BPF_CLASS`). */
export const LD = 0x00;
export const LDX = 0x01;
export const ST = 0x02;
export const STX = 0x03;
export const ALU = 0x04;
export const JMP = 0x05;
export const JMP32 = 0x06;
export const ALU64 = 0x07;

/** `BPF_LD | BPF_IMM | BPF_DW`: takes two slots. */
export const LD_IMM64 = 0x18;
/** `BPF_JMP | BPF_CALL` */
export const CALL = 0x85;
export const EXIT = 0x95;

/** What libbpf calls in place of a relocation that failed: 0xbad2310. The verifier says `invalid func unknown#195896080`. */
export const POISON = 195896080;

export const INSN_SIZE = 8;

/** Bytes that a load or store moves, by its size bits. */
const ACCESS_SIZES: Readonly<Record<number, number>> = { 0: 4, 8: 2, 16: 1, 24: 8 };
const SIZE_BITS: Readonly<Record<number, number>> = { 4: 0x00, 2: 0x08, 1: 0x10, 8: 0x18 };

/**
 * Instructions in either byte order, read and written in place. Offsets are
 * bytes from the start of the code.
 */
export class Code {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #little: boolean;

  constructor(bytes: Uint8Array, little: boolean) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#little = little;
  }

  /** How many slots. */
  get length(): number {
    return Math.floor(this.bytes.length / INSN_SIZE);
  }

  opcode(at: number): number {
    return this.#view.getUint8(at);
  }
  setOpcode(at: number, opcode: number): void {
    this.#view.setUint8(at, opcode);
  }

  /** The registers share a byte, whose halves change places with the byte order. */
  destination(at: number): number {
    const registers = this.#view.getUint8(at + 1);
    return this.#little ? registers & 15 : registers >> 4;
  }
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

  /** 16 bits, signed. */
  offset(at: number): number {
    return this.#view.getInt16(at + 2, this.#little);
  }
  setOffset(at: number, offset: number): void {
    this.#view.setInt16(at + 2, offset, this.#little);
  }

  /** 32 bits, signed. */
  immediate(at: number): number {
    return this.#view.getInt32(at + 4, this.#little);
  }
  setImmediate(at: number, value: number): void {
    this.#view.setInt32(at + 4, value, this.#little);
  }

  /** Turns a slot into a call of what does not exist. */
  poison(at: number): void {
    this.#view.setUint32(at, 0);
    this.setOpcode(at, CALL);
    this.setImmediate(at, POISON);
  }

  /** Turns an ld_imm64 into one that writes the frame pointer, as the verifier never allows. */
  poisonLoad(at: number): void {
    this.#view.setUint8(at + 1, this.#little ? 10 : 0xa0);
    this.setOffset(at, 0);
    this.setImmediate(at, POISON);
    this.setImmediate(at + INSN_SIZE, 0);
  }

  isPoison(at: number): boolean {
    return this.opcode(at) === CALL && this.source(at) === 0 && this.immediate(at) === POISON;
  }

  /** Bytes that a load or store moves. */
  accessSize(at: number): number {
    return ACCESS_SIZES[this.opcode(at) & 0x18]!;
  }

  /** @returns whether there is an instruction for this size */
  setAccessSize(at: number, byteSize: number): boolean {
    const bits = SIZE_BITS[byteSize];
    if (bits === undefined) return false;
    this.setOpcode(at, (this.opcode(at) & ~0x18) | bits);
    return true;
  }
}
