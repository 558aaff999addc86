/** The answer is no, and nothing is written: exit code 1. */
export class Refused extends Error {}
