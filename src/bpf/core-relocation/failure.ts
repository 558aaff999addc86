/** The reason why a relocation has no result: an errno as libbpf returns it, and words. */

/** Names of errno values that libbpf's relocation code returns. */
export type Errno = "EINVAL" | "E2BIG" | "ERANGE" | "EOPNOTSUPP";

/** The numbers of the kernel. */
const NUMBERS: Readonly<Record<Errno, number>> = { EINVAL: 22, E2BIG: 7, ERANGE: 34, EOPNOTSUPP: 95 };

/** Thrown inside the relocation code only; it becomes the error of a result. */
export class RelocationFailure {
  /** The name of the errno that libbpf returns. */
  readonly errno: Errno;
  /** The reason in words. */
  readonly reason: string;
  /** The record itself is malformed, whatever the target. */
  readonly malformed: boolean;

  constructor(errno: Errno, reason: string, malformed = false) {
    this.errno = errno;
    this.reason = reason;
    this.malformed = malformed;
  }

  /** The errno as a positive number. */
  get errnoNumber(): number {
    return NUMBERS[this.errno];
  }
}

/** Ends a relocation. @throws RelocationFailure */
export function fail(errno: Errno, reason: string): never {
  throw new RelocationFailure(errno, reason);
}
