/** Chooses the backend of the runtime that this is. */

import { BtfEnvironmentError } from "../../errors/error.js";
import { ERR_LIVE_PLATFORM } from "../../errors/live.js";
import { type Architecture, SYSCALLS } from "../syscall-numbers.js";
import type { Ffi } from "./ffi.js";

/**
 * Returns the processor that this process runs on.
 *
 * @throws BtfEnvironmentError ERR_LIVE_PLATFORM anywhere but on Linux on x86-64 or arm64
 */
export function architecture(host: { readonly platform: string; readonly arch: string } = process): Architecture {
  const { platform, arch } = host;
  if (platform === "linux" && (arch === "x64" || arch === "arm64")) return arch;
  throw new BtfEnvironmentError(ERR_LIVE_PLATFORM, { name: `${platform} on ${arch}` });
}

/**
 * Opens the backend of this runtime: koffi in Node, `bun:ffi` in Bun, `Deno.dlopen` in Deno.
 *
 * @throws BtfEnvironmentError ERR_LIVE_PLATFORM, ERR_LIVE_FFI
 */
export async function openFfi(): Promise<Ffi> {
  const poll = SYSCALLS[architecture()].ppoll;
  if ("Deno" in globalThis) return (await import("./deno.js")).openDeno(poll);
  if ("Bun" in globalThis) return await (await import("./bun.js")).openBun(poll);
  return await (await import("./koffi.js")).openKoffi();
}
