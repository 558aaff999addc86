/** What errors about loading say. */
import { rule } from "./rule.js";

// Loading (libbpf's bpf_object__open and bpf_object__load)
export const ERR_LOAD = /* @__PURE__ */ rule("ERR_LOAD", (d) => `the object does not load: ${d.note} (${d.name})`);
