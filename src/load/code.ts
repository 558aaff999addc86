/** Code as it is loaded: a program with the subprograms it calls behind it. */
import { CALL, Code, INSN_SIZE, LD_IMM64, PSEUDO } from "../bpf/instruction.js";
import { type ExtRecords, type InfoSource, ProgramInfo } from "./ext-records.js";
import { fail } from "./failure.js";
import type { DraftProgram, ProgramIndex, Reference } from "./programs.js";

/** The kernel takes no longer programs (BPF_COMPLEXITY_LIMIT_INSNS). */
const INSN_LIMIT = 1_000_000;

/** One program with all that it calls. */
export interface LinkedProgram {
  readonly code: Code;
  /** Those of all its functions, with instructions counted from the program's start. */
  readonly references: readonly Reference[];
  readonly funcInfo: ExtRecords | undefined;
  readonly lineInfo: ExtRecords | undefined;
  /** Where each function starts, in instructions; the program itself is at 0. */
  readonly starts: ReadonlyMap<DraftProgram, number>;
}

interface Call {
  readonly caller: DraftProgram;
  readonly insn: number;
  readonly target: DraftProgram;
}

/** Finds what programs call. */
export interface CallGraph {
  readonly index: ProgramIndex;
  /** Section of `.text`, or -1. */
  readonly text: number;
}

/**
 * Puts the subprograms that a program calls behind it, each once, and points
 * the calls to them. Source: libbpf's bpf_object__relocate_calls.
 *
 * @param callback a function that is appended although nothing calls it
 */
export function link(
  graph: CallGraph,
  program: DraftProgram,
  callback: DraftProgram | undefined,
  infos: InfoSource,
): LinkedProgram {
  const starts = new Map<DraftProgram, number>();
  const calls: Call[] = [];
  const info = new ProgramInfo(infos, program);
  let length = 0;
  const enter = (called: DraftProgram): Iterator<Call> => {
    starts.set(called, length);
    length += called.insnCount;
    if (length > INSN_LIMIT)
      fail("E2BIG", `program "${program.name}" has more than ${INSN_LIMIT} instructions with the functions it calls`);
    info.take(called, starts.get(called)!);
    return callsOf(graph, called);
  };
  // Depth first: what a function calls follows it, unless it is there already.
  for (const root of callback ? [program, callback] : [program]) {
    if (starts.has(root)) continue;
    const open = [enter(root)];
    while (open.length > 0) {
      const { done, value: call } = open[open.length - 1]!.next();
      if (done) {
        open.pop();
        continue;
      }
      calls.push(call);
      if (!starts.has(call.target)) open.push(enter(call.target));
    }
  }
  const bytes = new Uint8Array(length * INSN_SIZE);
  const references: Reference[] = [];
  for (const [member, start] of starts) {
    bytes.set(member.code.bytes, start * INSN_SIZE);
    for (const reference of member.references) references.push({ ...reference, insn: reference.insn + start });
  }
  const code = new Code(bytes, true);
  for (const { caller, insn, target } of calls) {
    const at = starts.get(caller)! + insn;
    code.setImmediate(at * INSN_SIZE, starts.get(target)! - at - 1);
  }
  return { code, references, starts, ...info.lists };
}

/** The calls of subprograms, and the addresses that are taken of them, in the order of the code. */
function* callsOf({ index, text }: CallGraph, caller: DraftProgram): Generator<Call> {
  const references = new Map<number, Reference>();
  for (const reference of caller.references)
    if (!references.has(reference.insn)) references.set(reference.insn, reference);
  const { code } = caller;
  for (let insn = 0; insn < caller.insnCount; insn++) {
    const at = insn * INSN_SIZE;
    const reference = references.get(insn);
    const isCall =
      code.opcode(at) === CALL &&
      code.source(at) === PSEUDO.call &&
      code.destination(at) === 0 &&
      code.offset(at) === 0;
    const isAddress =
      code.opcode(at) === LD_IMM64 && (code.source(at) === PSEUDO.function || reference?.kind === "subprogram");
    if ((!isCall && !isAddress) || reference?.kind === "kfunc") continue;
    const refuse = (note: string): never => fail("RELOC", `program "${caller.name}", instruction ${insn}: ${note}`);
    if (reference && reference.kind !== "call" && reference.kind !== "subprogram")
      return refuse(`a call that refers to a ${reference.kind}`);
    if (!reference && isAddress) return refuse("the address of a function without a relocation");
    const immediate = code.immediate(at);
    const place =
      reference === undefined
        ? caller.sectionInsn + insn + immediate + 1
        : reference.kind === "call"
          ? reference.symbolOffset / INSN_SIZE + immediate + 1
          : Math.floor((reference.symbolOffset + immediate) / INSN_SIZE);
    const target = index.at(text, place);
    if (!target) return refuse("it calls a function that .text does not have");
    yield { caller, insn, target };
  }
}
