import type { TypePage } from "../protocol.js";

export function HistoryTab(_: { readonly page: TypePage }) {
  return null;
}
