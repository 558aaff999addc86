/** The names of the engines, apart from their code, which the command line does not load to show its help. */

/** The name of an engine: a loader, or the library under it. */
export type EngineName = "libbpf" | "cilium" | "aya";

/**
 * The loaders whose rules `relocate` and `check` can follow.
 *
 * @example
 * for (const engine of ENGINES) console.log(engine, relocate(object, btf, { engine }).relocations[0]?.status);
 * // libbpf changed | cilium changed | aya changed
 */
export const ENGINES: readonly EngineName[] = ["libbpf", "cilium", "aya"];
