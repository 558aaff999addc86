/** Terminal colours. */
import { styleText } from "node:util";

type Style = (text: string) => string;

/** Styles that leave text as it is when colour is off. */
export function styler(color: boolean): { bold: Style; dim: Style } {
  if (!color) return { bold: (text) => text, dim: (text) => text };
  // Whether colour is wanted has been decided: the stream is not asked again.
  const style =
    (name: "bold" | "dim"): Style =>
    (text) =>
      styleText(name, text, { validateStream: false } as never);
  return { bold: style("bold"), dim: style("dim") };
}

/** Text of an input without what would control the terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, "\ufffd");
}
