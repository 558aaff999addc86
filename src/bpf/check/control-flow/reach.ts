/**
 * Which instructions of a program can be reached: constants are folded through
 * its branches, functions and stack slots, as far as the kernel's verifier
 * would at least (do_check, is_branch_taken). Where it would know more, more is
 * taken to be reachable here, never less.
 */

import type { BtfType } from "../../../btf/types.js";
import { ALU64, Code, INSN_SIZE, JMP, JMP32, LD, LD_IMM64, LDX, ST, STX } from "../../core-relocation/instruction.js";
import type { RelocatedObject } from "../../core-relocation/relocate.js";
import { isCode, type Program } from "../../elf/programs.js";
import type { ElfRelocation } from "../../elf/relocations.js";
import type { BpfObject } from "../../object/object.js";
import type { Settings } from "../settings.js";
import { State } from "./state.js";
import { compute, constant, DECIDED, isDecided, isTaken, join, MAYBE, OTHER, type Value } from "./value.js";

/** Steps after which everything is taken to be reachable: some hundred times what real programs need. */
const STEPS = 1 << 21;

const ARGUMENTS = [1, 2, 3, 4, 5];
const PSEUDO_CALL = 1;

/** A function of the object and what is known of it so far. */
interface Function {
  readonly program: Program;
  returns: Value | undefined;
  /** Instructions that call it. */
  readonly callers: Set<Place>;
}

/** One instruction that was reached. */
interface Place {
  readonly function: Function;
  /** From the start of the section, in bytes. */
  readonly at: number;
  state: State;
  isPending: boolean;
  /** What comes behind it, called functions included. */
  readonly next: Set<Place>;
  /** A branch on what the verifier knows and we do not: it goes one way alone. */
  isChoice: boolean;
}

/** What a program does with a part of its context. */
export interface Use {
  /** Of the part, in bytes. */
  readonly offset: number;
  /** It is read; or it is taken for a pointer to this type, of the object's BTF. */
  readonly root: BtfType | undefined;
  /** Whether the verifier comes there whatever the settings are: for what an object can only do on some kernels. */
  isCertain(): boolean;
}

type ContextValue = Extract<Value, { readonly kind: "context" | "argument" }>;

/** The reachable instructions of programs that start at the given ones. */
export class Reach {
  readonly #object: BpfObject;
  readonly #code: (sectionIndex: number) => Code;
  readonly #relocations: ReadonlyMap<string, ElfRelocation>;
  readonly #functions = new Map<Program, Function>();
  readonly #places = new Map<string, Place>();
  readonly #pending: Place[] = [];
  #uses: Map<Program, Use[]> | undefined;
  readonly #roots = new Map<string, BtfType>();
  readonly #settings: Settings;
  #before: ReadonlyMap<Place, readonly Place[]> | undefined;
  #left = STEPS;

