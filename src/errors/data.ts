/** What errors about typed data say: values of a type in bytes, and back. */
import { rule } from "./rule.js";

export const ERR_DATA_SHORT = /* @__PURE__ */ rule(
  "ERR_DATA_SHORT",
  (d) => `the data is too short: ${d.name} ends at byte ${d.limit}, the data at byte ${d.value}`,
);
export const ERR_DATA_TYPE = /* @__PURE__ */ rule(
  "ERR_DATA_TYPE",
  (d) => `type [${d.typeId}]${d.name ? ` "${d.name}"` : ""} has no value: ${d.note}`,
);
export const ERR_DATA_FORMAT = /* @__PURE__ */ rule(
  "ERR_DATA_FORMAT",
  (d) => `type [${d.typeId}]${d.name ? ` "${d.name}"` : ""} has no value: ${d.note}`,
);
export const ERR_DATA_PLACE = /* @__PURE__ */ rule(
  "ERR_DATA_PLACE",
  (d) => `type [${d.typeId}], member "${d.name}": ${d.note}`,
);
export const ERR_DATA_LIMIT = /* @__PURE__ */ rule(
  "ERR_DATA_LIMIT",
  (d) => `type [${d.typeId}]${d.name ? ` "${d.name}"` : ""} has ${d.note}, the limit is ${d.limit}`,
);
export const ERR_DATA_VALUE = /* @__PURE__ */ rule(
  "ERR_DATA_VALUE",
  (d) =>
    `${d.name}: ${d.note}${d.nearest?.length ? `; did you mean ${d.nearest.map((name) => `"${name}"`).join(", ")}?` : ""}`,
);
