/** An application as a bundler meets it: opens, looks up, dumps. */
import { Btf, dumpJson, dumpRaw } from "btfkit";

async function digest(dump) {
  const chunks = [];
  for await (const chunk of dump) chunks.push(chunk);
  const hash = await crypto.subtle.digest("SHA-256", await new Blob(chunks).arrayBuffer());
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export async function digests(packed) {
  const btf = await Btf.load(packed);
  if (!btf.find("task_struct", "struct")) throw new Error("task_struct is not found");
  return { raw: await digest(dumpRaw(btf)), json: await digest(dumpJson(btf)) };
}

/** Opens an ELF file whose section is packed with zstd: its decompressor is loaded on demand. */
export async function openPacked(elf) {
  return (await Btf.load(elf)).size;
}
