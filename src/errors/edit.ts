/** The error codes of building and editing, in a file of their own: code that only reads BTF does without. */
import { rule } from "./rule.js";

// Builder (libbpf's btf__add_*), dedup (btf__dedup)
export const ERR_BUILD_NAME = /* @__PURE__ */ rule("ERR_BUILD_NAME", (d) => `${d.note} needs a name`);
export const ERR_BUILD_SIZE = /* @__PURE__ */ rule("ERR_BUILD_SIZE", (d) => `${d.note} cannot have ${d.value} bytes`);
export const ERR_BUILD_ENCODING = /* @__PURE__ */ rule(
  "ERR_BUILD_ENCODING",
  (d) => `INT "${d.name}" cannot have encoding ${d.value}: signed is 1, char 2, bool 4`,
);
export const ERR_BUILD_PARENT = /* @__PURE__ */ rule(
  "ERR_BUILD_PARENT",
  (d) => `a ${d.name} belongs to the last type, which is not a ${d.note}`,
);
export const ERR_BUILD_UNION_OFFSET = /* @__PURE__ */ rule(
  "ERR_BUILD_UNION_OFFSET",
  (d) => `member "${d.name}" of a union starts at bit ${d.value}, not at 0`,
);
export const ERR_BUILD_BITFIELD = /* @__PURE__ */ rule("ERR_BUILD_BITFIELD", (d) => `bitfield "${d.name}": ${d.note}`);
export const ERR_BUILD_VALUE = /* @__PURE__ */ rule(
  "ERR_BUILD_VALUE",
  (d) => `enumerator "${d.name}": ${d.note} does not fit`,
);
export const ERR_BUILD_LINKAGE = /* @__PURE__ */ rule(
  "ERR_BUILD_LINKAGE",
  (d) => `"${d.name}" cannot have linkage ${d.note}: static is 0, global 1, extern 2`,
);
export const ERR_BUILD_FWD = /* @__PURE__ */ rule(
  "ERR_BUILD_FWD",
  (d) => `"${d.name}" is declared as ${d.note}, not as struct, union or enum`,
);
export const ERR_BUILD_COMPONENT = /* @__PURE__ */ rule(
  "ERR_BUILD_COMPONENT",
  (d) => `tag "${d.name}" on component ${d.value}: it is an index, or -1 for the whole`,
);
export const ERR_BUILD_REFERENCE = /* @__PURE__ */ rule(
  "ERR_BUILD_REFERENCE",
  (d) => `${d.note} is not a type id (0 to ${d.limit})`,
);
export const ERR_BUILD_FOREIGN = /* @__PURE__ */ rule(
  "ERR_BUILD_FOREIGN",
  (d) => `type [${d.typeId}] "${d.name}" belongs to another Btf: copy() it first`,
);
export const ERR_BUILD_BASE = /* @__PURE__ */ rule("ERR_BUILD_BASE", (d) => `${d.note}`);
export const ERR_BUILD_LIMIT = /* @__PURE__ */ rule(
  "ERR_BUILD_LIMIT",
  (d) => `${d.name} ${d.value} is beyond the limit of ${d.limit}`,
);
export const ERR_DEDUP_LOOP = /* @__PURE__ */ rule(
  "ERR_DEDUP_LOOP",
  (d) => `type [${d.typeId}]${d.name ? ` "${d.name}"` : ""} refers to itself through references alone`,
);
export const ERR_DEDUP_NAMES = /* @__PURE__ */ rule(
  "ERR_DEDUP_NAMES",
  (d) => `the names around string offset ${d.value} overlap so often that comparing all of them would take too long`,
);
export const ERR_BTF_EXT = /* @__PURE__ */ rule("ERR_BTF_EXT", (d) => `malformed .BTF.ext: ${d.note}`);

// Distilled bases
export const ERR_DISTILL_BASE = /* @__PURE__ */ rule(
  "ERR_DISTILL_BASE",
  () => "only a split Btf has a base that can be distilled",
);
export const ERR_DISTILL_KIND = /* @__PURE__ */ rule(
  "ERR_DISTILL_KIND",
  (d) => `type [${d.typeId}] refers to type [${d.value}] of its base, a ${d.name}, which a distilled base cannot hold`,
);
export const ERR_REBASE_BASE = /* @__PURE__ */ rule(
  "ERR_REBASE_BASE",
  (d) => `cannot move to another base: ${d.note} (distill it first)`,
);
export const ERR_REBASE_MISSING = /* @__PURE__ */ rule("ERR_REBASE_MISSING", (d) => `the new base has no ${d.note}`);
export const ERR_REBASE_AMBIGUOUS = /* @__PURE__ */ rule("ERR_REBASE_AMBIGUOUS", (d) => `in the new base, ${d.note}`);
export const ERR_REBASE_ENDIAN = /* @__PURE__ */ rule(
  "ERR_REBASE_ENDIAN",
  (d) => `the new base is ${d.name}-endian, but the split Btf is not`,
);

// Fingerprints
export const ERR_FINGERPRINT = /* @__PURE__ */ rule(
  "ERR_FINGERPRINT",
  (d) => `the ${d.value} types in a cycle with type [${d.typeId}] look alike from 64 references away`,
);
