/** Fills in what instructions refer to: maps, settings, kernel symbols. Source: libbpf's bpf_object__relocate_data. */
import { CALL, type Code, INSN_SIZE, PSEUDO } from "../bpf/instruction.js";
import type { LinkedProgram } from "./code.js";
import type { ExternDraft } from "./externs.js";
import { type DraftMap, MAP_TYPE } from "./maps.js";
import type { Reference } from "./programs.js";

/** What libbpf calls in place of a map that is not created, and of a kfunc that is absent; the index is added. */
const POISON_MAP = 2001000000;
const POISON_KFUNC = 2002000000;

/** An instruction whose immediate is known only once something has been created or opened. */
export interface Fixup {
  /** Index of the instruction. */
  readonly insn: number;
  /**
   * `map`: the first immediate becomes the descriptor of a map; `module`: the
   * second one becomes that of a module's BTF.
   */
  readonly kind: "map" | "module";
  /** Position among the plan's maps, or among the target's modules. */
  readonly index: number;
}

/** What references lead to. */
export interface FilledFrom {
  readonly maps: readonly DraftMap[];
  readonly externs: readonly ExternDraft[];
  readonly settingsMap: DraftMap | undefined;
  /** Names of the target's modules. */
  readonly modules: readonly string[];
  /** Names of modules whose BTF kfunc calls refer to by index, from 1. */
  readonly kfuncModules: readonly string[];
  /** Where global variables start in an arena, in bytes. */
  readonly arena: number;
  readonly jumpTable: (reference: Reference & { readonly kind: "jump_table" }) => DraftMap;
}

export function fillReferences({ code, references }: LinkedProgram, from: FilledFrom): Fixup[] {
  const fixups: Fixup[] = [];
  const mapAt = (insn: number, map: DraftMap, pseudo: number): void => {
    const at = insn * INSN_SIZE;
    if (map.index < 0) {
      poison(code, at, POISON_MAP + from.maps.indexOf(map));
      poison(code, at + INSN_SIZE, POISON_MAP + from.maps.indexOf(map));
      return;
    }
    code.setSource(at, pseudo);
    code.setImmediate(at, map.index);
    fixups.push({ insn, kind: "map", index: map.index });
  };
  for (const reference of references) {
    const { insn } = reference;
    const at = insn * INSN_SIZE;
    switch (reference.kind) {
      case "map":
        mapAt(insn, reference.map, PSEUDO.mapFd);
        break;
      case "data": {
        const arena = reference.map.type === MAP_TYPE.ARENA ? from.arena : 0;
        code.setImmediate(at + INSN_SIZE, (code.immediate(at) + reference.symbolOffset + arena) | 0);
        mapAt(insn, reference.map, PSEUDO.mapValue);
        break;
      }
      case "extern":
        if (reference.extern.kind === "kconfig") {
          if (from.settingsMap) mapAt(insn, from.settingsMap, PSEUDO.mapValue);
          code.setImmediate(at + INSN_SIZE, reference.extern.byteOffset);
        } else if (reference.extern.type.kind !== "void" && reference.extern.isSet) {
          const { btfId, module } = reference.extern;
          code.setSource(at, PSEUDO.btfId);
          code.setImmediate(at, btfId);
          const index = module ? from.modules.indexOf(module.name) : -1;
          code.setImmediate(at + INSN_SIZE, 0);
          if (index >= 0) fixups.push({ insn, kind: "module", index });
        } else {
          code.setImmediate(at, Number(BigInt.asIntN(32, reference.extern.address)));
          code.setImmediate(at + INSN_SIZE, Number(BigInt.asIntN(32, reference.extern.address >> 32n)));
        }
        break;
      case "kfunc": {
        const { extern } = reference;
        code.setSource(at, PSEUDO.kernelCall);
        if (extern.kind === "kernel" && extern.isSet) {
          code.setImmediate(at, extern.btfId);
          code.setOffset(at, extern.module ? from.kfuncModules.indexOf(extern.module.name) + 1 : 0);
        } else poison(code, at, POISON_KFUNC + from.externs.indexOf(extern));
        break;
      }
      case "subprogram":
        code.setSource(at, PSEUDO.function);
        break;
      case "jump_table":
        mapAt(insn, from.jumpTable(reference), PSEUDO.mapValue);
        code.setOffset(at, 0);
        break;
    }
  }
  return fixups;
}

/** Makes an instruction a call of a helper that does not exist. */
function poison(code: Code, at: number, helper: number): void {
  code.clear(at);
  code.setOpcode(at, CALL);
  code.setImmediate(at, helper);
}
