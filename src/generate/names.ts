/** Identifiers: what a type or member is called in a language where its name is taken, reserved or no identifier. */

/** Longer names are cut: compilers have limits, and hostile input has none. */
const LONGEST = 200;

/** A name as an identifier: ASCII letters, digits and underscores, not starting with a digit. */
export function identifier(name: string): string {
  const plain = name.slice(0, LONGEST).replace(/[^A-Za-z0-9_]/g, "_");
  // Rust and Go have a meaning for `_`.
  if (/^_*$/.test(plain)) return `${plain}_0`;
  return /^[A-Za-z_]/.test(plain) ? plain : `_${plain}`;
}

/** A name inside a comment: on its line, and unable to end it. */
export function commented(text: string): string {
  return text
    .slice(0, LONGEST)
    .replace(/[^\x20-\x7e]/g, "?")
    .replace(/\*\//g, "*?")
    .replace(/\\$/, "?");
}

/** One scope of identifiers. */
export class Names {
  readonly #reserved: ReadonlySet<string>;
  readonly #taken = new Set<string>();
  /** The last number tried by identifier, so that a thousand equal names cost no million tries. */
  readonly #numbers = new Map<string, number>();

  constructor(reserved: ReadonlySet<string> = new Set()) {
    this.#reserved = reserved;
  }

  /** Takes a name: as an identifier, `_` behind a reserved one, and a number behind one that is taken, as libbpf does. */
  take(name: string): string {
    const plain = identifier(name);
    const wanted = this.#reserved.has(plain) ? `${plain}_` : plain;
    let found = wanted;
    for (let number = this.#numbers.get(wanted) ?? 2; this.#taken.has(found) || this.#reserved.has(found); number++) {
      found = `${wanted}___${number}`;
      this.#numbers.set(wanted, number + 1);
    }
    this.#taken.add(found);
    return found;
  }
}
