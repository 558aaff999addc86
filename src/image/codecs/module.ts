/** Decoders that are WebAssembly: compiled once, an instance for each stream. */

import { ERR_WASM } from "../../errors/btf.js";
import { BtfEnvironmentError } from "../../errors/error.js";
import { moduleOf } from "../../memory/module-text.js";

const compiled = new Map<string, WebAssembly.Module>();

/**
 * A decoder's exports. An instance of its own keeps what a hostile stream does
 * to a decoder's memory out of all others.
 *
 * @param text the module
 * @throws BtfEnvironmentError ERR_WASM
 */
export function instantiate<T>(name: string, text: string, imports: WebAssembly.Imports = {}): T {
  try {
    let module = compiled.get(name);
    if (!module) {
      module = moduleOf(text);
      compiled.set(name, module);
    }
    return new WebAssembly.Instance(module, imports).exports as T;
  } catch (cause) {
    throw new BtfEnvironmentError(ERR_WASM, { note: `${name}: ${(cause as Error).message}` }, { cause });
  }
}