  /**
   * @param relocated the object's relocations and patched code, if it has any
   * @param starts the programs that are loaded
   */
  constructor(
    object: BpfObject,
    relocated: RelocatedObject | undefined,
    starts: readonly Program[],
    settings: Settings,
  ) {
    this.#object = object;
    this.#settings = settings;
    const little = object.endian === "little";
    const sections = new Map<number, Code>();
    this.#code = (index) => {
      let section = sections.get(index);
      if (!section) {
        section = new Code(relocated?.code.get(index) ?? object.dataOf(object.sections[index]!), little);
        sections.set(index, section);
      }
      return section;
    };
    for (const { record, program, resolution } of relocated?.relocations ?? []) {
      if (record.kind !== "byte_off" || !program || !resolution.root) continue;
      this.#roots.set(`${program.sectionIndex}:${record.insnByteOffset}`, resolution.root);
    }
    this.#relocations = new Map(object.relocations.map((one) => [`${one.sectionIndex}:${one.byteOffset}`, one]));
    for (const program of starts) this.#call(program, [{ kind: "context", program, offset: 0 }], undefined);
    for (let place = this.#pending.pop(); place && this.#left > 0; place = this.#pending.pop()) {
      this.#left--;
      place.isPending = false;
      this.#step(place);
    }
  }

  /** Whether an instruction can be reached, by its byte offset in its section. */
  has(program: Program, byteOffset: number): boolean {
    return this.#left <= 0 || this.#places.has(`${program.sectionIndex}:${byteOffset}`);
  }

  /** What a program does with what the kernel hands to it, as far as that is the same on all ways. */
  usesOf(program: Program): readonly Use[] {
    if (!this.#uses) {
      this.#uses = new Map();
      for (const place of this.#places.values()) this.#noteUses(place);
    }
    return this.#uses.get(program) ?? [];
  }

  /** Reads of the context, and accesses through what was read there that a relocation tells the type of. */
  #noteUses(place: Place): void {
    const { at, state } = place;
    const code = this.#code(place.function.program.sectionIndex);
    const opcode = code.opcode(at);
    const root = this.#roots.get(keyOf(place));
    const [to, from] = [state.register(code.destination(at)), state.register(code.source(at))];
    const access = (through: Value, type: BtfType | undefined): void => {
      if (type && through.kind === "argument") this.#note(place, through, type);
    };
    switch (opcode & 7) {
      case LDX:
        if (from.kind === "context") this.#note(place, from, undefined, code.offset(at));
        access(from, root);
        break;
      case ST:
      case STX:
        access(to, root);
        break;
      case ALU64:
        if ((opcode & 0xf0) !== ADD) break;
        if (!(opcode & 8)) access(to, root);
        else {
          access(to, rootOf(from));
          access(from, rootOf(to));
        }
        break;
    }
  }

  #note(place: Place, { program, offset }: ContextValue, root: BtfType | undefined, bytes = 0): void {
    const use = { offset: offset + bytes, root, isCertain: () => this.#isCertain(program, place) };
    const known = this.#uses!.get(program);
    if (known) known.push(use);
    else this.#uses!.set(program, [use]);
  }

  /**
   * Whether every choice of settings leads from a program's start to a place:
   * at a choice both ways have to, elsewhere one of them, as the verifier
   * follows all.
   */
  #isCertain(program: Program, goal: Place): boolean {
    const leads = new Set([goal]);
    for (const place of leads) {
      for (const earlier of this.#earlier().get(place) ?? []) {
        if (!earlier.isChoice || [...earlier.next].every((next) => leads.has(next))) leads.add(earlier);
      }
    }
    const start = this.#places.get(`${program.sectionIndex}:${program.byteOffset}`);
    return this.#left > 0 && start !== undefined && leads.has(start);
  }

  /** From where each place is come to. */
  #earlier(): ReadonlyMap<Place, readonly Place[]> {
    if (this.#before) return this.#before;
    const before = new Map<Place, Place[]>();
    for (const place of this.#places.values()) {
      for (const next of place.next) {
        const known = before.get(next);
        if (known) known.push(place);
        else before.set(next, [place]);
      }
    }
    this.#before = before;
    return before;
  }

  /** Enters a function: with arguments that are known, or whatever they are. */
  #call(program: Program, args: readonly Value[], caller: Place | undefined): Function {
    let found = this.#functions.get(program);
    if (!found) {
      found = { program, returns: undefined, callers: new Set() };
      this.#functions.set(program, found);
    }
    if (caller) found.callers.add(caller);
    // Global functions are checked by themselves.
    this.#reach(found, program.byteOffset, State.entry(program.isGlobal ? [] : args), caller);
    return found;
  }

  /** Comes to an instruction. One outside of the function is none that a loader would have there. */
  #reach(of: Function, at: number, state: State, from: Place | undefined): void {
    const { program } = of;
    if (at < program.byteOffset || at >= program.byteOffset + program.byteSize) return;
    const key = `${program.sectionIndex}:${at}`;
    let place = this.#places.get(key);
    if (!place) {
      place = { function: of, at, state, isPending: false, next: new Set(), isChoice: false };
      this.#places.set(key, place);
      from?.next.add(place);
    } else {
      from?.next.add(place);
      const joined = place.state.join(state);
      if (joined === place.state) return;
      place.state = joined;
    }
    if (place.isPending) return;
    place.isPending = true;
    this.#pending.push(place);
  }

  #step(place: Place): void {
    const { function: of, at, state } = place;
    const code = this.#code(of.program.sectionIndex);
    const opcode = code.opcode(at);
    const root = this.#roots.get(keyOf(place));
    const next = (after: State, size = INSN_SIZE): void => this.#reach(of, at + size, after, place);
    switch (opcode & 7) {
      case JMP:
      case JMP32:
        this.#jump(place, code, opcode);
        break;
      case LD:
        if (opcode === LD_IMM64) next(this.#loadWide(place, code), 2 * INSN_SIZE);
        // Packet loads leave their result in r0 and spoil the arguments.
        else next(afterCall(state, OTHER));
        break;
      case LDX:
        next(state.withRegister(code.destination(at), this.#loaded(state, code, at, opcode)));
        break;
      case ST:
        next(stored(state, code, at, opcode, constant(code.immediate(at))));
        break;
      case STX:
        next(stored(state, code, at, opcode, state.register(code.source(at))));
        break;
      default:
        next(this.#computed(place, code, opcode, root));
    }
  }

  /** A number, a function's address (which the kernel will call), or the address of something else. */
  #loadWide({ function: of, at, state }: Place, code: Code): State {
    const to = code.destination(at);
    const relocation = this.#relocations.get(`${of.program.sectionIndex}:${at}`);
    if (!relocation) {
      if (code.source(at) !== 0) return state.withRegister(to, OTHER);
      const high = BigInt(code.immediate(at + INSN_SIZE)) << 32n;
      return state.withRegister(to, constant(high | BigInt.asUintN(32, BigInt(code.immediate(at)))));
    }
    const symbol = this.#object.symbols[relocation.symbolIndex];
    const section = symbol && this.#object.sections[symbol.sectionIndex];
    if (symbol && section && isCode(section)) {
      const callback = this.#object.programAt(symbol.sectionIndex, symbol.byteOffset + code.immediate(at));
      if (callback) this.#call(callback, [], undefined);
    }
    return state.withRegister(to, (symbol && this.#settings.place(symbol, code.immediate(at))) ?? OTHER);
  }

  #jump(place: Place, code: Code, opcode: number): void {
    const { function: of, at, state } = place;
    const op = opcode & 0xf0;
    const is64 = (opcode & 7) === JMP;
    const target = at + INSN_SIZE * (1 + code.offset(at));
    if (op === 0x80) this.#callInstruction(place, code, opcode);
    else if (op === 0x90) this.#return(of, state.register(0));
    else if (op === 0x00) this.#reach(of, is64 ? target : at + INSN_SIZE * (1 + code.immediate(at)), state, place);
    else {
      const left = code.destination(at);
      const right = opcode & 8 ? state.register(code.source(at)) : constant(code.immediate(at));
      const taken = isTaken(op, is64, state.register(left), right);
      // Equal to a number: that it is from here on.
      const refined = is64 && right.kind === "number" ? state.withRegister(left, right) : state;
      place.isChoice = taken === undefined && isDecided(right) && isDecided(state.register(left));
      if (taken !== false) this.#reach(of, target, op === 0x10 ? refined : state, place);
      if (taken !== true) this.#reach(of, at + INSN_SIZE, op === 0x50 ? refined : state, place);
    }
  }

  #callInstruction(place: Place, code: Code, opcode: number): void {
    const { function: of, at, state } = place;
    if (code.isPoison(at)) return;
    const args = ARGUMENTS.map((index) => state.register(index));
    const isOwn = !(opcode & 8) && code.source(at) === PSEUDO_CALL;
    const callee = isOwn ? this.#calleeOf(of.program, at, code.immediate(at)) : undefined;
    if (!callee) {
      this.#reach(of, at + INSN_SIZE, afterCall(clobbered(state, args), OTHER), place);
      return;
    }
    const called = this.#call(callee, args, place);
    // Behind it only once it is known to come back.
    if (callee.isGlobal) this.#reach(of, at + INSN_SIZE, afterCall(clobbered(state, args), OTHER), place);
    else if (called.returns) this.#reach(of, at + INSN_SIZE, afterCall(clobbered(state, args), called.returns), place);
  }

  /** The function that a call in the file goes to: by its symbol, or relative to the call. */
  #calleeOf({ sectionIndex }: Program, at: number, immediate: number): Program | undefined {
    const relocation = this.#relocations.get(`${sectionIndex}:${at}`);
    if (!relocation) return this.#object.programAt(sectionIndex, at + INSN_SIZE * (immediate + 1));
    const symbol = this.#object.symbols[relocation.symbolIndex];
    return symbol && this.#object.programAt(symbol.sectionIndex, symbol.byteOffset + INSN_SIZE * (immediate + 1));
  }

  #return(of: Function, value: Value): void {
    const plain = isDecided(value) ? value : OTHER;
    const joined = of.returns ? join(of.returns, plain) : plain;
    if (joined === of.returns) return;
    of.returns = joined;
    for (const caller of of.callers) {
      if (caller.isPending) continue;
      caller.isPending = true;
      this.#pending.push(caller);
    }
  }

  #loaded(state: State, code: Code, at: number, opcode: number): Value {
    const from = state.register(code.source(at));
    const [offset, byteSize] = [code.offset(at), code.accessSize(at)];
    switch (from.kind) {
      case "stack": {
        const value = state.load(from.offset + offset, byteSize);
        return (opcode & MODE) === PLAIN || value.kind !== "number" ? value : OTHER;
      }
      case "context":
        return byteSize === 8 ? { kind: "argument", program: from.program, offset: from.offset + offset } : OTHER;
      case "frozen": {
        const held = this.#settings.read(from.of, from.offset + offset, byteSize);
        return held === undefined
          ? DECIDED
          : constant((opcode & MODE) === PLAIN ? held : BigInt.asIntN(byteSize * 8, held));
      }
      default:
        return from.kind === "maybe" ? MAYBE : OTHER;
    }
  }

  #computed(place: Place, code: Code, opcode: number, root: BtfType | undefined): State {
    const { at, state } = place;
    const to = code.destination(at);
    const op = opcode & 0xf0;
    // Byte swaps.
    if (op === 0xd0) return state.withRegister(to, OTHER);
    const own = state.register(to);
    const operand = opcode & 8 ? state.register(code.source(at)) : { ...constant(code.immediate(at)), root };
    return state.withRegister(to, compute(op, (opcode & 7) === 7, own, operand, code.offset(at)));
  }
}

