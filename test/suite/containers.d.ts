import type * as image from "btfkit/image";

export function containers(context: {
  /** The module under test. */
  readonly lib: typeof image;
  /** As test runners have it. */
  readonly test: (name: string, body: () => unknown) => void;
}): void;
