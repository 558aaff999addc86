/** What a kernel or module says of itself: its version, its machine. */

/** By `e_machine`, as Debian and `uname -m` mostly call them. */
const MACHINES: Readonly<Record<number, string>> = {
  2: "sparc",
  3: "i386",
  8: "mips",
  20: "powerpc",
  21: "powerpc64",
  22: "s390x",
  40: "arm",
  43: "sparc64",
  62: "x86_64",
  183: "aarch64",
  243: "riscv",
  247: "bpf",
  258: "loongarch64",
};

export function machineName(machine: number): string | undefined {
  return MACHINES[machine];
}

/** Where `ascii` stands in `bytes`, or -1. */
export function indexOfText(bytes: Uint8Array, ascii: string, from = 0): number {
  const codes = Array.from(ascii, (char) => char.charCodeAt(0));
  for (let at = bytes.indexOf(codes[0]!, from); at >= 0; at = bytes.indexOf(codes[0]!, at + 1)) {
    if (codes.every((code, i) => bytes[at + i] === code)) return at;
  }
  return -1;
}

/** The ASCII text at `at`, up to what is none. */
export function textAt(bytes: Uint8Array, at: number, limit = 128): string {
  let told = "";
  for (let i = at; i < at + limit && bytes[i]! >= 0x20 && bytes[i]! < 0x7f; i++) told += String.fromCharCode(bytes[i]!);
  return told;
}

/** Out of the banner "Linux version 6.1.0-13-amd64 (…": not every text that starts so is one. */
export function versionOfKernel(bytes: Uint8Array): string | undefined {
  const START = "Linux version ";
  for (let at = indexOfText(bytes, START), tries = 64; at >= 0 && tries > 0; tries--) {
    const [, version] = /^(\d+\.\d+\S*) \(/.exec(textAt(bytes, at + START.length)) ?? [];
    if (version) return version;
    at = indexOfText(bytes, START, at + 1);
  }
  return undefined;
}

/** Out of a module's `.modinfo`: "vermagic=6.1.0-13-amd64 SMP …". */
export function versionOfModule(bytes: Uint8Array): string | undefined {
  const at = indexOfText(bytes, "vermagic=");
  return at < 0 ? undefined : textAt(bytes, at + 9).split(" ", 1)[0] || undefined;
}
