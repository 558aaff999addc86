/** Opens a kernel's configuration file, such as /boot/config-6.12, plain or gzipped. */
import { readBytes } from "../node/file.js";
import { InputError } from "./exit.js";
import { inputError } from "./input-error.js";

/** Returns the text of a configuration file. @throws InputError for a file without settings */
export function readKconfig(path: string): string {
  let text: string;
  try {
    text = new TextDecoder().decode(readBytes(path === "-" ? 0 : path));
  } catch (cause) {
    throw inputError(path, cause);
  }
  if (!/^CONFIG_\w+=/m.test(text))
    throw new InputError(`${path}: no kernel configuration: no line starts with CONFIG_`);
  return text;
}
