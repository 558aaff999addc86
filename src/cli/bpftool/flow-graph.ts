/** `prog dump xlated PROG visual`: the control flow as a graph for Graphviz. */
import { CALL as CALL_INSN, LD_IMM64, PSEUDO } from "../../bpf/instruction.js";
import { type DisassembleOptions, disassemble, type Instruction } from "../../live/disassemble.js";

/** A run of instructions without a jump in or out; both ends are indices. */
interface Block {
  index: number;
  readonly first: number;
  last: number;
}

/** bpftool formats an instruction for the graph in a buffer of this many bytes, with the NUL. */
const INSTRUCTION_LIMIT = 64;

/** Numbers of the blocks before and after a function's own. */
const ENTRY = 0;
const EXIT = 1;
const FIRST = 2;

const SOLID = 'style="solid,bold", color=black, weight=10, constraint=true';

/** Returns the graph of a program: a cluster a function, a node a block. */
export function flowGraph(instructions: readonly Instruction[], options: DisassembleOptions): string {
  let text = 'digraph "DOT graph for eBPF program" {\n';
  for (const { index, first, last } of functions(instructions)) {
    text += `subgraph "cluster_${index}" {\n\tstyle="dashed";\n\tcolor="black";\n\tlabel="func_${index} ()";\n`;
    text += functionGraph(instructions, options, index, first, last);
    text += "}\n";
  }
  return `${text}}\n`;
}

/** The program's functions in their order; their numbers are in the order in which they are first called. */
function functions(instructions: readonly Instruction[]): Block[] {
  const starts = new Map([[0, 0]]);
  for (const [i, { code, source, offset }] of instructions.entries()) {
    const start = i + offset + 1;
    if (code === CALL_INSN && source === PSEUDO.call && !starts.has(start)) starts.set(start, starts.size);
  }
  const sorted = [...starts].sort(([a], [b]) => a - b);
  return sorted.map(([first, index], i) => ({ index, first, last: (sorted[i + 1]?.[0] ?? instructions.length) - 1 }));
}

const isJump = (code: number): boolean => (code & 7) === 5 || (code & 7) === 6;
const operation = (code: number): number => code & 0xf0;
const CALL = 0x80;
const EXITS = 0x90;
const GOTO = 0x00;

function blocks(instructions: readonly Instruction[], first: number, last: number): Block[] {
  const heads = new Set([first]);
  for (let i = first; i <= last; i++) {
    const { code, offset } = instructions[i]!;
    if (!isJump(code) || operation(code) === CALL || operation(code) === EXITS) continue;
    heads.add(i + offset + 1);
    if (operation(code) !== GOTO) heads.add(i + 1);
  }
  const sorted = [...heads].sort((a, b) => a - b);
  return sorted.map((head, i) => ({
    index: FIRST + i,
    first: head,
    last: i + 1 < sorted.length ? sorted[i + 1]! - 1 : last,
  }));
}

function functionGraph(
  instructions: readonly Instruction[],
  options: DisassembleOptions,
  index: number,
  first: number,
  last: number,
): string {
  const found = blocks(instructions, first, last);
  const node = (block: number): string => `fn_${index}_bb_${block}`;
  const shape = (block: number, kind: string, label: string): string =>
    `\t${node(block)} [shape=${kind},style=filled,label="${label}"];\n\n`;
  const edge = (from: number, to: number): string => `\t${node(from)}:s -> ${node(to)}:n [${SOLID}];\n`;

  let text = shape(ENTRY, "Mdiamond", "ENTRY");
  for (const block of found) {
    const lines: string[] = [];
    for (let i = block.first; i <= block.last; i++) {
      // The second half of a 64-bit load has no line.
      if (i > block.first && instructions[i - 1]!.code === LD_IMM64) continue;
      const number = String(i - first).padStart(4);
      const line = `${disassemble(instructions[i]!, instructions[i + 1], options)}\n`.slice(0, INSTRUCTION_LIMIT - 1);
      lines.push(`${number}: ${line.replace(/[<>|&]/g, "\\$&").replaceAll("\n", "\\l\\\n")}`);
    }
    text += shape(block.index, "record", `{${lines.join(" | ")}}`);
  }
  text += shape(EXIT, "Mdiamond", "EXIT");

  const next = (i: number): number => found[i + 1]?.index ?? EXIT;
  const at = (head: number): number => found.find((block) => block.first === head)?.index ?? EXIT;
  text += edge(ENTRY, found[0]?.index ?? EXIT);
  for (const [i, { index: from, last: tail }] of found.entries()) {
    const { code, offset } = instructions[tail]!;
    if (!isJump(code) || operation(code) === EXITS) text += edge(from, next(i));
    else if (operation(code) === GOTO) text += edge(from, at(tail + offset + 1));
    else {
      text += edge(from, next(i));
      text += edge(from, at(tail + offset + 1));
    }
  }
  return `${text}\t${node(ENTRY)}:s -> ${node(EXIT)}:n [style="invis", constraint=true];\n`;
}
