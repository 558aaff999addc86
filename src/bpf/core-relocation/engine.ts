/**
 * Engines: loaders do CO-RE each by rules of their own. An engine is an object
 * that resolves by its rules; nothing outside of it depends on which one it is.
 */
import type { Endian } from "../../btf/header.js";
import type { BtfType } from "../../btf/types.js";
import type { CoreRelocation } from "../ext/types.js";
import type { Budget } from "./budget.js";
import type { FieldRules } from "./compatible.js";
import type { EngineName } from "./engines.js";
import type { PatchRules } from "./patch.js";
import type { CoreTarget, Match, Unmatched } from "./resolution.js";
import type { Spec } from "./spec.js";
import type { EnumeratorExtension, Outcome } from "./value.js";

/** A loader's rules. */
export interface Engine extends FieldRules {
  readonly name: EngineName;
  /** Tells whether a type of the target may stand for the local one, by its kind. */
  readonly isCandidate: (local: BtfType, target: BtfType) => boolean;
  /** Modules are searched where vmlinux has nothing, together with it, or never. */
  readonly modules: "fallback" | "together" | "never";
  /** A local type without a name is refused; otherwise it has no candidates. */
  readonly refusesAnonymous: boolean;
  /** Knows the kind type_matches. */
  readonly knowsMatches: boolean;
  readonly patching: PatchRules;
  /** Returns the indices of an access string. @throws RelocationFailure for a string that the engine does not parse */
  readonly parseAccess: (access: string) => number[];
  readonly extendsEnumerators: EnumeratorExtension;
  /** Starts to decide the relocations of programs that are loaded together. */
  decider(context: DecisionContext): Decider;
}

/** What the relocations of programs that are loaded together have in common. */
export interface DecisionContext {
  readonly target: CoreTarget;
  /** Byte order of the object: shifts depend on it. */
  readonly endian: Endian;
  readonly budget: Budget;
  /** The other relocations of a local type, for engines that decide them together. */
  readonly specsOf: (typeId: number) => readonly { readonly record: CoreRelocation; readonly local: Spec }[];
}

/** A relocation, its spec and its candidates. */
export interface Question {
  readonly record: CoreRelocation;
  readonly root: BtfType;
  readonly local: Spec;
  readonly candidates: readonly BtfType[];
}

/** The answer; the lists are filled as far as the engine comes, also where it fails. */
export interface Findings {
  readonly matches: Match[];
  readonly unmatched: Unmatched[];
}

/** Decides relocations one after the other. */
export interface Decider {
  /** @throws RelocationFailure where the engine refuses to load the object */
  decide(question: Question, findings: Findings): Outcome;
  /** The candidates that later relocations of the same local type look at; `undefined` leaves them as they are. */
  narrowed?(findings: Findings): readonly BtfType[] | undefined;
}
