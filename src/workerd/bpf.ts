/** `btfkit/bpf` in workerd. */
import "./index.js";

export * from "../bpf.js";
