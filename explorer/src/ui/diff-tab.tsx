import type { TypePage } from "../protocol.js";

export function DiffTab(_: { readonly page: TypePage }) {
  return null;
}
