/** The engines by their names. */
import type { Engine } from "../engine.js";
import type { EngineName } from "../engines.js";
import { aya } from "./aya.js";
import { cilium } from "./cilium.js";
import { libbpf, libbpf18 } from "./libbpf.js";

const LOADERS: Readonly<Record<EngineName, Engine>> = {
  libbpf,
  "libbpf-1.8": libbpf18,
  cilium,
  aya,
};

/** Returns an engine by its name. */
export function engineOf(name: EngineName): Engine {
  return LOADERS[name];
}
