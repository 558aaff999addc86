/** Reads the settings of a kernel's configuration file, such as /boot/config-6.12. */

/** Values of bool and tristate settings, as libbpf's `enum libbpf_tristate` numbers them. */
const WORDS = ["n", "y", "m"];

/**
 * Returns the settings by their names, and the kernel's version, which the first
 * lines tell, as LINUX_KERNEL_VERSION. Empty for a text without settings.
 */
export function readKconfig(text: string): Map<string, bigint | string> {
  const found = new Map<string, bigint | string>();
  for (const [, name, value] of text.matchAll(/^(CONFIG_\w+)=(.*)$/gm)) found.set(name!, setting(value!));
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