/** `BPF_ADD` */
const ADD = 0x00;

function rootOf(value: Value): BtfType | undefined {
  return value.kind === "number" ? value.root : undefined;
}

function keyOf({ function: { program }, at }: Place): string {
  return `${program.sectionIndex}:${at}`;
}

function afterCall(state: State, returned: Value): State {
  let after = state.withRegister(0, returned);
  for (const index of ARGUMENTS) after = after.withRegister(index, OTHER);
  return after;
}

/** What is called may write through the pointers that it gets. */
function clobbered(state: State, args: readonly Value[]): State {
  if (args.some(({ kind }) => kind === "maybe")) return state.clobber(undefined);
  const offsets = args.flatMap((value) => (value.kind === "stack" ? [value.offset] : []));
  return offsets.length > 0 ? state.clobber(Math.min(...offsets)) : state;
}

/** Modes of loads and stores: plain, sign-extending, atomic. */
const MODE = 0xe0;
const PLAIN = 0x60;

function stored(state: State, code: Code, at: number, opcode: number, value: Value): State {
  const to = state.register(code.destination(at));
  if ((opcode & MODE) !== PLAIN) {
    // Atomic: leaves an old value in the source or in r0.
    const after = state.withRegister(code.source(at), OTHER).withRegister(0, OTHER);
    return to.kind === "other" || to.kind === "number" ? after : after.clobber(undefined);
  }
  if (to.kind === "stack") return state.store(to.offset + code.offset(at), code.accessSize(at), value);
  return to.kind === "maybe" ? state.clobber(undefined) : state;
}
