/** Addresses of the kernel's symbols. */

/** What /proc/kallsyms says. */
export class KernelSymbols {
  /** The base that calls of helpers count from; 0 if addresses are hidden (kernel.kptr_restrict). */
  readonly callBase: bigint;
  readonly #addresses: readonly string[];
  readonly #names: readonly string[];

  private constructor(callBase: bigint, addresses: readonly string[], names: readonly string[]) {
    this.callBase = callBase;
    this.#addresses = addresses;
    this.#names = names;
  }

  /** Reads the symbols. Where addresses are hidden there are none. */
  static read(): KernelSymbols {
    let text = "";
    try {
      text = process.getBuiltinModule("node:fs").readFileSync("/proc/kallsyms", "latin1");
    } catch {
      return new KernelSymbols(0n, [], []);
    }
    const lines: string[] = [];
    let callBase = "";
    for (let at = 0; at < text.length; ) {
      const end = text.indexOf("\n", at);
      const line = text.slice(at, end < 0 ? text.length : end);
      at = end < 0 ? text.length : end + 1;
      if (line.startsWith("0000000000000000")) continue;
      if (line.endsWith(" __bpf_call_base")) callBase = line.slice(0, 16);
      lines.push(line);
    }
    if (!callBase) return new KernelSymbols(0n, [], []);
    // Symbols at one address keep their order: which of them is found depends on it.
    const addresses = lines.map((line) => line.slice(0, 16));
    const order = addresses.every((address, i) => i === 0 || addresses[i - 1]! <= address)
      ? undefined
      : addresses
          .map((_, i) => i)
          .sort((a, b) => (addresses[a]! < addresses[b]! ? -1 : addresses[a] === addresses[b] ? a - b : 1));
    const sorted = order ? order.map((i) => lines[i]!) : lines;
    return new KernelSymbols(
      BigInt(`0x${callBase}`),
      order ? order.map((i) => addresses[i]!) : addresses,
      sorted.map((line) => line.slice(19).split("\t", 1)[0]!),
    );
  }

  /** Returns the name of a symbol at exactly this address. Of several it is the one that C's bsearch meets first. */
  nameAt(address: bigint): string | undefined {
    const wanted = BigInt.asUintN(64, address).toString(16).padStart(16, "0");
    let low = 0;
    let high = this.#addresses.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const found = this.#addresses[middle]!;
      if (wanted === found) return this.#names[middle];
      if (wanted < found) high = middle;
      else low = middle + 1;
    }
    return undefined;
  }
}
