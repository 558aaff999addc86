import { BtfEnvironmentError } from "../../errors/error.js";
import { ERR_LIVE_VERIFIER } from "../../errors/live.js";
import { errnoName } from "../errno.js";

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
  readonly errno: number;
  /** All that the verifier said. */
  declare readonly log: string;
  /** The verifier's own words for what is wrong: the last line that is not statistics. */
  readonly reason: string;
  readonly place: VerifierPlace | undefined;

  /** @internal */
  constructor(program: string, errno: number, log: string) {
    const lines = log.split("\n");
    const reason = lines.findLast((line) => !CLOSING.test(line.trim()))?.trim() ?? "";
    const place = placeIn(lines);
    const where = place ? ` at instruction ${place.instruction}${place.source ? ` (${place.source})` : ""}` : "";
    const why = reason || "it gives no reason: a security module, lockdown or a missing capability may forbid the program";
    super(ERR_LIVE_VERIFIER, { name: program, value: errno, note: `${why}${where} (${errnoName(errno)})` });
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
