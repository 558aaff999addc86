/** Why a relocation has no result: an errno as libbpf returns it, and words. */

/** Names of errno values that libbpf's relocation code returns. */
export type Errno = "EINVAL" | "E2BIG" | "ERANGE" | "EOPNOTSUPP";

/** As the kernel has them. */
const NUMBERS: Readonly<Record<Errno, number>> = { EINVAL: 22, E2BIG: 7, ERANGE: 34, EOPNOTSUPP: 95 };

/** Thrown inside the relocation code alone; becomes a result's error. */
export class Refusal {
  /** What libbpf returns, by its name. */
  readonly errno: Errno;
  /** Why, in words. */
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

export function refuse(errno: Errno, reason: string): never {
  throw new Refusal(errno, reason);
}
