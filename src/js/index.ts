/**
 * `btfkit` without WebAssembly, for pages whose Content-Security-Policy forbids
 * it and hosts that lack it. Whatever is imported beside it (`btfkit`,
 * `btfkit/bpf`, `btfkit/node`) runs on these kernels too.
 */
import { makeKernel } from "../memory/generated/js-kernel.js";
import { refusing } from "../memory/js-memory.js";
import { provide } from "../memory/kernel.js";

export * from "../index.js";

provide(refusing(makeKernel));
