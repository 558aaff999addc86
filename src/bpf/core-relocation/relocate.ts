/** Applies all relocations of an object on one target. Source: libbpf's bpf_object__relocate_core. */
import { ERR_CORE_RECORD, ERR_CORE_RELOCATION } from "../../errors/bpf.js";
import { type BtfError, BtfFormatError } from "../../errors/error.js";
import type { Program } from "../elf/programs.js";
import { LineTable } from "../ext/lines.js";
import type { CoreRelocation } from "../ext/types.js";
import { Code, INSN_SIZE, LD_IMM64 } from "../instruction.js";
import type { BpfObject } from "../object/object.js";
import { Budget } from "./budget.js";
import type { Engine } from "./engine.js";
import type { EngineName } from "./engines.js";
import { BtfRelocationError } from "./error.js";
import { Explainer } from "./explain/explain.js";
import { RelocationFailure } from "./failure.js";
import { engineOf } from "./loaders/loaders.js";
import { patch } from "./patch.js";
import type { RelocatedObject, Relocation, RelocationStatus, RelocationTarget } from "./relocation.js";
import type { CoreTarget, Resolution } from "./resolution.js";
import { Resolver } from "./resolve.js";
import { withoutRecords } from "./strip.js";

/** Options of `relocate`. */
export interface RelocateOptions {
  /**
   * The engine whose rules to follow (default `"libbpf"`). cilium resolves the
   * relocations of a type together: here those of the whole object, in cilium
   * those of a program.
   */
  readonly engine?: EngineName;
}

/**
 * Applies an object's CO-RE relocations as libbpf does while it loads the
 * object on the target. The byte order of the object counts, not that of the
 * host. The object itself is not changed.
 *
 * Programs that are not loaded by themselves (`SEC("?...")`) are relocated too,
 * each apart from the others, so that they do not influence them.
 *
 * @throws BtfFormatError ERR_OBJECT_SECTION, ERR_EXT for an object without
 *   usable records; BtfLimitError ERR_CORE_WORK. An error of one relocation is
 *   in its result.
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
    this.#explainer = new Explainer(target, engine);
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
    const error = relocations.find((relocation) => relocation.error)?.error;
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

  /** Returns the resolver of a program; relocations of a program that is not loaded do not narrow the candidates of others. */
  #resolverFor(program: Program | undefined): Resolver {
    const key = program?.autoload ? undefined : program;
    let resolver = this.#resolvers.get(key);
    if (!resolver) {
      resolver = new Resolver(this.#object.btf, this.#target, {
        endian: this.#object.endian,
        budget: this.#budget,
        engine: this.#engine,
        records: () => this.#recordsOf(key),
      });
      this.#resolvers.set(key, resolver);
    }
    return resolver;
  }

  /** Returns the records of a program that is not loaded, or of all programs that are. */
  #recordsOf(program: Program | undefined): CoreRelocation[] {
    const object = this.#object;
    return (object.ext.coreRelocations?.sections ?? []).flatMap(({ section, records }) => {
      const sectionIndex = object.sections.findIndex(({ name }) => name === section);
      return records.filter((record) => {
        const owner = object.programAt(sectionIndex, record.insnByteOffset);
        return program ? owner === program : owner?.autoload;
      });
    });
  }

  /** Returns a copy of a section's code, which is patched in place. */
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
    let failure = misplaced ?? resolution.failure;
    try {
      if (!failure)
        poisoned = patch(code, at, program!.byteOffset + program!.byteSize, resolution.outcome!, this.#engine.patching);
    } catch (error) {
      if (!(error instanceof RelocationFailure)) throw error;
      failure = error;
    }
    const after = bytes();
    const lines = this.#lines;
    const explainer = this.#explainer;
    const status = failure ? "error" : poisoned ? "poisoned" : statusOf(resolution, before, after);
    return {
      record,
      index,
      program,
      section,
      insn: (at - (program?.byteOffset ?? 0)) / INSN_SIZE,
      status,
      resolution,
      error: failure && errorOf(failure, section, index),
      errno: failure ? failure.errnoNumber : 0,
      before,
      after,
      get line() {
        return lines.at(section, at);
      },
      get reason() {
        return failure ? failure.reason : explainer.explain(resolution, status, before[0] ?? 0);
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
  readonly misplaced: RelocationFailure | undefined;
}

/** Returns why no instruction can be where the record says. */
function misplacement({ insnByteOffset }: CoreRelocation, sectionSize: number): RelocationFailure | undefined {
  if (insnByteOffset >= sectionSize) {
    return new RelocationFailure(
      "EINVAL",
      `its instruction is at byte ${insnByteOffset}, the section ends at ${sectionSize}`,
      true,
    );
  }
  if (insnByteOffset % INSN_SIZE) {
    return new RelocationFailure(
      "EINVAL",
      `byte ${insnByteOffset} is inside an instruction: instructions have ${INSN_SIZE} bytes`,
      true,
    );
  }
  return undefined;
}

function statusOf({ matches, local }: Resolution, before: Uint8Array, after: Uint8Array): RelocationStatus {
  if (matches.length === 0 && local?.kind !== "local_type_id") return "absent";
  return before.every((byte, i) => byte === after[i]) ? "same" : "changed";
}

function errorOf({ reason, malformed }: RelocationFailure, section: string, index: number): BtfError {
  const details = { name: section, value: index, note: reason };
  return malformed
    ? new BtfFormatError(ERR_CORE_RECORD, details)
    : new BtfRelocationError(ERR_CORE_RELOCATION, details);
}
