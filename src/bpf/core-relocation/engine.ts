/**
 * Loaders do CO-RE each in their own way. A profile says where one differs from
 * libbpf; what it does not mention is as libbpf does it.
 *
 * Sources: libbpf's relo_core.c, cilium/ebpf's btf/core.go, aya-obj's
 * btf/relocation.rs.
 */
import type { BtfType } from "../../btf/types.js";
import type { EngineName } from "./engines.js";
import { essentialName } from "./names.js";
import { sameKind } from "./types.js";

export { ENGINES, type EngineName } from "./engines.js";

export interface Engine {
  readonly name: EngineName;
  /** A name without its flavour. */
  readonly essentialName: (name: string) => string;
  /** Whether a type of the target may stand for the local one, by its kind. */
  readonly isCandidate: (local: BtfType, target: BtfType) => boolean;
  /** Modules: searched where vmlinux has nothing, together with it, or never. */
  readonly modules: "fallback" | "together" | "never";
  /** Candidates that do not match are not looked at again for the same type. */
  readonly narrows: boolean;
  /** An enum or forward declaration without a name fits any. */
  readonly anonymousFits: boolean;
  /** type_matches is known. */
  readonly knowsMatches: boolean;
  /** A load or store of another size, that cannot be changed to it, is poisoned, an error, or left as it is. */
  readonly resizes: "or poisons" | "or fails" | "never";
  /** The instruction has to hold the local value. */
  readonly validates: boolean;
  /** What becomes of a poisoned ld_imm64: two calls, or a load into the frame pointer. */
  readonly poisonsWideWith: "calls" | "load";
}

const libbpf: Engine = {
  name: "libbpf",
  essentialName,
  isCandidate: sameKind,
  modules: "fallback",
  narrows: true,
  anonymousFits: true,
  knowsMatches: true,
  resizes: "or poisons",
  validates: true,
  poisonsWideWith: "calls",
};

const cilium: Engine = {
  ...libbpf,
  name: "cilium",
  // The last ___, whatever is around it.
  essentialName: (name) => {
    const at = name.lastIndexOf("___");
    return at > 0 ? name.slice(0, at) : name;
  },
  isCandidate: () => true,
  modules: "together",
  narrows: false,
  resizes: "never",
  poisonsWideWith: "load",
};

const aya: Engine = {
  ...libbpf,
  name: "aya",
  // The first ___.
  essentialName: (name) => name.split("___", 1)[0]!,
  isCandidate: (local, target) => local.kind === target.kind,
  modules: "never",
  narrows: false,
  anonymousFits: false,
  knowsMatches: false,
  resizes: "or fails",
  validates: false,
};

/** A profile by its name. */
export function engineOf(name: EngineName): Engine {
  return name === "cilium" ? cilium : name === "aya" ? aya : libbpf;
}
