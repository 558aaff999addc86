/** Bytes as people paste them: plain hex, xxd, hexdump -C, bpftool's map dump, C arrays. */

/** Reads bytes out of a text. @throws Error that names what is no hex digit */
export function parseHex(text: string): Uint8Array<ArrayBuffer> {
  const digits = text.split("\n").map(lineDigits).join("");
  const wrong = /[^\da-f]/i.exec(digits);
  if (wrong) throw new Error(`"${wrong[0]}" is no hexadecimal digit`);
  if (digits.length % 2) throw new Error(`${digits.length} hexadecimal digits are no whole bytes`);
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(i * 2, i * 2 + 2), 16));
}

/** The digits of a line, without its offset, its text at the right, and what separates bytes. */
function lineDigits(line: string): string {
  return line
    .replace(/\|.*\|?\s*$/, "")
    .replace(/^\s*(?:key|value)\s*:/i, "")
    .replace(/^\s*(?:0x)?[\da-f]{4,16}:\s*/i, "")
    .replace(/^\s*[\da-f]{7,16}(?: {2}|\t)/i, "")
    .replace(/(\b[\da-f]{2,4}(?: [\da-f]{2,4})+) {2,}\S.*$/i, "$1")
    .replace(/0x|\\x/gi, "")
    .replace(/[\s,;:{}[\]"']/g, "");
}
