/** Numbers of errors, which are the same on x86-64 and arm64, and the C library's words for them. */

const ERRORS = {
  EPERM: [1, "Operation not permitted"],
  ENOENT: [2, "No such file or directory"],
  ESRCH: [3, "No such process"],
  EINTR: [4, "Interrupted system call"],
  EIO: [5, "Input/output error"],
  ENXIO: [6, "No such device or address"],
  E2BIG: [7, "Argument list too long"],
  ENOEXEC: [8, "Exec format error"],
  EBADF: [9, "Bad file descriptor"],
  ECHILD: [10, "No child processes"],
  EAGAIN: [11, "Resource temporarily unavailable"],
  ENOMEM: [12, "Cannot allocate memory"],
  EACCES: [13, "Permission denied"],
  EFAULT: [14, "Bad address"],
  EBUSY: [16, "Device or resource busy"],
  EEXIST: [17, "File exists"],
  EXDEV: [18, "Invalid cross-device link"],
  ENODEV: [19, "No such device"],
  ENOTDIR: [20, "Not a directory"],
  EISDIR: [21, "Is a directory"],
  EINVAL: [22, "Invalid argument"],
  ENFILE: [23, "Too many open files in system"],
  EMFILE: [24, "Too many open files"],
  ENOSPC: [28, "No space left on device"],
  EROFS: [30, "Read-only file system"],
  EDOM: [33, "Numerical argument out of domain"],
  ERANGE: [34, "Numerical result out of range"],
  EDEADLK: [35, "Resource deadlock avoided"],
  ENAMETOOLONG: [36, "File name too long"],
  ENOSYS: [38, "Function not implemented"],
  ENOTEMPTY: [39, "Directory not empty"],
  ELOOP: [40, "Too many levels of symbolic links"],
  ENODATA: [61, "No data available"],
  ENOLINK: [67, "Link has been severed"],
  EPROTO: [71, "Protocol error"],
  EBADFD: [77, "File descriptor in bad state"],
  EOPNOTSUPP: [95, "Operation not supported"],
  EADDRINUSE: [98, "Address already in use"],
  ENETDOWN: [100, "Network is down"],
  ENOBUFS: [105, "No buffer space available"],
  ETIMEDOUT: [110, "Connection timed out"],
  EALREADY: [114, "Operation already in progress"],
  ESTALE: [116, "Stale file handle"],
  ECANCELED: [125, "Operation canceled"],
  ENOTSUPP: [524, "Unknown error 524"],
} as const;

/** The name of an error, as `<errno.h>` has it. */
export type ErrnoName = keyof typeof ERRORS;

/** The numbers, by name. */
export const ERRNO = /* @__PURE__ */ Object.fromEntries(
  /* @__PURE__ */ Object.entries(ERRORS).map(([name, [number]]) => [name, number]),
) as Readonly<Record<ErrnoName, number>>;

const byNumber = /* @__PURE__ */ new Map(
  /* @__PURE__ */ Object.entries(ERRORS).map(([name, [number, text]]) => [number as number, { name, text }]),
);

/** Returns the name of an error's number, or `"errno N"`. */
export function errnoName(errno: number): string {
  return byNumber.get(errno)?.name ?? `errno ${errno}`;
}

/** Returns what the C library calls an error (strerror). */
export function errnoText(errno: number): string {
  return byNumber.get(errno)?.text ?? `Unknown error ${errno}`;
}
