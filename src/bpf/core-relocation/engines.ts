/** The names of the engines, apart from their code, which the command line does not load to show its help. */

/** The name of an engine: a loader, or the library under it. */
export type EngineName = "libbpf" | "libbpf-1.8" | "cilium" | "aya";

/**
 * The loaders whose rules `relocate` and `check` can follow. `"libbpf"` is the
 * newest; releases up to 1.8 poison instructions that it refuses to poison.
 *
 * @example
 * for (const engine of ENGINES) console.log(engine, relocate(object, btf, { engine }).relocations[0]?.status);
 * // libbpf changed | libbpf-1.8 changed | cilium changed | aya changed
 */
export const ENGINES: readonly EngineName[] = ["libbpf", "libbpf-1.8", "cilium", "aya"];
