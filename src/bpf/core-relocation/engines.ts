/** The loaders by name: what the command line knows of them. */

/** A loader. */
export type EngineName = "libbpf" | "cilium" | "aya";

/**
 * Loaders whose rules `relocate` and `check` can follow.
 *
 * @example
 * for (const engine of ENGINES) console.log(engine, relocate(object, btf, { engine }).relocations[0]?.status);
 * // libbpf changed | cilium changed | aya changed
 */
export const ENGINES: readonly EngineName[] = ["libbpf", "cilium", "aya"];
