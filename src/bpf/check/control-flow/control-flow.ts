/**
 * Finds the instructions of a program that can be reached: folds constants
 * through its branches, functions and stack slots, at most as far as the
 * kernel's verifier does (do_check, is_branch_taken). Where the verifier knows
 * more, more counts as reachable here, never less.
 */

import type { BtfType } from "../../../btf/types.js";
import type { RelocatedObject } from "../../core-relocation/relocation.js";
import { isCode, type Program } from "../../elf/programs.js";
import type { ElfRelocation } from "../../elf/relocations.js";
import type { ElfSymbol } from "../../elf/symbols.js";
import {
  ACCESS,
  ALU_OP,
  ALU64,
  CALL,
  CLASS,
  Code,
  INSN_SIZE,
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
} from "../../instruction.js";
import type { BpfObject } from "../../object/object.js";
import type { Settings } from "../settings.js";
import { State } from "./state.js";
import type { Use } from "./use.js";
import {
  ADDRESS,
  compute,
  constant,
  isTaken,
  isVerifierKnown,
  join,
  MAYBE_STACK,
  UNKNOWN,
  type Value,
  VERIFIER_KNOWN,
} from "./value.js";

/** Steps after which everything is taken to be reachable: some hundred times what real programs need. */
const STEPS = 1 << 21;

const ARGUMENTS = [1, 2, 3, 4, 5];

/** A function of the object, and what is known about it so far. */
interface FunctionState {
  readonly program: Program;
  returns: Value | undefined;
  /** Instructions that call it. */
  readonly callers: Set<Place>;
}

/** One instruction that was reached. */
interface Place {
  readonly function: FunctionState;
  /** From the start of the section, in bytes. */
  readonly at: number;
  state: State;
  isPending: boolean;
  /** The instructions that follow it, those of called functions included. */
  readonly next: Set<Place>;
  /** A branch on a value that the verifier knows and we do not: the verifier takes one side. */
  isChoice: boolean;
}

type ContextValue = Extract<Value, { readonly kind: "context" | "argument" }>;

/** What a program calls, and where. */
export interface Call {
  readonly program: Program;
  /** Index of the instruction in the program. */
  readonly insn: number;
}

/** An access at an offset that CO-RE does not relocate. */
export interface FixedAccess {
  /** The program whose context the pointer comes from. */
  readonly program: Program;
  /** The program or subprogram that accesses it. */
  readonly in: Program;
  readonly insn: number;
  /** From where the pointer points to. */
  readonly bytes: number;
  /** The access is a call of a helper that reads kernel memory. */
  readonly isCall: boolean;
}

/** Helpers that read kernel memory from their third argument: probe_read, probe_read_str, probe_read_kernel, probe_read_kernel_str. */
const KERNEL_READS = /* @__PURE__ */ new Set([4, 45, 113, 115]);

/** The kernel symbols that an object refers to, as a target has them. */
export interface KernelSymbols {
  /** Names of symbols that the target lacks: their addresses are null, calls of them are refused. */
  readonly absent: ReadonlySet<string>;
  /** Names of symbols that the target has. */
  readonly present: ReadonlySet<string>;
}

