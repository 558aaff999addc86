/** The bytes that are decoded, as a DataView. */
import { bytesOf } from "../btf/source.js";

/** A view of the bytes, without a copy. */
export function viewOf(bytes: ArrayBuffer | ArrayBufferView): DataView {
  if (bytes instanceof DataView) return bytes;
  if (bytes instanceof Uint8Array) return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { buffer, byteOffset, byteLength } = bytesOf(bytes);
  return new DataView(buffer, byteOffset, byteLength);
}
