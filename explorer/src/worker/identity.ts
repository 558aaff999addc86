/**
 * The identity of a BTF, for links: the same for the raw file, the vmlinuz and the package. It hashes lengths and
 * records that are spread over the whole, so that a kernel opens no later for it.
 */
import type { Btf } from "btfkit";

const SAMPLES = 512;

export function identityOf(btf: Btf): string {
  const { typesLength, stringsLength } = btf.header;
  const parts = [`${btf.size} ${typesLength} ${stringsLength} ${btf.endian}`];
  const step = Math.max(1, Math.floor((btf.size - btf.firstId) / SAMPLES));
  for (let id = btf.firstId; id < btf.size; id += step) parts.push(`${btf.kindAt(id)} ${btf.nameAt(id).slice(0, 64)}`);
  const text = parts.join("\n");
  return (fnv1a(text, 0x811c9dc5) + fnv1a(text, 0x01000193)).slice(0, 12);
}

/** FNV-1a over UTF-16 units, 8 hexadecimal digits. */
function fnv1a(text: string, seed: number): string {
  let hash = seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}
