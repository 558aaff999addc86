/** How a plan fails: with an errno of libbpf's, and in words. */

import { BtfError, type Rule } from "../errors/error.js";

/** Numbers as libbpf returns them; those from 4000 on are its own (`enum libbpf_errno`). */
export const ERRNO = {
  ENOENT: 2,
  ESRCH: 3,
  E2BIG: 7,
  EINVAL: 22,
  ERANGE: 34,
  ENAMETOOLONG: 36,
  EOPNOTSUPP: 95,
  FORMAT: 4001,
  ENDIAN: 4003,
  RELOC: 4005,
} as const;

/** Name of an errno that a plan fails with. */
export type LoadErrno = keyof typeof ERRNO;

/** Where loading stops: while the object is opened, or while it is prepared and loaded. */
export type LoadStage = "open" | "load";

/**
 * The object cannot be loaded on this kernel.
 *
 * @example
 * const plan = planObject(object, { vmlinux: btf, release: "6.1.0", cpus: 2 });
 * console.log(plan.error instanceof BtfLoadError); // false
 */
export class BtfLoadError extends BtfError {
  /** As libbpf returns it, as a positive number. */
  readonly errno: number;
  /** Name of the errno; names without `E` are libbpf's own. */
  readonly errnoName: LoadErrno;
  /** What the plan was at. */
  readonly stage: LoadStage;

  /** @internal */
  constructor(rule: Rule, stage: LoadStage, { errno, reason }: LoadFailure, options?: ErrorOptions) {
    super(rule, { name: errno, note: reason }, options);
    this.errno = ERRNO[errno];
    this.errnoName = errno;
    this.stage = stage;
  }

  override get name(): string {
    return "BtfLoadError";
  }
}

/** Thrown while a plan is made; becomes the plan's error. */
export class LoadFailure {
  readonly errno: LoadErrno;
  readonly reason: string;

  constructor(errno: LoadErrno, reason: string) {
    this.errno = errno;
    this.reason = reason;
  }
}

export function fail(errno: LoadErrno, reason: string): never {
  throw new LoadFailure(errno, reason);
}