/** The reachable instructions of the programs that are loaded. */
export class ControlFlow {
  readonly #object: BpfObject;
  readonly #code: (sectionIndex: number) => Code;
  readonly #relocations: ReadonlyMap<string, ElfRelocation>;
  readonly #functions = new Map<Program, FunctionState>();
  readonly #places = new Map<string, Place>();
  readonly #pending: Place[] = [];
  #uses: Map<Program, Use[]> | undefined;
  readonly #roots = new Map<string, BtfType>();
  readonly #settings: Settings;
  readonly #symbols: KernelSymbols;
  readonly #absentCalls = new Map<string, Call>();
  readonly #helperCalls = new Map<number, Call>();
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
    symbols: KernelSymbols,
  ) {
    this.#object = object;
    this.#settings = settings;
    this.#symbols = symbols;
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

  /** Tells whether an instruction can be reached, by its byte offset in its section. */
  reaches(program: Program, byteOffset: number): boolean {
    return this.#left <= 0 || this.#places.has(`${program.sectionIndex}:${byteOffset}`);
  }

  /** The first reachable call of each symbol that the target lacks, by its name. */
  get absentCalls(): ReadonlyMap<string, Call> {
    return this.#absentCalls;
  }

  /** The first access of each program, without CO-RE, to what a pointer of its context points to. */
  get fixedAccesses(): ReadonlyMap<Program, FixedAccess> {
    const found = new Map<Program, FixedAccess>();
    for (const place of this.#places.values()) {
      const access = this.#fixedAccess(place);
      const known = access && found.get(access.program);
      if (access && (!known || access.insn < known.insn)) found.set(access.program, access);
    }
    return found;
  }

  #fixedAccess({ function: { program }, at, state }: Place): FixedAccess | undefined {
    if (this.#roots.has(`${program.sectionIndex}:${at}`)) return undefined;
    const code = this.#code(program.sectionIndex);
    const opcode = code.opcode(at);
    const insn = (at - program.byteOffset) / INSN_SIZE;
    const found = (through: Value, bytes: number, isCall: boolean): FixedAccess | undefined => {
      if (through.kind !== "argument" && through.kind !== "displaced") return undefined;
      const total = bytes + (through.kind === "displaced" ? through.bytes : 0);
      return { program: through.program, in: program, insn, bytes: total, isCall };
    };
    if ((opcode & CLASS) === LDX) return found(state.register(code.source(at)), code.offset(at), false);
    const isHelper = opcode === CALL && code.source(at) === 0 && !this.#symbolAt(program, at);
    if (!isHelper || !KERNEL_READS.has(code.immediate(at))) return undefined;
    const source = state.register(3);
    // A read from the start of a type does not depend on its layout as long as the first member stays.
    return source.kind === "displaced" ? found(source, 0, true) : undefined;
  }

  /** The first reachable call of each helper, by its number. */
  get helperCalls(): ReadonlyMap<number, Call> {
    return this.#helperCalls;
  }

  /** Returns the uses of a program's context that are the same on all paths. */
  usesOf(program: Program): readonly Use[] {
    if (!this.#uses) {
      this.#uses = new Map();
      for (const place of this.#places.values()) this.#noteUses(place);
    }
    return this.#uses.get(program) ?? [];
  }

  /** Notes reads of the context, and accesses through pointers read there whose type a relocation tells. */
  #noteUses(place: Place): void {
    const { at, state } = place;
    const code = this.#code(place.function.program.sectionIndex);
    const opcode = code.opcode(at);
    const root = this.#roots.get(keyOf(place));
    const [to, from] = [state.register(code.destination(at)), state.register(code.source(at))];
    const access = (through: Value, type: BtfType | undefined): void => {
      if (type && through.kind === "argument") this.#note(place, through, type);
    };
    switch (opcode & CLASS) {
      case LDX:
        if (from.kind === "context") this.#note(place, from, undefined, code.offset(at));
        access(from, root);
        break;
      case ST:
      case STX:
        access(to, root);
        break;
      case ALU64:
        if ((opcode & OPERATION) !== ALU_OP.add) break;
        if (!(opcode & SOURCE_IS_REGISTER)) access(to, root);
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
   * Tells whether every choice of settings leads from a program's start to a
   * place: at a choice both sides have to lead there; elsewhere one side is
   * enough, since the verifier follows both.
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

  /** Returns the places that come before each place. */
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

  /** Enters a function with its arguments. */
  #call(program: Program, args: readonly Value[], caller: Place | undefined): FunctionState {
    let found = this.#functions.get(program);
    if (!found) {
      found = { program, returns: undefined, callers: new Set() };
      this.#functions.set(program, found);
    }
    if (caller) found.callers.add(caller);
    // The verifier checks global functions apart from their callers: with any arguments.
    this.#reach(found, program.byteOffset, State.entry(program.isGlobal ? [] : args), caller);
    return found;
  }

  /** Reaches an instruction. A place outside of the function is left out. */
  #reach(of: FunctionState, at: number, state: State, from: Place | undefined): void {
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
    switch (opcode & CLASS) {
      case JMP:
      case JMP32:
        this.#jump(place, code, opcode);
        break;
      case LD:
        if (opcode === LD_IMM64) next(this.#loadWide(place, code), 2 * INSN_SIZE);
        // Packet loads leave their result in r0 and clobber the arguments.
        else next(afterCall(state, UNKNOWN));
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

  /** Loads a number, the address of a function (which the kernel will call), or another address. */
  #loadWide({ function: of, at, state }: Place, code: Code): State {
    const to = code.destination(at);
    const relocation = this.#relocations.get(`${of.program.sectionIndex}:${at}`);
    if (!relocation) {
      if (code.source(at) !== 0) return state.withRegister(to, UNKNOWN);
      const high = BigInt(code.immediate(at + INSN_SIZE)) << 32n;
      return state.withRegister(to, constant(high | BigInt.asUintN(32, BigInt(code.immediate(at)))));
    }
    const symbol = this.#object.symbols[relocation.symbolIndex];
    if (symbol?.sectionIndex === 0) {
      if (this.#symbols.absent.has(symbol.name)) return state.withRegister(to, constant(0));
      if (this.#symbols.present.has(symbol.name)) return state.withRegister(to, ADDRESS);
    }
    const section = symbol && this.#object.sections[symbol.sectionIndex];
    if (symbol && section && isCode(section)) {
      const callback = this.#object.programAt(symbol.sectionIndex, symbol.byteOffset + code.immediate(at));
      if (callback) this.#call(callback, [], undefined);
    }
    return state.withRegister(to, (symbol && this.#settings.place(symbol, code.immediate(at))) ?? UNKNOWN);
  }

  #jump(place: Place, code: Code, opcode: number): void {
    const { function: of, at, state } = place;
    const op = opcode & OPERATION;
    const is64 = (opcode & CLASS) === JMP;
    const target = at + INSN_SIZE * (1 + code.offset(at));
    if (op === JMP_OP.call) this.#callInstruction(place, code, opcode);
    else if (op === JMP_OP.exit) this.#return(of, state.register(0));
    else if (op === JMP_OP.always)
      this.#reach(of, is64 ? target : at + INSN_SIZE * (1 + code.immediate(at)), state, place);
    else {
      const left = code.destination(at);
      const right = opcode & SOURCE_IS_REGISTER ? state.register(code.source(at)) : constant(code.immediate(at));
      const taken = isTaken(op, is64, state.register(left), right);
      // Behind a comparison with a number the register holds that number.
      const refined = is64 && right.kind === "number" ? state.withRegister(left, right) : state;
      place.isChoice = taken === undefined && isVerifierKnown(right) && isVerifierKnown(state.register(left));
      if (taken !== false) this.#reach(of, target, op === JMP_OP.equal ? refined : state, place);
      if (taken !== true) this.#reach(of, at + INSN_SIZE, op === JMP_OP.notEqual ? refined : state, place);
    }
  }

  #callInstruction(place: Place, code: Code, opcode: number): void {
    const { function: of, at, state } = place;
    if (code.isPoison(at)) return;
    const call = { program: of.program, insn: (at - of.program.byteOffset) / INSN_SIZE };
    const symbol = this.#symbolAt(of.program, at);
    if (symbol?.sectionIndex === 0 && this.#symbols.absent.has(symbol.name)) {
      // The loader puts a call of a function that does not exist there.
      if (!this.#absentCalls.has(symbol.name)) this.#absentCalls.set(symbol.name, call);
      return;
    }
    const isHelper = !(opcode & SOURCE_IS_REGISTER) && code.source(at) === 0 && !symbol;
    if (isHelper && !this.#helperCalls.has(code.immediate(at))) this.#helperCalls.set(code.immediate(at), call);
    const args = ARGUMENTS.map((index) => state.register(index));
    const isInternal = !(opcode & SOURCE_IS_REGISTER) && code.source(at) === PSEUDO.call;
    const callee = isInternal ? this.#calleeOf(of.program, at, code.immediate(at)) : undefined;
    if (!callee) {
      this.#reach(of, at + INSN_SIZE, afterCall(clobbered(state, args), UNKNOWN), place);
      return;
    }
    const called = this.#call(callee, args, place);
    // The instruction behind the call is reached once the callee is known to return.
    if (callee.isGlobal) this.#reach(of, at + INSN_SIZE, afterCall(clobbered(state, args), UNKNOWN), place);
    else if (called.returns) this.#reach(of, at + INSN_SIZE, afterCall(clobbered(state, args), called.returns), place);
  }

  #symbolAt({ sectionIndex }: Program, at: number): ElfSymbol | undefined {
    const relocation = this.#relocations.get(`${sectionIndex}:${at}`);
    return relocation && this.#object.symbols[relocation.symbolIndex];
  }

  /** Returns the function that a call goes to: by its symbol, or relative to the call. */
  #calleeOf({ sectionIndex }: Program, at: number, immediate: number): Program | undefined {
    const relocation = this.#relocations.get(`${sectionIndex}:${at}`);
    if (!relocation) return this.#object.programAt(sectionIndex, at + INSN_SIZE * (immediate + 1));
    const symbol = this.#object.symbols[relocation.symbolIndex];
    return symbol && this.#object.programAt(symbol.sectionIndex, symbol.byteOffset + INSN_SIZE * (immediate + 1));
  }

  #return(of: FunctionState, value: Value): void {
    const plain = isVerifierKnown(value) ? value : UNKNOWN;
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
        return (opcode & MODE) === ACCESS.plain || value.kind !== "number" ? value : UNKNOWN;
      }
      case "context":
        return byteSize === 8 ? { kind: "argument", program: from.program, offset: from.offset + offset } : UNKNOWN;
      case "frozen": {
        const held = this.#settings.read(from.of, from.offset + offset, byteSize);
        return held === undefined
          ? VERIFIER_KNOWN
          : constant((opcode & MODE) === ACCESS.plain ? held : BigInt.asIntN(byteSize * 8, held));
      }
      default:
        return from.kind === "maybe-stack" ? MAYBE_STACK : UNKNOWN;
    }
  }

  #computed(place: Place, code: Code, opcode: number, root: BtfType | undefined): State {
    const { at, state } = place;
    const to = code.destination(at);
    const op = opcode & OPERATION;
    if (op === ALU_OP.end) return state.withRegister(to, UNKNOWN);
    const value = state.register(to);
    const operand =
      opcode & SOURCE_IS_REGISTER ? state.register(code.source(at)) : { ...constant(code.immediate(at)), root };
    return state.withRegister(to, compute(op, (opcode & CLASS) === ALU64, value, operand, code.offset(at)));
  }
}

