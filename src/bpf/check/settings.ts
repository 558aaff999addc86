/**
 * Memory that is constant for the verifier: `.rodata`, which a loader may set
 * before it loads a program, and `.kconfig`, which it fills with the kernel's
 * settings.
 */
import type { ElfSymbol } from "../elf/symbols.js";
import { readKconfig } from "../object/kconfig-file.js";
import type { BpfObject } from "../object/object.js";
import type { Value } from "./control-flow/value.js";

/** The known values of constant memory. By default none is known, and all values count as possible. */
export interface CheckSettings {
  /** `"initial"`: the loader leaves `.rodata` as it is in the file (default `"unknown"`). */
  readonly rodata?: "unknown" | "initial";
  /**
   * Values of `.kconfig` externs by their names: `LINUX_KERNEL_VERSION`,
   * `CONFIG_HZ`; or the text of the kernel's configuration file. Settings that
   * are not in it are then not set, and 0. With the text, externs that are
   * absent or do not fit their settings are found, as libbpf finds them.
   */
  readonly kconfig?: ReadonlyMap<string, bigint | string> | string;
}

/** What is known about a kernel beside its BTF. */
export interface KernelFacts {
  /** The kernel's symbols: the text of /proc/kallsyms or of a System.map. Untyped externs and probed functions are looked up there. */
  readonly kallsyms?: string;
}

/** Returns the text of the configuration, where the settings have it. */
export function kconfigText({ kconfig }: CheckSettings): string | undefined {
  return typeof kconfig === "string" ? kconfig : undefined;
}

export class Settings {
  readonly #object: BpfObject;
  readonly #settings: CheckSettings;
  readonly #values: ReadonlyMap<string, bigint | string> | undefined;
  #kconfig: ReadonlySet<string> | undefined;

  constructor(object: BpfObject, settings: CheckSettings) {
    this.#object = object;
    this.#settings = settings;
    const { kconfig } = settings;
    this.#values = typeof kconfig === "string" ? readKconfig(kconfig) : kconfig;
  }

  #isKconfig(name: string): boolean {
    this.#kconfig ??= new Set(this.#object.externs.filter(({ kind }) => kind === "kconfig").map(({ name }) => name));
    return this.#kconfig.has(name);
  }

  /** Returns the address of a symbol and an addend, if it is in constant memory. */
  place({ name, sectionIndex, byteOffset }: ElfSymbol, addend: number): Value | undefined {
    if (sectionIndex === 0) return this.#isKconfig(name) ? { kind: "frozen", of: name, offset: addend } : undefined;
    const section = this.#object.sections[sectionIndex];
    if (!section || !/^\.rodata(\.|$)/.test(section.name)) return undefined;
    return { kind: "frozen", of: sectionIndex, offset: byteOffset + addend };
  }

  /** Returns the bytes at a place as a number; `undefined` where they are not known. */
  read(of: number | string, offset: number, byteSize: number): bigint | undefined {
    if (typeof of === "string") return this.#extern(of, offset, byteSize);
    if (this.#settings.rodata !== "initial") return undefined;
    const data = this.#object.dataOf(this.#object.sections[of]!);
    if (offset < 0 || offset + byteSize > data.length) return undefined;
    let number = 0n;
    for (let i = 0; i < byteSize; i++) {
      const at = this.#object.endian === "little" ? byteSize - 1 - i : i;
      number = (number << 8n) | BigInt(data[offset + at]!);
    }
    return number;
  }

  /** Returns a numeric setting that is read from its start; text stays unknown. */
  #extern(name: string, offset: number, byteSize: number): bigint | undefined {
    if (!this.#values || offset !== 0) return undefined;
    const value = this.#values.get(name) ?? 0n;
    return typeof value === "bigint" ? BigInt.asUintN(byteSize * 8, value) : undefined;
  }
}
