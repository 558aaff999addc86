/** A kernel's configuration file, such as /boot/config-6.12: values of `.kconfig` externs. */
import { readBytes } from "../node.js";
import { InputError } from "./exit.js";
import { inputError } from "./input.js";

/** As libbpf's `enum libbpf_tristate` and bool have them. */
const WORDS = ["n", "y", "m"];

/**
 * The settings in a configuration file, plain or gzipped, and the kernel's
 * version, which its first lines name, as LINUX_KERNEL_VERSION.
 *
 * @throws InputError for a file that is none
 */
export function readKconfig(path: string): Map<string, bigint | string> {
  let text: string;
  try {
    text = new TextDecoder().decode(readBytes(path === "-" ? 0 : path));
  } catch (cause) {
    throw inputError(path, cause);
  }
  const found = new Map<string, bigint | string>();
  for (const [, name, value] of text.matchAll(/^(CONFIG_\w+)=(.*)$/gm)) found.set(name!, setting(value!));
  if (found.size === 0) throw new InputError(`${path}: no kernel configuration: no line starts with CONFIG_`);
  const [, a, b, c] = /^# Linux\/\S+ (\d+)\.(\d+)(?:\.(\d+))?/m.exec(text)?.map(Number) ?? [];
  if (a !== undefined && b !== undefined) {
    found.set("LINUX_KERNEL_VERSION", BigInt(a * 65536 + b * 256 + Math.min(c || 0, 255)));
  }
  return found;
}

function setting(text: string): bigint | string {
  if (WORDS.includes(text)) return BigInt(WORDS.indexOf(text));
  return /^-?(0x[\da-f]+|\d+)$/i.test(text) ? number(text) : text.replace(/^"(.*)"$/, "$1");
}

function number(text: string): bigint {
  return text.startsWith("-") ? -BigInt(text.slice(1)) : BigInt(text);
}
