/** The registers and the stack at one instruction. */
import { FRAME_POINTER } from "../../instruction.js";
import { constant, join, MAYBE_STACK, same, UNKNOWN, type Value } from "./value.js";

const REGISTERS = 11;
/** Bytes of a stack frame. */
const FRAME = 512;

type Slots = ReadonlyMap<number, { readonly byteSize: number; readonly value: Value }>;

/** An immutable state; values that are not in it are unknown. */
export class State {
  readonly #registers: readonly Value[];
  /** Slots by their offset from the frame pointer; they never overlap. */
  readonly #slots: Slots;

  private constructor(registers: readonly Value[], slots: Slots) {
    this.#registers = registers;
    this.#slots = slots;
  }

  /** Returns the state at the start of a function. */
  static entry(args: readonly Value[]): State {
    const registers: Value[] = Array.from({ length: REGISTERS }, () => UNKNOWN);
    // A pointer into the caller's stack does not point into this frame.
    args.forEach((value, i) => {
      registers[i + 1] = value.kind === "stack" || value.kind === "maybe-stack" ? UNKNOWN : value;
    });
    registers[FRAME_POINTER] = { kind: "stack", offset: 0 };
    return new State(registers, new Map());
  }

  register(index: number): Value {
    return this.#registers[index] ?? UNKNOWN;
  }

  withRegister(index: number, value: Value): State {
    if (index >= FRAME_POINTER || same(this.#registers[index]!, value)) return this;
    return new State(this.#registers.with(index, value), this.#slots);
  }

  /** Returns the value at an offset of the stack. */
  load(offset: number, byteSize: number): Value {
    const slot = this.#slots.get(offset);
    return slot?.byteSize === byteSize ? slot.value : MAYBE_STACK;
  }

  store(offset: number, byteSize: number, value: Value): State {
    const kept = this.#without(offset, offset + byteSize);
    const isKnown = value.kind === "number" || value.kind === "verifier-known" || (isWhole(value) && byteSize === 8);
    if (isKnown && offset >= -FRAME && offset < 0) {
      const held = value.kind === "number" ? constant(BigInt.asUintN(byteSize * 8, value.number)) : value;
      return new State(this.#registers, new Map(kept).set(offset, { byteSize, value: held }));
    }
    return kept.size === this.#slots.size ? this : new State(this.#registers, kept);
  }

  /** Forgets the slots from an offset on, through which a pointer may have written; all of them if `undefined`. */
  clobber(from: number | undefined): State {
    if (this.#slots.size === 0) return this;
    return new State(this.#registers, from === undefined ? new Map() : this.#without(from, Number.POSITIVE_INFINITY));
  }

  #without(start: number, end: number): Slots {
    return new Map([...this.#slots].filter(([at, { byteSize }]) => at >= end || at + byteSize <= start));
  }

  /** Returns what is known on both paths; `this` if the other path changes nothing. */
  join(other: State): State {
    const registers = this.#registers.map((value, i) => join(value, other.register(i)));
    const slots = new Map(
      [...this.#slots].filter(([at, { byteSize, value }]) => same(other.load(at, byteSize), value)),
    );
    const isSame = slots.size === this.#slots.size && registers.every((value, i) => same(value, this.#registers[i]!));
    return isSame ? this : new State(registers, slots);
  }
}

/** Tells whether a value is lost if only a part of its 8 bytes is kept. */
function isWhole({ kind }: Value): boolean {
  return kind === "stack" || kind === "context" || kind === "argument" || kind === "frozen";
}
