// Names that C would take for the same get a number: tags (struct, union,
// enum) count among themselves, typedefs and enumerators among themselves
// (libbpf's btf_dump_resolve_name, btf_dump_name_dups).
import { KIND_ENUM, KIND_FWD, KIND_TYPEDEF } from "../../format/generated/abi";
import { hashString, sameString } from "../../format/bytes";
import { bytes as rawBytes, name as rawName, phrase, unsigned } from "../writer";
import { kindOf, vlenOf } from "../../format/image";
import { change, context, flagsOf, image, limit, C_NAMED, setFlags, stringOf, typeOf } from "./context";

// A counter: { name offset + 1, uses as a tag, uses as an identifier }; 0 is free.
const COUNTER_SIZE: u32 = 12;
const TAG: usize = 4;
const IDENTIFIER: usize = 8;

/** The longest name with a number, in bytes: libbpf cuts there. */
const NUMBERED_LENGTH: usize = 255;

/** One more use of the name at `nameOff`; returns which one it is. */
function count(nameOff: u32, among: usize): u32 {
  const key = stringOf(nameOff);
  const mask = context.namesMask;
  let slot = <u32>hashString(key, image.seed) & mask;
  let counter = context.names + slot * COUNTER_SIZE;
  let known = load<u32>(counter);
  while (known && known != nameOff + 1 && !sameString(key, stringOf(known - 1))) {
    slot = (slot + 1) & mask;
    counter = context.names + slot * COUNTER_SIZE;
    known = load<u32>(counter);
  }
  if (!known) change(counter, nameOff + 1);
  const uses = load<u32>(counter + among) + 1;
  change(counter + among, uses);
  return uses;
}

function numbered(p: usize, nameOff: u32, use: u32): usize {
  const end = plainName(p, nameOff);
  if (use <= 1) return end;
  return min(unsigned(phrase(end, "___"), use), p + NUMBERED_LENGTH);
}

/** The name of a tag or typedef, numbered at its first use; nothing if anonymous. */
export function typeName(p: usize, id: u32): usize {
  const type = typeOf(id);
  if (!type.nameOff) return p;
  const flags = flagsOf(id);
  const slot = context.uses + (id << 2);
  if (!(flags & C_NAMED)) {
    setFlags(id, flags | C_NAMED);
    const kind = kindOf(type.info);
    // Declarations without a body do not claim their name.
    const claims = kind != KIND_FWD && !(kind == KIND_ENUM && vlenOf(type.info) == 0);
    if (claims) change(slot, count(type.nameOff, kind == KIND_TYPEDEF ? IDENTIFIER : TAG));
  }
  return numbered(p, type.nameOff, load<u32>(slot));
}

/** The name of an enumerator, numbered each time it is written. */
export function enumeratorName(p: usize, nameOff: u32): usize {
  return numbered(p, nameOff, count(nameOff, IDENTIFIER));
}

/** A name as it is: a member's, a parameter's, an INT's; nothing if anonymous. */
export function plainName(p: usize, nameOff: u32): usize {
  return nameOff ? rawName(p, limit, image, nameOff) : p;
}

/**
* The label of a declaration: nothing, or the name at a string offset, or a
 * typedef's name with its number, or bytes that the host has put somewhere.
 */
export type Label = u64;

const LABEL_TYPEDEF: u64 = 1 << 32;
const LABEL_ADDRESS: u64 = 1 << 33;

// @ts-ignore: decorator
@inline
export function labelTypedef(id: u32): Label {
  return LABEL_TYPEDEF | id;
}

/** NUL-terminated bytes at an address. */
// @ts-ignore: decorator
@inline
export function labelAddress(at: usize): Label {
  return LABEL_ADDRESS | at;
}

/** Tells whether a label is empty. */
export function isEmpty(label: Label): bool {
  if (label & LABEL_TYPEDEF) return false;
  if (label & LABEL_ADDRESS) return !load<u8>(<usize>(label & 0xffffffff));
  return !label || !load<u8>(stringOf(<u32>label));
}

export function writeLabel(p: usize, label: Label): usize {
  if (label & LABEL_TYPEDEF) return typeName(p, <u32>label);
  if (label & LABEL_ADDRESS) return rawBytes(p, limit, <usize>(label & 0xffffffff));
  return plainName(p, <u32>label);
}
