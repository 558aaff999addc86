/** SHA-256, by which files and images are known. */

import { ERR_UNSUPPORTED } from "../errors/btf.js";
import { BtfEnvironmentError } from "../errors/error.js";

/** Returns 64 hexadecimal digits. @throws BtfEnvironmentError ERR_UNSUPPORTED on a page that was loaded without TLS */
export async function sha256(bytes: Uint8Array): Promise<string> {
  const { subtle } = globalThis.crypto;
  if (!subtle) throw new BtfEnvironmentError(ERR_UNSUPPORTED, { note: "SHA-256 needs a secure context (https)" });
  const digest = await subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
