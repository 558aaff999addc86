// The words that raw text and JSON share (bpftool's btf_int_enc_str, btf_var_linkage_str).
import { phrase } from "./writer";

export function intEncoding(p: usize, encoding: u32): usize {
  switch (encoding) {
    case 0:
      return phrase(p, "(none)");
    case 1:
      return phrase(p, "SIGNED");
    case 2:
      return phrase(p, "CHAR");
    case 4:
      return phrase(p, "BOOL");
    default:
      return phrase(p, "UNKN");
  }
}

export function linkage(p: usize, value: u32): usize {
  switch (value) {
    case 0:
      return phrase(p, "static");
    case 1:
      return phrase(p, "global");
    case 2:
      return phrase(p, "extern");
    default:
      return phrase(p, "(unknown)");
  }
}
