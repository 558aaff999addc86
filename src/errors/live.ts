/** The rules of errors about the running kernel. They stand apart, for most programs never talk to it. */
import { rule } from "./rule.js";

export const ERR_LIVE_PLATFORM = /* @__PURE__ */ rule(
  "ERR_LIVE_PLATFORM",
  (d) => `btfkit/live needs Linux on x86-64 or arm64, this is ${d.name}; files are read anywhere with btfkit/node`,
);
export const ERR_LIVE_FFI = /* @__PURE__ */ rule(
  "ERR_LIVE_FFI",
  (d) => `btfkit/live cannot make system calls: ${d.note}`,
);
export const ERR_LIVE_SYSCALL = /* @__PURE__ */ rule("ERR_LIVE_SYSCALL", (d) => `${d.name}: ${d.note}`);
export const ERR_LIVE_PERMISSION = /* @__PURE__ */ rule(
  "ERR_LIVE_PERMISSION",
  (d) => `${d.name}: operation not permitted: ${d.note}`,
);
export const ERR_LIVE_NOT_FOUND = /* @__PURE__ */ rule(
  "ERR_LIVE_NOT_FOUND",
  (d) => `the kernel has no ${d.name} with id ${d.value}`,
);
export const ERR_LIVE_CLOSED = /* @__PURE__ */ rule(
  "ERR_LIVE_CLOSED",
  (d) => `this ${d.name} is closed: its descriptor was disposed of`,
);
export const ERR_LIVE_KIND = /* @__PURE__ */ rule("ERR_LIVE_KIND", (d) => `${d.name} holds a ${d.note}`);
export const ERR_LIVE_BPFFS = /* @__PURE__ */ rule(
  "ERR_LIVE_BPFFS",
  (d) => `${d.name}: not in a BPF file system; mount one: mount -t bpf bpf /sys/fs/bpf`,
);
export const ERR_LIVE_SIZE = /* @__PURE__ */ rule(
  "ERR_LIVE_SIZE",
  (d) => `the ${d.name} has ${d.value} byte${d.value === 1 ? "" : "s"}, the map's has ${d.limit}`,
);
export const ERR_LIVE_MAP_TYPE = /* @__PURE__ */ rule("ERR_LIVE_MAP_TYPE", (d) => `a map of type ${d.name} ${d.note}`);
export const ERR_LIVE_VERIFIER = /* @__PURE__ */ rule(
  "ERR_LIVE_VERIFIER",
  (d) => `the kernel refuses program "${d.name}": ${d.note}`,
);
export const ERR_LIVE_PINNED_MAP = /* @__PURE__ */ rule(
  "ERR_LIVE_PINNED_MAP",
  (d) => `the map that is pinned at ${d.name} has another shape: ${d.note}; remove the pin, or pin this one elsewhere`,
);
export const ERR_LIVE_ATTACH = /* @__PURE__ */ rule(
  "ERR_LIVE_ATTACH",
  (d) => `program "${d.name}" cannot be attached: ${d.note}`,
);
export const ERR_LIVE_EVENTS = /* @__PURE__ */ rule("ERR_LIVE_EVENTS", (d) => `map "${d.name}": ${d.note}`);
