/** Finds the source line of an instruction. */
import type { Ext, LineInfo } from "./types.js";

/** The line records of an object, by section. */
export class LineTable {
  readonly #object: { readonly ext: Ext };
  #sections: Map<string, readonly LineInfo[]> | undefined;

  constructor(object: { readonly ext: Ext }) {
    this.#object = object;
  }

  /** Returns the last record at or before an instruction. */
  at(section: string, byteOffset: number): LineInfo | undefined {
    this.#sections ??= new Map(this.#object.ext.lineInfo?.sections.map((list) => [list.section, list.records]));
    const records = this.#sections.get(section) ?? [];
    let [low, high] = [0, records.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (records[middle]!.insnByteOffset <= byteOffset) low = middle + 1;
      else high = middle;
    }
    return records[low - 1];
  }
}
