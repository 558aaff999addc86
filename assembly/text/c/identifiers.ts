// What a C compiler would not take, or take otherwise: names that are no identifiers, such as Rust's.
import { KIND_DATASEC, KIND_DECL_TAG, KIND_ENUM, KIND_ENUM64, KIND_FLOAT, KIND_FUNC, KIND_FUNC_PROTO, KIND_INT, KIND_STRUCT, KIND_TYPE_TAG, KIND_UNION, KIND_VAR, TYPE_SIZE } from "../../format/generated/abi";
import { idLimit, Image, kindFlag, kindOf, stringAt, typeAt, vlenOf } from "../../format/image";

function isIdentifier(at: usize): bool {
  let byte = load<u8>(at);
  if (byte - 48 < 10) return false;
  while (byte) {
    const letter = (byte | 0x20) - 97 < 26;
    if (!letter && byte != 95 && !(byte - 48 < 10)) return false;
    byte = load<u8>(++at);
  }
  return true;
}

/** Tells whether there is one, or a struct whose members are not in the order of their offsets. */
export function isOdd(image: Image): bool {
  const end = idLimit(image);
  for (let id: u32 = 1; id < end; id++) {
    const type = typeAt(image, id);
    const kind = kindOf(type.info);
    switch (kind) {
      case KIND_INT:
      case KIND_FLOAT:
      case KIND_FUNC:
      case KIND_VAR:
      case KIND_DATASEC:
      case KIND_DECL_TAG:
      case KIND_TYPE_TAG:
        // Not shown, or shown as something else.
        continue;
      default:
        break;
    }
    if (type.nameOff && !isIdentifier(stringAt(image, type.nameOff))) return true;
    let size: u32 = 0;
    if (kind == KIND_STRUCT || kind == KIND_UNION || kind == KIND_ENUM64) size = 12;
    else if (kind == KIND_ENUM || kind == KIND_FUNC_PROTO) size = 8;
    if (size) {
      const from = changetype<usize>(type) + TYPE_SIZE;
      const stop = from + vlenOf(type.info) * size;
      let last: u32 = 0;
      for (let element = from; element < stop; element += size) {
        const name = load<u32>(element);
        if (name && !isIdentifier(stringAt(image, name))) return true;
        if (kind == KIND_STRUCT) {
          const offset = kindFlag(type.info) ? load<u32>(element, 8) & 0xffffff : load<u32>(element, 8);
          if (offset < last) return true;
          last = offset;
        }
      }
    }
  }
  return false;
}
