/** The symbols of a kernel, from /proc/kallsyms or a System.map. */

/** One symbol. */
interface KernelSymbol {
  readonly address: bigint;
  /** The letter of its type: `T` and `t` for functions, `D`, `d`, `B`, `b`, `R`, `r` for data. */
  readonly type: string;
}

/** Suffixes that compilers give to functions that they change: `.isra.0`, `.constprop.0`, `.part.0`, `.cold`. */
const SUFFIX = /\.(?:isra|constprop|part|cold|llvm)\b.*$/;

/** A table of symbols, by name. */
export class KernelSymbolTable {
  readonly #symbols = new Map<string, KernelSymbol[]>();
  /** Full names by the name without its suffix. */
  readonly #changed = new Map<string, string[]>();

  /** @param text lines of address, type and name: `ffffffff81000000 T _text` */
  constructor(text: string) {
    for (const [, address, type, name] of text.matchAll(/^([\da-f]+) (\S) (\S+)/gim)) {
      this.#add(name!, { address: BigInt(`0x${address}`), type: type! });
      const plain = name!.replace(SUFFIX, "");
      if (plain === name) continue;
      // libbpf finds data whose name link-time optimisation has extended.
      if (type === "d" && name!.includes(".llvm.")) this.#add(plain, { address: BigInt(`0x${address}`), type });
      const names = this.#changed.get(plain);
      if (names) names.push(name!);
      else this.#changed.set(plain, [name!]);
    }
  }

  #add(name: string, symbol: KernelSymbol): void {
    const known = this.#symbols.get(name);
    if (known) known.push(symbol);
    else this.#symbols.set(name, [symbol]);
  }

  get size(): number {
    return this.#symbols.size;
  }

  /** The first address of each name. */
  get addresses(): Map<string, bigint> {
    return new Map(Array.from(this.#symbols, ([name, [first]]) => [name, first!.address]));
  }

  /** Returns the different addresses of a name. Functions only, if asked for. */
  addressesOf(name: string, functionsOnly = false): readonly bigint[] {
    const symbols = this.#symbols.get(name) ?? [];
    const wanted = functionsOnly ? symbols.filter(({ type }) => /[tw]/i.test(type)) : symbols;
    return [...new Set(wanted.map(({ address }) => address))];
  }

  /** Returns the names under which compilers left a changed function: `name.isra.0`. */
  changedNames(name: string): readonly string[] {
    return this.#changed.get(name) ?? [];
  }
}

let last: { readonly text: string; readonly table: KernelSymbolTable } | undefined;

/** Returns the table of a text. The last one is kept: all objects on a kernel ask for the same. */
export function symbolTable(text: string): KernelSymbolTable {
  if (last?.text !== text) last = { text, table: new KernelSymbolTable(text) };
  return last.table;
}
