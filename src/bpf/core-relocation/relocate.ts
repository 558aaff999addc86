/** All relocations of an object against one target. Source: libbpf's bpf_object__relocate_core. */
import type { Btf } from "../../btf/btf.js";
import { ERR_CORE_RECORD, ERR_CORE_RELOCATION } from "../../errors/bpf.js";
import { type BtfError, BtfFormatError } from "../../errors/error.js";
import type { Program } from "../elf/programs.js";
import type { CoreRelocation, LineInfo } from "../ext/types.js";
import type { BpfObject } from "../object/object.js";
import { Budget } from "./budget.js";
import { type Engine, type EngineName, engineOf } from "./engine.js";
import { BtfRelocationError } from "./error.js";
import { Explainer } from "./explain.js";
import { Code, INSN_SIZE, LD_IMM64 } from "./instruction.js";
import { patch } from "./patch.js";
import { Refusal } from "./refusal.js";
import { type CoreTarget, type Resolution, Resolver } from "./resolve.js";
import { withoutRecords } from "./strip.js";

/** What types are looked for in: a kernel's BTF, or that with its modules'. */
export type RelocationTarget = Btf | { readonly vmlinux: Btf; readonly modules?: readonly Btf[] };

/**
 * `same`: the instruction stays as it is. `changed`: it is patched. `absent`:
 * nothing matched, and the kind has a value for that (0). `poisoned`: the
 * instruction became a call of what does not exist, which the verifier refuses
 * if it can be reached. `error`: libbpf refuses to load the object.
 */
export type RelocationStatus = "same" | "changed" | "absent" | "poisoned" | "error";

/** One relocation's result. */
export interface Relocation {
  readonly record: CoreRelocation;
  /** Of the record in its section, as libbpf's messages count them. */
  readonly index: number;
  readonly program: Program | undefined;
  /** The ELF section's name. */
  readonly section: string;
  /** Index of the instruction in its program. */
  readonly insn: number;
  readonly status: RelocationStatus;
  /** Specs, candidates and values. */
  readonly resolution: Resolution;
  /** Set with the status `error`. */
  readonly error: BtfError | undefined;
  /** libbpf's errno for the error, as a positive number; 0 otherwise. */
  readonly errno: number;
  /** The instruction's bytes as they lie in the file: 8, or 16 for an ld_imm64. Empty where there is none. */
  readonly before: Uint8Array;
  readonly after: Uint8Array;
  /** Where it stands in the source. */
  readonly line: LineInfo | undefined;
  /** Why it came out so, in words; `undefined` where there is nothing to say. Worked out when it is read. */
  readonly reason: string | undefined;
}

/** An object with its relocations applied. */
export interface RelocatedObject {
  readonly object: BpfObject;
  readonly target: CoreTarget;
  /** Whose rules were followed. */
  readonly engine: EngineName;
  /** In the order of the records. Records of instructions that belong to no program (weak functions that a linker dropped) are left out, as libbpf does. */
  readonly relocations: readonly Relocation[];
  /** The first error; the object cannot be loaded then. */
  readonly error: BtfError | undefined;
  /** Patched code by section index, for sections that have relocations. */
  readonly code: ReadonlyMap<number, Uint8Array>;
  /**
   * The object file with patched instructions, and without its CO-RE records.
   *
   * @param options.keepRecords leaves the records in, for tools that look at
   *   them. A loader that relocates again, as libbpf does, refuses instructions
   *   that do not hold the value it expects.
   * @throws the first error
   */
  toBytes(options?: { readonly keepRecords?: boolean }): Uint8Array<ArrayBuffer>;
}

/** Whose rules are followed. */
export interface RelocateOptions {
  /**
   * Whose rules to follow (default `"libbpf"`). cilium resolves the relocations
   * of a type together: here all those of the object, there those of a program.
   */
  readonly engine?: EngineName;
}

/**
 * Applies an object's CO-RE relocations as libbpf does while it loads the
 * object on the target. The object's own byte order and instruction set count;
 * that of the host does not. The object itself is not changed.
 *
 * Programs that are not loaded by themselves (`SEC("?...")`) are relocated too,
 * each on its own, so that they have no influence on the others.
 *
 * @throws BtfFormatError ERR_OBJECT_SECTION, ERR_EXT where there is nothing to
 *   go by; BtfLimitError ERR_CORE_WORK. What is wrong with one relocation is told in its result.
 * @example
 * const [pid] = relocate(object, btf).relocations;
 * console.log(pid?.status, pid?.resolution.outcome?.value); // changed 2416n
 */
export function relocate(
  object: BpfObject,
  target: RelocationTarget,
  { engine = "libbpf" }: RelocateOptions = {},
): RelocatedObject {
  return new Relocating(object, targetOf(target), engineOf(engine)).run();
}

/** @internal */
export function targetOf(target: RelocationTarget): CoreTarget {
  return "vmlinux" in target
    ? { vmlinux: target.vmlinux, modules: target.modules ?? [] }
    : { vmlinux: target, modules: [] };
}

class Relocating {
  readonly #object: BpfObject;
  readonly #target: CoreTarget;
  readonly #budget = new Budget();
  readonly #resolvers = new Map<Program | undefined, Resolver>();
  readonly #code = new Map<number, Code>();
  readonly #lines: LineTable;
  readonly #explainer: Explainer;
  readonly #engine: Engine;

  constructor(object: BpfObject, target: CoreTarget, engine: Engine) {
    this.#object = object;
    this.#engine = engine;
    this.#target = target;
    this.#lines = new LineTable(object);
    this.#explainer = new Explainer(target);
  }

