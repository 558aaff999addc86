import type * as btfkit from "btfkit";
import type * as bpf from "btfkit/bpf";
import type * as data from "btfkit/data";
import type * as edit from "btfkit/edit";
import type * as generate from "btfkit/generate";

export interface SuiteContext {
  /** The module under test. */
  readonly lib: typeof btfkit;
  readonly bpf: typeof bpf;
  readonly edit: typeof edit;
  readonly data: typeof data;
  readonly generate: typeof generate;
  /** What `btfkit generate ts` made of the specimen; none where nothing was made. */
  readonly generated?: object;
  readonly fixtures: {
    /** gzip'ed BTF of a real kernel, and its golden values (test/data). */
    readonly vmlinux: { readonly packed: Uint8Array; readonly golden: unknown };
    /** The package's kernel.wasm; none where the host compiles no WebAssembly. */
    readonly wasm?: Uint8Array | undefined;
  };
  /** As test runners have it. */
  readonly test: (name: string, body: () => unknown) => void;
}

export function suite(context: SuiteContext): void;
