/** An input that could not be opened, as one line: exit code 3. */
export class InputError extends Error {}
