import { BtfEnvironmentError, type ErrorDetails } from "../errors/error.js";
import { ERR_LIVE_BPFFS, ERR_LIVE_PERMISSION, ERR_LIVE_SYSCALL } from "../errors/live.js";
import { ERRNO, errnoName, errnoText } from "./errno.js";

type SystemRule = typeof ERR_LIVE_SYSCALL | typeof ERR_LIVE_PERMISSION | typeof ERR_LIVE_BPFFS;

/**
 * The kernel has refused a system call.
 *
 * @example
 * const error = new BtfSystemError("bpf(MAP_CREATE)", 22);
 * console.log(error.errnoName, error.message); // EINVAL bpf(MAP_CREATE): Invalid argument (EINVAL)
 */
export class BtfSystemError extends BtfEnvironmentError {
  /** The error's number in `<errno.h>`. */
  readonly errno: number;
  /** The system call, for bpf(2) with its command. */
  readonly syscall: string;

  /**
   * @param syscall what was called
   * @param errno the number of the error, positive
   * @param options `note`: what to add; `capability`: what EPERM asks for
   */
  constructor(syscall: string, errno: number, { note, capability = CAPABILITY, path }: SystemErrorOptions = {}) {
    const [rule, details] = described(syscall, errno, note, capability, path);
    super(rule, details);
    this.syscall = syscall;
    this.errno = errno;
  }

  override get name(): string {
    return "BtfSystemError";
  }

  /** The error's name in `<errno.h>`, such as `"EPERM"`. */
  get errnoName(): string {
    return errnoName(this.errno);
  }
}

/** What else an error of a system call says. */
export interface SystemErrorOptions {
  /** What was being done, or what may be wrong. */
  readonly note?: string;
  /** The capability that is needed. */
  readonly capability?: string;
  /** The path in the BPF file system. */
  readonly path?: string;
}

const CAPABILITY = "CAP_BPF (or CAP_SYS_ADMIN)";

function described(
  syscall: string,
  errno: number,
  note: string | undefined,
  capability: string,
  path: string | undefined,
): [SystemRule, ErrorDetails] {
  if (errno === ERRNO.EPERM) {
    const why = `it needs ${capability}, or a security module or lockdown forbids it`;
    return [ERR_LIVE_PERMISSION, { name: syscall, value: errno, note: note ? `${note}: ${why}` : why }];
  }
  if (path !== undefined && note === NOT_BPFFS) return [ERR_LIVE_BPFFS, { name: path, value: errno }];
  const place = path === undefined ? "" : `${path}: `;
  const text = `${place}${errnoText(errno)} (${errnoName(errno)})${note ? `: ${note}` : ""}`;
  return [ERR_LIVE_SYSCALL, { name: syscall, value: errno, note: text }];
}

/** The note of an error about a path outside of a BPF file system. */
export const NOT_BPFFS = "not in a BPF file system";
