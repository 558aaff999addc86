/** Numbers of system calls: the kernel's arch/x86/entry/syscalls/syscall_64.tbl and scripts/syscall.tbl. */

/** The processors that have a table here. */
export type Architecture = "x64" | "arm64";

const X64 = {
  read: 0,
  write: 1,
  close: 3,
  mmap: 9,
  munmap: 11,
  ioctl: 16,
  dup: 32,
  uname: 63,
  statfs: 137,
  mount: 165,
  umount2: 166,
  clock_gettime: 228,
  openat: 257,
  ppoll: 271,
  epoll_pwait: 281,
  eventfd2: 290,
  epoll_create1: 291,
  epoll_ctl: 233,
  perf_event_open: 298,
  prlimit64: 302,
  setns: 308,
  bpf: 321,
};

/** A system call that is made here. */
export type SyscallName = keyof typeof X64;

/** The numbers, by processor. */
export const SYSCALLS: Readonly<Record<Architecture, Readonly<Record<SyscallName, number>>>> = {
  x64: X64,
  arm64: {
    read: 63,
    write: 64,
    close: 57,
    mmap: 222,
    munmap: 215,
    ioctl: 29,
    dup: 23,
    uname: 160,
    statfs: 43,
    mount: 40,
    umount2: 39,
    clock_gettime: 113,
    openat: 56,
    ppoll: 73,
    epoll_pwait: 22,
    eventfd2: 19,
    epoll_create1: 20,
    epoll_ctl: 21,
    perf_event_open: 241,
    prlimit64: 261,
    setns: 268,
    bpf: 280,
  },
};
