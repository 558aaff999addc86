import type { TypePage } from "../protocol.js";

export function DecodeTab(_: { readonly page: TypePage }) {
  return null;
}
