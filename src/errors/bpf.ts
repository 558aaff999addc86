/** Codes and messages of errors about BPF objects and their relocation. */
import { rule } from "./rule.js";

// BPF objects and .BTF.ext (libbpf's bpf_object__elf_init, btf_ext_parse)
export const ERR_OBJECT = /* @__PURE__ */ rule("ERR_OBJECT", (d) => `not a BPF object: ${d.note}`);
export const ERR_OBJECT_SECTION = /* @__PURE__ */ rule(
  "ERR_OBJECT_SECTION",
  (d) => `BPF object has no ${d.name} section: ${d.note}`,
);
export const ERR_EXT = /* @__PURE__ */ rule("ERR_EXT", (d) => `malformed .BTF.ext: ${d.note}`);

// CO-RE relocation (libbpf's bpf_object__relocate_core)
export const ERR_CORE_RECORD = /* @__PURE__ */ rule(
  "ERR_CORE_RECORD",
  (d) => `section ${d.name}, malformed CO-RE relocation #${d.value}: ${d.note}`,
);
export const ERR_CORE_RELOCATION = /* @__PURE__ */ rule(
  "ERR_CORE_RELOCATION",
  (d) => `section ${d.name}, CO-RE relocation #${d.value}: ${d.note}`,
);
export const ERR_CORE_WORK = /* @__PURE__ */ rule(
  "ERR_CORE_WORK",
  (d) => `matching these types takes more than ${d.limit} steps`,
);
