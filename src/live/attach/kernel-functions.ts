/** Functions of the kernel that many kprobes take, by pattern. */
const LISTS = [
  "/sys/kernel/tracing/available_filter_functions",
  "/sys/kernel/debug/tracing/available_filter_functions",
];

/** Returns names of functions: the name itself, or those that fit a pattern with `*` and `?`. */
export function kprobeNames(pattern: string): string[] {
  if (!/[*?]/.test(pattern)) return [pattern];
  const { readFileSync } = process.getBuiltinModule("node:fs");
  const expression = new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".")}$`,
  );
  for (const path of LISTS) {
    try {
      const names = readFileSync(path, "latin1")
        .split("\n")
        .map((line) => line.split(/[ \t]/)[0]!);
      return [...new Set(names.filter((name) => expression.test(name)))];
    } catch {
      // The next place.
    }
  }
  return [];
}
