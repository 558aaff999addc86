// The words that raw text and JSON share (bpftool's btf_int_enc_str, btf_var_linkage_str).
import { text } from "./writer";

export function intEncoding(p: usize, encoding: u32): usize {
  switch (encoding) {
    case 0:
      return text(p, "(none)");
    case 1:
      return text(p, "SIGNED");
    case 2:
      return text(p, "CHAR");
    case 4:
      return text(p, "BOOL");
    default:
      return text(p, "UNKN");
  }
}

export function linkage(p: usize, value: u32): usize {
  switch (value) {
    case 0:
      return text(p, "static");
    case 1:
      return text(p, "global");
    case 2:
      return text(p, "extern");
    default:
      return text(p, "(unknown)");
  }
}
