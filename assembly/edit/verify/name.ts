// Names as the kernel wants them (btf_name_valid_identifier, btf_name_valid_section).
import { Verify } from "./state";

/** KSYM_NAME_LEN */
const NAME_LIMIT: usize = 512;
/** BTF_MAX_NAME_OFFSET */
const OFFSET_MAX: u32 = 0xffffff;

export function offsetValid(btf: Verify, off: u32): bool {
  return off <= OFFSET_MAX && off < btf.stringsLength;
}

/** The kernel's isalpha: Latin-1. */
// @ts-ignore: decorator
@inline
function isLetter(byte: u32): bool {
  return (byte | 0x20) - 97 < 26 || (byte >= 0xc0 && byte != 0xd7 && byte != 0xf7);
}

// @ts-ignore: decorator
@inline
function isNameByte(byte: u32, first: bool): bool {
  return isLetter(byte) || byte == 95 || byte == 46 || (!first && byte - 48 < 10);
}

/** A letter, `_` or `.`, then those and digits, fewer than 512 bytes. */
export function isIdentifier(btf: Verify, off: u32): bool {
  let at = btf.strings + off;
  const limit = at + NAME_LIMIT;
  if (!isNameByte(load<u8>(at), true)) return false;
  at++;
  while (load<u8>(at) && at < limit) {
    if (!isNameByte(load<u8>(at), false)) return false;
    at++;
  }
  return !load<u8>(at);
}

/** Printable, not empty. */
export function isSectionName(btf: Verify, off: u32): bool {
  let at = btf.strings + off;
  const limit = at + NAME_LIMIT;
  if (!load<u8>(at)) return false;
  while (load<u8>(at) && at < limit) {
    const byte = <u32>load<u8>(at);
    if (byte - 32 >= 95 && byte < 0xa0) return false;
    at++;
  }
  return !load<u8>(at);
}

/** Tells whether a name is "". */
export function isEmpty(btf: Verify, off: u32): bool {
  return !load<u8>(btf.strings + off);
}
