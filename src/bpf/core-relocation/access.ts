/** Reads access strings, which name the member of a relocation by indices. */
import { RelocationFailure } from "./failure.js";

/** The nesting that libbpf follows (BPF_CORE_SPEC_MAX_LEN). */
export const ACCESS_LIMIT = 64;

const INT_MAX = 2 ** 31 - 1;

// The syntax of sscanf's %d: white space, a sign, digits.
const NUMBER = /[ \t\n\v\f\r]*([+-]?\d+)/y;

function malformed(errno: "EINVAL" | "E2BIG", reason: string): never {
  throw new RelocationFailure(errno, reason, true);
}

/**
 * Returns the indices of an access string, such as `"0:1:2"`. Accepts and refuses
 * the same strings as libbpf's bpf_core_parse_spec.
 *
 * @throws RelocationFailure EINVAL for an empty, malformed or negative string, E2BIG for more than 64 indices
 */
export function parseAccess(access: string): number[] {
  if (access === "") malformed("EINVAL", "its access string is empty");
  if (access.startsWith(":")) malformed("EINVAL", `its access string "${shown(access)}" starts with a colon`);
  const indices: number[] = [];
  for (let at = 0; at < access.length; ) {
    if (access[at] === ":") at++;
    NUMBER.lastIndex = at;
    const digits = NUMBER.exec(access)?.[1];
    if (digits === undefined)
      return malformed("EINVAL", `its access string "${shown(access)}" does not consist of numbers`);
    const index = toInt(digits);
    if (index < 0) malformed("EINVAL", `its access string "${shown(access)}" has a negative index`);
    if (indices.length === ACCESS_LIMIT) malformed("E2BIG", `its access string has more than ${ACCESS_LIMIT} indices`);
    indices.push(index);
    at = NUMBER.lastIndex;
  }
  return indices;
}

/**
 * Returns the indices of an access string that are decimal numbers of one
 * syntax, each up to `most`.
 *
 * @throws RelocationFailure EINVAL
 */
export function parseDecimals(access: string, syntax: RegExp, most: number): number[] {
  return access.split(":").map((digits) => {
    const index = syntax.test(digits) ? Number(digits) : Number.NaN;
    if (!(index <= most)) malformed("EINVAL", `its access string "${shown(access)}" does not consist of indices`);
    return index;
  });
}

/** Converts digits as sscanf does: to a 64-bit number, of which an int keeps the lower half. */
function toInt(digits: string): number {
  const value = Number(digits);
  if (Math.abs(value) <= INT_MAX) return value;
  if (value >= 2 ** 63) return -1;
  if (value <= -(2 ** 63)) return 0;
  return Number(BigInt.asIntN(32, BigInt(digits.replace(/^\+/, ""))));
}

function shown(access: string): string {
  return access.length > 40 ? `${access.slice(0, 40)}…` : access;
}
