/** Function and line records of `.BTF.ext` as they are handed to the kernel: raw, with instructions counted from the program's start. */
import { INSN_SIZE } from "../bpf/instruction.js";
import type { BpfObject } from "../bpf/object/object.js";
import { fail } from "./failure.js";
import type { DraftProgram } from "./programs.js";

/** Records of a program, one behind the other. */
export interface ExtRecords {
  /** Of one record, in bytes. */
  readonly recordSize: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** One list of `.BTF.ext`: the records of each section by the section's index. */
interface ExtList {
  readonly recordSize: number;
  readonly sections: readonly { readonly index: number; readonly records: Uint8Array }[];
}

/** Both lists; `undefined` for one that the object does not have. */
export interface InfoSource {
  readonly funcInfo: ExtList | undefined;
  readonly lineInfo: ExtList | undefined;
}

const NOTHING: InfoSource = { funcInfo: undefined, lineInfo: undefined };

/** Reads both lists of a little-endian object that readExt has read before; none where there is no .BTF.ext. */
export function readInfos(object: BpfObject, hasExt: boolean): InfoSource {
  if (!hasExt || object.endian !== "little") return NOTHING;
  const { extBytes: bytes } = object;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = view.getUint32(4, true);
  const indices = new Map<string, number>();
  for (const [index, { name }] of object.sections.entries()) if (!indices.has(name)) indices.set(name, index);
  const list = (field: number): ExtList | undefined => {
    const [start, length] = [headerLength + view.getUint32(field, true), view.getUint32(field + 4, true)];
    if (length === 0) return undefined;
    const recordSize = view.getUint32(start, true);
    const sections = [];
    for (let at = start + 4; at < start + length; ) {
      const name = object.btf.image.string(view.getUint32(at, true));
      const end = at + 8 + view.getUint32(at + 4, true) * recordSize;
      sections.push({ index: (name && indices.get(name)) || 0, records: bytes.subarray(at + 8, end) });
      at = end;
    }
    return { recordSize, sections };
  };
  return { funcInfo: list(8), lineInfo: list(16) };
}

/** The records of one function, moved to instruction `start`; `undefined` without one. Source: adjust_prog_btf_ext_info. */
function recordsOf({ recordSize, sections }: ExtList, program: DraftProgram, start: number): Uint8Array | undefined {
  const section = sections.find(({ index }) => index === program.sectionIndex);
  if (!section) return undefined;
  const { records } = section;
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
  const end = program.sectionInsn + program.insnCount;
  let [from, to] = [-1, -1];
  for (let at = 0; at + recordSize <= records.length; at += recordSize) {
    const insn = Math.floor(view.getUint32(at, true) / INSN_SIZE);
    if (insn < program.sectionInsn) continue;
    if (insn >= end) break;
    if (from < 0) from = at;
    to = at + recordSize;
  }
  if (from < 0) return undefined;
  const taken = records.slice(from, to);
  const moved = new DataView(taken.buffer);
  for (let at = 0; at < taken.length; at += recordSize) {
    const insn = Math.floor(moved.getUint32(at, true) / INSN_SIZE);
    moved.setUint32(at, insn + start - program.sectionInsn, true);
  }
  return taken;
}

const LISTS = ["funcInfo", "lineInfo"] as const;

/** Collects the records of a program and of what it calls. Source: libbpf's reloc_prog_func_and_line_info. */
export class ProgramInfo {
  readonly #source: InfoSource;
  readonly #main: DraftProgram;
  readonly #parts = { funcInfo: [] as Uint8Array[], lineInfo: [] as Uint8Array[] };

  constructor(source: InfoSource, main: DraftProgram) {
    this.#source = source;
    this.#main = main;
  }

  /** Adds those of a function that stands at instruction `start`. */
  take(program: DraftProgram, start: number): void {
    for (const list of LISTS) {
      const from = this.#source[list];
      const parts = this.#parts[list];
      // Without records of the program itself, those of what it calls are left out too.
      if (!from || (program !== this.#main && parts.length === 0)) continue;
      const taken = recordsOf(from, program, start);
      if (taken) parts.push(taken);
      else if (parts.length > 0) {
        const what = list === "funcInfo" ? "function" : "line";
        fail(
          "ENOENT",
          `program "${this.#main.name}": .BTF.ext has no ${what} record of "${program.name}", which it calls`,
        );
      }
    }
  }

  get lists(): { readonly funcInfo: ExtRecords | undefined; readonly lineInfo: ExtRecords | undefined } {
    return { funcInfo: this.#joined("funcInfo"), lineInfo: this.#joined("lineInfo") };
  }

  #joined(list: (typeof LISTS)[number]): ExtRecords | undefined {
    const parts = this.#parts[list];
    if (parts.length === 0) return undefined;
    const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return { recordSize: this.#source[list]!.recordSize, bytes };
  }
}
