/**
 * `btfkit` without WebAssembly, for pages whose Content-Security-Policy forbids
 * it and hosts that lack it. Whatever is imported beside it (`btfkit`,
 * `btfkit/bpf`, `btfkit/node`) runs on these kernels too.
 */
import { makeKernel } from "../wasm/js-kernel.js";
import { refusing } from "../wasm/js-memory.js";
import { provide } from "../wasm/kernel.js";

export * from "../index.js";

provide(refusing(makeKernel));
