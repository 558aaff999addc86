import { BtfEnvironmentError, type Rule } from "../../errors/error.js";
import { ERRNO, errnoName } from "../errno.js";

/** Where in a program the verifier gave up. */
export interface VerifierPlace {
  /** Index of the instruction. */
  readonly instruction: number;
  /** The line of source, as the object's BTF has it. */
  readonly source: string | undefined;
}

/** The verifier writes these lines behind what it says is wrong. */
const CLOSING = /^(processed \d+ insns|verification time |stack depth |peak_states |$)/;

/**
 * The kernel's verifier has refused a program.
 *
 * @example
 * console.log(BtfVerifierError.prototype instanceof BtfError); // true
 */
export class BtfVerifierError extends BtfEnvironmentError {
  /** The program. */
  readonly program: string;
  /** The kernel's, a positive number. */
  readonly errno: number;
  /** All that the verifier said. */
  declare readonly log: string;
  /** The verifier's own words for what is wrong: the last line that is not statistics. */
  readonly reason: string;
  /** Where the verifier stopped, if its log says so. */
  readonly place: VerifierPlace | undefined;

  /** @internal */
  constructor(rule: Rule, program: string, errno: number, log: string) {
    const lines = log.split("\n");
    const reason = lines.findLast((line) => !CLOSING.test(line.trim()))?.trim() ?? "";
    const place = placeIn(lines);
    const where = place ? ` at instruction ${place.instruction}${place.source ? ` (${place.source})` : ""}` : "";
    const why =
      meaningOf(reason) ||
      reason ||
      (errno === ERRNO.EPERM
        ? "it gives no reason: a security module, lockdown or a missing capability may forbid the program"
        : "it gives no reason: it may not know this type of program");
    super(rule, { name: program, value: errno, note: `${why}${where} (${errnoName(errno)})` });
    this.program = program;
    this.errno = errno;
    this.reason = reason;
    this.place = place;
    Object.defineProperty(this, "log", { value: log });
  }

  override get name(): string {
    return "BtfVerifierError";
  }

  /** The errno's name. */
  get errnoName(): string {
    return errnoName(this.errno);
  }
}

/** The last instruction that the log shows, and the line of source before it. */
function placeIn(lines: readonly string[]): VerifierPlace | undefined {
  const at = lines.findLastIndex((line) => /^\d+: /.test(line));
  if (at < 0) return undefined;
  const source = lines.slice(0, at).findLast((line) => line.startsWith("; "));
  return { instruction: Number.parseInt(lines[at]!, 10), source: source?.slice(2).trim() };
}

/** What loaders put in place of what cannot be filled in. Source: libbpf's fixup_verifier_log. */
function meaningOf(reason: string): string | undefined {
  const [, number] = /^invalid func unknown#(\d+)/.exec(reason) ?? [];
  if (number === "195896080")
    return "it can reach an access that a CO-RE relocation found no match for on this kernel (btfkit relocate --explain says why)";
  if (number?.startsWith("2001000")) return "it can reach a use of a map that is not created";
  if (number?.startsWith("2002000")) return "it can reach a call of a kernel function that this kernel does not have";
  return undefined;
}
