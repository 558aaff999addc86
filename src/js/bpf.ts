/** `btfkit/bpf` without WebAssembly. */
import "./index.js";

export * from "../bpf.js";
