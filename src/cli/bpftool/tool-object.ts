/** What a word such as `map` stands for on bpftool's command line. */
import type { Arguments, Session } from "./session.js";

/** A command's work: it is given the arguments after its name. */
export type Action = (session: Session, args: Arguments) => Promise<void>;

/** The commands of an object, in the order in which an abbreviation finds them. */
export interface ToolObject {
  readonly usage: string;
  /** Without an action: it is bpftool's, and not here. */
  readonly commands: readonly (readonly [name: string, action?: Action])[];
}

/** Returns the command that shows how an object is used. */
export function helpOf(usage: string): Action {
  return async (session) => session.usage(usage);
}
