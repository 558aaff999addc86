/** Finds the line of the source that an attachment or a finding is about. */
import { BtfError } from "../../errors/error.js";
import { LineTable } from "../ext/lines.js";
import type { LineInfo } from "../ext/types.js";
import { INSN_SIZE } from "../instruction.js";
import type { BpfObject } from "../object/object.js";

/** The lines of an object's programs. */
export class SourceLines {
  readonly #object: BpfObject;
  readonly #lines: LineTable | undefined;

  constructor(object: BpfObject) {
    this.#object = object;
    this.#lines = object.hasExt ? new LineTable(object) : undefined;
  }

  /** Returns the line of a program's instruction, that of its first by default; `undefined` for another name, and where the object has no lines. */
  of(program: string, insn = 0): LineInfo | undefined {
    const found = this.#object.programs.find(({ name }) => name === program);
    if (!found || !this.#lines) return undefined;
    try {
      const { name } = this.#object.sections[found.sectionIndex]!;
      return this.#lines.at(name, found.byteOffset + insn * INSN_SIZE);
    } catch (error) {
      if (error instanceof BtfError) return undefined;
      throw error;
    }
  }
}
