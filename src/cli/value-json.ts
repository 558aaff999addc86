/** Decoded values as JSON, and back: integers keep all their digits. */

/** JSON of a value: `bigint`s as numbers, typed arrays as arrays, what is no number of JSON as text. */
export function valueJson(value: unknown): string {
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number") return Number.isFinite(value) ? JSON.stringify(value) : `"${value}"`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (ArrayBuffer.isView(value)) return `[${Array.from(value as Uint8Array, valueJson).join(",")}]`;
  if (Array.isArray(value)) return `[${value.map(valueJson).join(",")}]`;
  return `{${Object.entries(value)
    .map(([name, member]) => `${JSON.stringify(name)}:${valueJson(member)}`)
    .join(",")}}`;
}

/** Texts as they are, and integers of more digits than a number of JavaScript keeps. */
const TOKENS = /"(?:\\.|[^"\\])*"|-?\b\d{16,}\b(?![.eE])/g;

/** A value from JSON; long integers become text, which encoding reads. @throws SyntaxError */
export function parseValue(text: string): unknown {
  return JSON.parse(text.replace(TOKENS, (token) => (token.startsWith('"') ? token : `"${token}"`)));
}
