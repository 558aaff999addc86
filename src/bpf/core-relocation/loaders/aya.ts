/** Aya's rules: libbpf's, with the differences below. Source: aya-obj's btf/relocation.rs. */
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
  patching: { resizes: "or fails", validates: false, poisonsWideWith: "calls" },
  decider(context) {
    return new Agreement(context, this, false);
  },
};
