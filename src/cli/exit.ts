/** How a command ends: its exit code, and the errors that stand for one. */

/** Done, the answer is no, wrong usage, bad input, a bug of ours. */
export const EXIT = { ok: 0, no: 1, usage: 2, input: 3, bug: 70 } as const;

/** The answer is no, and nothing is written: exit code 1. */
export class Refused extends Error {}

/** The command line itself is wrong: exit code 2. */
export class UsageError extends Error {}

/** An input that could not be opened, as one line: exit code 3. */
export class InputError extends Error {}
