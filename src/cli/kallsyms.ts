/** Opens a kernel's table of symbols: /proc/kallsyms or a System.map, plain or packed. */
import { readBytes } from "../node/file.js";
import { InputError } from "./exit.js";
import { inputError } from "./input-error.js";

/** Returns the text of a table of symbols. @throws InputError for a file without symbols */
export function readKallsyms(path: string): string {
  let text: string;
  try {
    text = new TextDecoder().decode(readBytes(path === "-" ? 0 : path));
  } catch (cause) {
    throw inputError(path, cause);
  }
  if (!/^[\da-f]+ \S \S/im.test(text))
    throw new InputError(`${path}: no symbols: no line has an address, a type and a name`);
  return text;
}
