/** What errors about kernel images and packages say, as rules.ts has it for all else. */

import { rule } from "./btf.js";
import type { ErrorDetails } from "./error.js";

/** The file that it is about, where that is not the input itself. */
const at = ({ name }: ErrorDetails): string => (name ? `${name}: ` : "");
const meant = (nearest: readonly string[] | undefined): string =>
  nearest?.length ? `; there is ${nearest.join(", ")}` : "";

export const ERR_IMAGE_UNKNOWN = /* @__PURE__ */ rule(
  "ERR_IMAGE_UNKNOWN",
  (d) => `${at(d)}neither BTF nor anything that may hold it: ${d.note}`,
);
export const ERR_IMAGE_COMPRESSION = /* @__PURE__ */ rule(
  "ERR_IMAGE_COMPRESSION",
  (d) => `${at(d)}${d.note}: unpack it with other means`,
);
export const ERR_IMAGE_HEADER = /* @__PURE__ */ rule("ERR_IMAGE_HEADER", (d) => `${at(d)}malformed ${d.note}`);
export const ERR_IMAGE_TRUNCATED = /* @__PURE__ */ rule(
  "ERR_IMAGE_TRUNCATED",
  (d) => `${at(d)}truncated: the ${d.note} breaks off`,
);
export const ERR_IMAGE_DAMAGED = /* @__PURE__ */ rule("ERR_IMAGE_DAMAGED", (d) => `${at(d)}damaged ${d.note}`);
export const ERR_IMAGE_LIMIT = /* @__PURE__ */ rule(
  "ERR_IMAGE_LIMIT",
  (d) =>
    `${at(d)}${d.note} gives more than ${d.limit} bytes (${d.value} so far): ` +
    "if it is to be trusted, raise the limit with maxBytes or --max-size",
);
export const ERR_IMAGE_DEPTH = /* @__PURE__ */ rule(
  "ERR_IMAGE_DEPTH",
  (d) => `${at(d)}containers inside containers, more than ${d.limit} deep`,
);
export const ERR_IMAGE_NO_BTF = /* @__PURE__ */ rule(
  "ERR_IMAGE_NO_BTF",
  (d) => `${at(d)}${d.note} without BTF: kernels have it when they are built with CONFIG_DEBUG_INFO_BTF`,
);
export const ERR_IMAGE_NO_KERNEL = /* @__PURE__ */ rule(
  "ERR_IMAGE_NO_KERNEL",
  (d) => `${at(d)}no kernel among its ${d.value} files${d.note ? ` (${d.note})` : ""}`,
);
export const ERR_IMAGE_MEMBER = /* @__PURE__ */ rule(
  "ERR_IMAGE_MEMBER",
  (d) => `no kernel or module "${d.name}" inside${meant(d.nearest)}`,
);
