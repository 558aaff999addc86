/** Terminal colours. */
import { styleText } from "node:util";

type Style = (text: string) => string;
type Name = "bold" | "dim" | "red" | "green" | "yellow";

/** Styles that leave text as it is when colour is off. */
export function styler(color: boolean): Readonly<Record<Name, Style>> {
  const plain: Style = (text) => text;
  if (!color) return { bold: plain, dim: plain, red: plain, green: plain, yellow: plain };
  // Whether colour is wanted has been decided: the stream is not asked again.
  const style =
    (name: Name): Style =>
    (text) =>
      styleText(name, text, { validateStream: false } as never);
  return { bold: style("bold"), dim: style("dim"), red: style("red"), green: style("green"), yellow: style("yellow") };
}

/** Text of an input without what would control the terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, "\ufffd");
}
