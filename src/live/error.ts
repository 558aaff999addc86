import { BtfEnvironmentError, type ErrorDetails, type Rule } from "../errors/error.js";
import { ERR_LIVE_BPFFS, ERR_LIVE_PERMISSION, ERR_LIVE_SYSCALL } from "../errors/live.js";
import { ERRNO, errnoName, errnoText } from "./errno.js";

/**
 * The kernel has refused a system call.
 *
 * @example
 * const kernel = await Kernel.open();
 * try {
 *   kernel.createMap({ type: "hash", keyByteSize: 0, valueByteSize: 4, maxEntries: 1 });
 * } catch (error) {
 *   if (error instanceof BtfSystemError) console.log(error.errnoName, error.message);
 *   // EINVAL bpf(MAP_CREATE): Invalid argument (EINVAL)
 * }
 */
export class BtfSystemError extends BtfEnvironmentError {
  /** The error's number in `<errno.h>`. */
  readonly errno: number;
  /** The system call, for bpf(2) with its command. */
  readonly syscall: string;

  /** @internal */
  constructor(rule: Rule, details: ErrorDetails & { readonly value: number }, syscall: string) {
    super(rule, details);
    this.syscall = syscall;
    this.errno = details.value;
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
  /** Whether the path is outside of every BPF file system. */
  readonly isOutside?: boolean;
}

const CAPABILITY = "CAP_BPF (or CAP_SYS_ADMIN)";

/** Makes the error of a system call; `errno` is positive. */
export function systemError(syscall: string, errno: number, options: SystemErrorOptions = {}): BtfSystemError {
  const { note, capability = CAPABILITY, path, isOutside } = options;
  if (path !== undefined && isOutside) {
    return new BtfSystemError(ERR_LIVE_BPFFS, { name: path, value: errno }, syscall);
  }
  if (errno === ERRNO.EPERM) {
    const why = `it needs ${capability}, or a security module or lockdown forbids it`;
    const text = note ? `${note}: ${why}` : why;
    return new BtfSystemError(ERR_LIVE_PERMISSION, { name: syscall, value: errno, note: text }, syscall);
  }
  const place = path === undefined ? "" : `${path}: `;
  const text = `${place}${errnoText(errno)} (${errnoName(errno)})${note ? `: ${note}` : ""}`;
  return new BtfSystemError(ERR_LIVE_SYSCALL, { name: syscall, value: errno, note: text }, syscall);
}
