/** Registers and stack at one instruction. */
import { constant, join, MAYBE, OTHER, same, type Value } from "./value.js";

const REGISTERS = 11;
const FRAME_POINTER = 10;
/** A stack frame has 512 bytes. */
const FRAME = 512;

type Slots = ReadonlyMap<number, { readonly byteSize: number; readonly value: Value }>;

/** Immutable; what is not in it is not known. */
export class State {
  readonly #registers: readonly Value[];
  /** By their offset from the frame pointer; they never overlap. */
  readonly #slots: Slots;

  private constructor(registers: readonly Value[], slots: Slots) {
    this.#registers = registers;
    this.#slots = slots;
  }

  /** At the start of a function. */
  static entry(args: readonly Value[]): State {
    const registers: Value[] = Array.from({ length: REGISTERS }, () => OTHER);
    // Pointers into the caller's stack are none into the own one.
    args.forEach((value, i) => {
      registers[i + 1] = value.kind === "stack" || value.kind === "maybe" ? OTHER : value;
    });
    registers[FRAME_POINTER] = { kind: "stack", offset: 0 };
    return new State(registers, new Map());
  }

  register(index: number): Value {
    return this.#registers[index] ?? OTHER;
  }

  withRegister(index: number, value: Value): State {
    if (index >= FRAME_POINTER || same(this.#registers[index]!, value)) return this;
    return new State(this.#registers.with(index, value), this.#slots);
  }

  /** What lies at an offset of the stack. */
  load(offset: number, byteSize: number): Value {
    const slot = this.#slots.get(offset);
    return slot?.byteSize === byteSize ? slot.value : MAYBE;
  }

  store(offset: number, byteSize: number, value: Value): State {
    const kept = this.#without(offset, offset + byteSize);
    const isKnown = value.kind === "number" || value.kind === "decided" || (isWhole(value) && byteSize === 8);
    if (isKnown && offset >= -FRAME && offset < 0) {
      const held = value.kind === "number" ? constant(BigInt.asUintN(byteSize * 8, value.number)) : value;
      return new State(this.#registers, new Map(kept).set(offset, { byteSize, value: held }));
    }
    return kept.size === this.#slots.size ? this : new State(this.#registers, kept);
  }

  /** Something wrote through a pointer to here or beyond; `undefined`: anywhere. */
  clobber(from: number | undefined): State {
    if (this.#slots.size === 0) return this;
    return new State(this.#registers, from === undefined ? new Map() : this.#without(from, Number.POSITIVE_INFINITY));
  }

  #without(start: number, end: number): Slots {
    return new Map([...this.#slots].filter(([at, { byteSize }]) => at >= end || at + byteSize <= start));
  }

  /** What is known on both ways; `this` if the other one adds nothing. */
  join(other: State): State {
    const registers = this.#registers.map((value, i) => join(value, other.register(i)));
    const slots = new Map(
      [...this.#slots].filter(([at, { byteSize, value }]) => same(other.load(at, byteSize), value)),
    );
    const isSame = slots.size === this.#slots.size && registers.every((value, i) => same(value, this.#registers[i]!));
    return isSame ? this : new State(registers, slots);
  }
}

/** What is lost if only a part of its 8 bytes is kept. */
function isWhole({ kind }: Value): boolean {
  return kind === "stack" || kind === "context" || kind === "argument" || kind === "frozen";
}
