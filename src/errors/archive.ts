/** Codes and messages of errors about archives of kernels. */
import { rule } from "./rule.js";

const suggestion = (nearest: readonly string[] | undefined): string =>
  nearest?.length ? `; did you mean ${nearest.join(", ")}?` : "";

export const ERR_ARCHIVE = /* @__PURE__ */ rule("ERR_ARCHIVE", (d) => `not a btfkit archive: ${d.note}`);
export const ERR_ARCHIVE_VERSION = /* @__PURE__ */ rule(
  "ERR_ARCHIVE_VERSION",
  (d) => `the archive has format ${d.value}, and this btfkit reads ${d.limit}: update btfkit`,
);
export const ERR_ARCHIVE_DAMAGED = /* @__PURE__ */ rule(
  "ERR_ARCHIVE_DAMAGED",
  (d) => `damaged archive: ${d.name}: ${d.note}`,
);
export const ERR_ARCHIVE_KERNEL = /* @__PURE__ */ rule(
  "ERR_ARCHIVE_KERNEL",
  (d) => `the archive has no kernel ${d.name}${suggestion(d.nearest)}`,
);
export const ERR_ARCHIVE_EXISTS = /* @__PURE__ */ rule(
  "ERR_ARCHIVE_EXISTS",
  (d) => `the archive has a kernel ${d.name} already, with other content: name this one with --id`,
);
export const ERR_ARCHIVE_LOCKED = /* @__PURE__ */ rule(
  "ERR_ARCHIVE_LOCKED",
  (d) => `the archive is being written: ${d.note}`,
);
export const ERR_ARCHIVE_RANGE = /* @__PURE__ */ rule(
  "ERR_ARCHIVE_RANGE",
  (d) => `${d.name}: the server does not answer Range requests: ${d.note}`,
);
