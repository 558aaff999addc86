/** The codes of errors about kernel images and packages, with their messages. */

import { type ErrorDetails, rule } from "./rule.js";

/** The file inside the input that the error is about, if it is not the input itself. */
const at = ({ name }: ErrorDetails): string => (name ? `${name}: ` : "");

const suggestion = (nearest: readonly string[] | undefined): string =>
  nearest?.length ? `; did you mean ${nearest.join(", ")}?` : "";

export const ERR_IMAGE_UNKNOWN = /* @__PURE__ */ rule(
  "ERR_IMAGE_UNKNOWN",
  (d) => `${at(d)}not BTF, and not a file that can hold BTF: ${d.note}`,
);
export const ERR_IMAGE_COMPRESSION = /* @__PURE__ */ rule(
  "ERR_IMAGE_COMPRESSION",
  (d) => `${at(d)}${d.note}: decompress it first`,
);
export const ERR_IMAGE_HEADER = /* @__PURE__ */ rule("ERR_IMAGE_HEADER", (d) => `${at(d)}malformed ${d.note}`);
export const ERR_IMAGE_TRUNCATED = /* @__PURE__ */ rule(
  "ERR_IMAGE_TRUNCATED",
  (d) => `${at(d)}truncated: the ${d.note} ends early`,
);
export const ERR_IMAGE_DAMAGED = /* @__PURE__ */ rule("ERR_IMAGE_DAMAGED", (d) => `${at(d)}damaged ${d.note}`);
export const ERR_IMAGE_LIMIT = /* @__PURE__ */ rule(
  "ERR_IMAGE_LIMIT",
  (d) =>
    `${at(d)}${d.note} unpacks to more than ${d.limit} bytes (${d.value} so far): ` +
    "if you trust the file, raise the limit with maxBytes or --max-size",
);
export const ERR_IMAGE_DEPTH = /* @__PURE__ */ rule(
  "ERR_IMAGE_DEPTH",
  (d) => `${at(d)}containers are nested more than ${d.limit} levels deep`,
);
export const ERR_IMAGE_NO_BTF = /* @__PURE__ */ rule(
  "ERR_IMAGE_NO_BTF",
  (d) => `${at(d)}${d.note} without BTF: the kernel was built without CONFIG_DEBUG_INFO_BTF`,
);
export const ERR_IMAGE_NO_KERNEL = /* @__PURE__ */ rule(
  "ERR_IMAGE_NO_KERNEL",
  (d) => `${at(d)}found no kernel in its ${d.value} files${d.note ? ` (${d.note})` : ""}`,
);
export const ERR_IMAGE_KERNELS = /* @__PURE__ */ rule(
  "ERR_IMAGE_KERNELS",
  (d) => `${d.name} and ${d.note} are different kernels: name the one to take with member or --member`,
);
export const ERR_IMAGE_MEMBER = /* @__PURE__ */ rule(
  "ERR_IMAGE_MEMBER",
  (d) => `no kernel or module named "${d.name}" in the package${suggestion(d.nearest)}`,
);
