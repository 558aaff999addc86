import type * as btfkit from "btfkit";

export interface SuiteContext {
  /** The module under test. */
  readonly lib: typeof btfkit;
  readonly fixtures: {
    /** gzip'ed BTF of a real kernel, and its golden values (test/data). */
    readonly vmlinux: { readonly packed: Uint8Array; readonly golden: unknown };
    /** The package's kernel.wasm. */
    readonly wasm: Uint8Array;
  };
  /** As test runners have it. */
  readonly test: (name: string, body: () => unknown) => void;
}

export function suite(context: SuiteContext): void;