  run(): RelocatedObject {
    const object = this.#object;
    const relocations: Relocation[] = [];
    for (const { section, records } of object.ext.coreRelocations?.sections ?? []) {
      const sectionIndex = object.sections.findIndex(({ name }) => name === section);
      for (const [index, record] of records.entries()) {
        const program = object.programAt(sectionIndex, record.insnByteOffset);
        const misplaced = sectionIndex < 0 ? undefined : misplacement(record, object.sections[sectionIndex]!.byteSize);
        if (!program && !misplaced) continue;
        relocations.push(this.#apply({ record, index, program, section, sectionIndex, misplaced }));
      }
    }
    const error = relocations.find((one) => one.error)?.error;
    const code = new Map([...this.#code].map(([index, { bytes }]) => [index, bytes]));
    return {
      object,
      target: this.#target,
      engine: this.#engine.name,
      relocations,
      error,
      code,
      toBytes({ keepRecords = false } = {}) {
        if (error) throw error;
        const bytes = new Uint8Array(object.bytes);
        for (const [index, section] of code) bytes.set(section, object.sections[index]!.offset);
        return keepRecords ? bytes : withoutRecords(object, bytes);
      },
    };
  }

  /** Relocations of a program that is not loaded do not narrow the others' candidates. */
  #resolverFor(program: Program | undefined): Resolver {
    const key = program?.autoload ? undefined : program;
    let resolver = this.#resolvers.get(key);
    if (!resolver) {
      resolver = new Resolver(this.#object.btf, this.#target, {
        endian: this.#object.endian,
        budget: this.#budget,
        engine: this.#engine,
        records: this.#engine.name === "cilium" ? this.#recordsOf(key) : [],
      });
      this.#resolvers.set(key, resolver);
    }
    return resolver;
  }

  /** Records of one program that is not loaded, or of all others. */
  #recordsOf(program: Program | undefined): CoreRelocation[] {
    const object = this.#object;
    return (object.ext.coreRelocations?.sections ?? []).flatMap(({ section, records }) => {
      const sectionIndex = object.sections.findIndex(({ name }) => name === section);
      return records.filter((record) => {
        const of = object.programAt(sectionIndex, record.insnByteOffset);
        return program ? of === program : of?.autoload;
      });
    });
  }

  /** A copy of a section's code, patched in place. */
  #codeOf(sectionIndex: number): Code {
    let code = this.#code.get(sectionIndex);
    if (!code) {
      const bytes = this.#object.dataOf(this.#object.sections[sectionIndex]!).slice();
      code = new Code(bytes, this.#object.endian === "little");
      this.#code.set(sectionIndex, code);
    }
    return code;
  }

  #apply({ record, index, program, section, sectionIndex, misplaced }: Placed): Relocation {
    const at = record.insnByteOffset;
    const code = this.#codeOf(sectionIndex);
    const size = !misplaced && code.opcode(at) === LD_IMM64 ? 2 * INSN_SIZE : INSN_SIZE;
    const bytes = (): Uint8Array => (misplaced ? new Uint8Array(0) : code.bytes.slice(at, at + size));
    const before = bytes();
    const resolution = this.#resolverFor(program).resolve(record);
    let poisoned = false;
    let refusal = misplaced ?? resolution.refusal;
    try {
      if (!refusal)
        poisoned = patch(code, at, program!.byteOffset + program!.byteSize, resolution.outcome!, this.#engine);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refusal = error;
    }
    const after = bytes();
    const lines = this.#lines;
    const explainer = this.#explainer;
    const status = refusal ? "error" : poisoned ? "poisoned" : statusOf(resolution, before, after);
    return {
      record,
      index,
      program,
      section,
      insn: (at - (program?.byteOffset ?? 0)) / INSN_SIZE,
      status,
      resolution,
      error: refusal && errorOf(refusal, section, index),
      errno: refusal ? refusal.errnoNumber : 0,
      before,
      after,
      get line() {
        return lines.at(section, at);
      },
      get reason() {
        return refusal ? refusal.reason : explainer.explain(resolution, status, before[0] ?? 0);
      },
    };
  }
}

interface Placed {
  readonly record: CoreRelocation;
  readonly index: number;
  readonly program: Program | undefined;
  readonly section: string;
  readonly sectionIndex: number;
  readonly misplaced: Refusal | undefined;
}

/** Why no instruction can be where the record says. */
function misplacement({ insnByteOffset }: CoreRelocation, sectionSize: number): Refusal | undefined {
  if (insnByteOffset >= sectionSize) {
    return new Refusal(
      "EINVAL",
      `its instruction is at byte ${insnByteOffset}, the section ends at ${sectionSize}`,
      true,
    );
  }
  if (insnByteOffset % INSN_SIZE) {
    return new Refusal("EINVAL", `no instruction starts at byte ${insnByteOffset}: they have ${INSN_SIZE} bytes`, true);
  }
  return undefined;
}

function statusOf({ matches, local }: Resolution, before: Uint8Array, after: Uint8Array): RelocationStatus {
  if (matches.length === 0 && local?.kind !== "local_type_id") return "absent";
  return before.every((byte, i) => byte === after[i]) ? "same" : "changed";
}

function errorOf({ reason, malformed }: Refusal, section: string, index: number): BtfError {
  const details = { name: section, value: index, note: reason };
  return malformed
    ? new BtfFormatError(ERR_CORE_RECORD, details)
    : new BtfRelocationError(ERR_CORE_RELOCATION, details);
}

/** Finds the line record of an instruction: the last one at or before it. */
class LineTable {
  readonly #object: BpfObject;
  #sections: Map<string, readonly LineInfo[]> | undefined;

  constructor(object: BpfObject) {
    this.#object = object;
  }

  at(section: string, byteOffset: number): LineInfo | undefined {
    this.#sections ??= new Map(this.#object.ext.lineInfo?.sections.map((one) => [one.section, one.records]));
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