function rootOf(value: Value): BtfType | undefined {
  return value.kind === "number" ? value.root : undefined;
}

function keyOf({ function: { program }, at }: Place): string {
  return `${program.sectionIndex}:${at}`;
}

function afterCall(state: State, returned: Value): State {
  let after = state.withRegister(0, returned);
  for (const index of ARGUMENTS) after = after.withRegister(index, UNKNOWN);
  return after;
}

/** Forgets what a callee may write through the pointers that it gets. */
function clobbered(state: State, args: readonly Value[]): State {
  if (args.some(({ kind }) => kind === "maybe-stack")) return state.clobber(undefined);
  const offsets = args.flatMap((value) => (value.kind === "stack" ? [value.offset] : []));
  return offsets.length > 0 ? state.clobber(Math.min(...offsets)) : state;
}

function stored(state: State, code: Code, at: number, opcode: number, value: Value): State {
  const to = state.register(code.destination(at));
  if ((opcode & MODE) !== ACCESS.plain) {
    // An atomic instruction leaves an old value in the source or in r0.
    const after = state.withRegister(code.source(at), UNKNOWN).withRegister(0, UNKNOWN);
    return to.kind === "unknown" || to.kind === "number" ? after : after.clobber(undefined);
  }
  if (to.kind === "stack") return state.store(to.offset + code.offset(at), code.accessSize(at), value);
  return to.kind === "maybe-stack" ? state.clobber(undefined) : state;
}
