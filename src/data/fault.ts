/** A value that its type cannot hold. On its way out it learns where it was found. */
export class Fault extends Error {
  /** From the outermost type on: `se.load.weight`, `args[3]`. */
  path = "";
  readonly nearest: readonly string[];

  constructor(note: string, nearest: readonly string[] = []) {
    super(note);
    this.nearest = nearest;
  }

  /** The fault as the struct or array around it sees it. */
  within(step: string): this {
    this.path = this.path === "" || this.path.startsWith("[") ? step + this.path : `${step}.${this.path}`;
    return this;
  }
}

/** A value as an error shows it. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === "bigint" || typeof value === "number" || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return "an array";
  return value === null ? "null" : typeof value === "object" ? "an object" : typeof value;
}
