/** Aya's rules: libbpf's, with the differences below. Source: aya-obj's btf/relocation.rs. */
import { parseDecimals } from "../access.js";
import type { Engine } from "../engine.js";
import { Agreement, libbpf } from "./libbpf.js";

export const aya: Engine = {
  ...libbpf,
  name: "aya",
  /** A flavour starts at the first `___`. */
  essentialName: (name) => name.split("___", 1)[0]!,
  isCandidate: (local, target) => local.kind === target.kind,
  modules: "never",
  refusesAnonymous: false,
  anonymousFits: false,
  knowsMatches: false,
  patching: { resizes: "or fails", validates: false, poisonsAny: true, poisonsWideWith: "calls" },
  /** Rust's parse::<usize>: digits, with a plus sign at most. */
  parseAccess: (access) => parseDecimals(access, /^\+?\d+$/, Number.MAX_SAFE_INTEGER),
  extendsEnumerators: "kind",
  decider(context) {
    return new Agreement(context, this, false);
  },
};
