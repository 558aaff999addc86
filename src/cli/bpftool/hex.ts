/** Bytes as bpftool prints them. */

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Returns bytes in lines of 16, in two halves; `separator` stands between two of a half. */
export function hexLines(bytes: Uint8Array, separator: string): string {
  let text = "";
  for (let i = 0; i < bytes.length; i++) {
    if (i > 0) text += i % 16 === 0 ? "\n" : i % 8 === 0 ? "  " : separator;
    text += HEX[bytes[i]!];
  }
  return text;
}

/** Returns bytes as `prog run` shows them: an offset, pairs, and printable characters. */
export function hexDump(bytes: Uint8Array): string {
  let text = "";
  for (let row = 0; row < bytes.length; row += 16) {
    text += `${row.toString(16).padStart(7, "0")}\t`;
    let characters = "";
    for (let i = row; i < row + 16; i++) {
      const byte = bytes[i];
      text += (byte === undefined ? "  " : HEX[byte]!) + (i % 2 ? " " : "");
      if (byte === undefined) continue;
      characters += byte < 0x20 || byte > 0x7e ? "." : String.fromCharCode(byte);
      if (i === row + 7) characters += " ";
    }
    text += `| ${characters}\n`;
  }
  return text;
}
