/** Globs, as shells have them. */
import { UsageError } from "./exit.js";

/** Whether a text is a glob rather than a name. */
export function isGlob(text: string): boolean {
  return /[*?[\]]/.test(text);
}

/** @throws UsageError if the source is no regular expression */
export function expression(source: string, flags = ""): RegExp {
  try {
    return new RegExp(source, flags);
  } catch (cause) {
    throw new UsageError(`not a regular expression: ${(cause as Error).message}`);
  }
}

/** A glob over the whole of a name: `*`, `?`, `[abc]`, `[!abc]`. */
export function globExpression(glob: string): RegExp {
  let source = "";
  for (let i = 0; i < glob.length; i++) {
    const char = glob[i]!;
    const close = char === "[" ? glob.indexOf("]", i + 2) : -1;
    if (char === "*") source += ".*";
    else if (char === "?") source += ".";
    else if (close > 0) {
      const set = glob.slice(i + 1, close).replace(/[\\\]^]/g, "\\$&");
      source += `[${set.startsWith("!") ? `^${set.slice(1)}` : set}]`;
      i = close;
    } else source += char.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  }
  return expression(`^${source}$`, "s");
}
