/** The object's BTF for a kernel that does not know all of it. Source: libbpf's bpf_object__sanitize_btf. */
import { Btf } from "../btf/btf.js";
import { encode } from "../edit/build/encode.js";
import { type BtfFeature, sanitize } from "../edit/reshape/sanitize.js";
import type { KernelFeature, TargetKernel } from "./kernel.js";

/** What libbpf probes for, by what BTF calls it. Attributes libbpf does not probe for. */
const FEATURES: readonly (readonly [KernelFeature, BtfFeature])[] = [
  ["btf_func", "func"],
  ["btf_datasec", "datasec"],
  ["btf_global_func", "func_global"],
  ["btf_float", "float"],
  ["btf_decl_tag", "decl_tag"],
  ["btf_type_tag", "type_tag"],
  ["btf_enum64", "enum64"],
  ["btf_qmark_datasec", "qmark_datasec"],
  ["btf_layout", "layout"],
];

export function sanitizedTypes(bytes: Uint8Array, kernel: TargetKernel): Uint8Array {
  if (FEATURES.every(([feature]) => kernel.has(feature))) return bytes;
  const features = FEATURES.filter(([feature]) => kernel.has(feature)).map(([, name]) => name);
  const btf = Btf.parse(bytes);
  btf.pointerSize = 8;
  return encode(sanitize(btf, { features: [...features, "attributes"] }).btf);
}
