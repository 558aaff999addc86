// Lists the structs that hold fields with a meaning to the verifier of programs
// (btf_parse_struct_metas): locks, list heads, kernel pointers. Among all types
// they are few; what has to hold of them, src/edit/verify/fields.ts checks.
import {
  KIND_PTR, KIND_STRUCT, KIND_TYPE_TAG, KIND_VOLATILE, LINUX_VLEN_MASK, MEMBER_SIZE, MEMBER_TYPE, TYPE_SIZE,
} from "../../format/generated/abi"; // prettier-ignore
import { FIELD_TYPE } from "../../format/generated/edit-abi";
import { typeAt, kindAt, Verify } from "./state";

/** "bpf_" */
const PREFIX: u32 = 0x5f667062;

/** Lists in `ids` what may be the type of such a field: structs named bpf_…, pointers to what has a type tag. Returns how many. */
export function listFieldTypes(btf: Verify): u32 {
  let count: u32 = 0;
  for (let id: u32 = 1; id < btf.idLimit; id++) {
    const kind = kindAt(btf, id);
    if (kind == KIND_STRUCT) {
      if (load<u32>(btf.strings + typeAt(btf, id).nameOff, 0, 1) != PREFIX) continue;
    } else {
      const pointer = kind == KIND_VOLATILE ? typeAt(btf, id).size : id;
      if (kindAt(btf, pointer) != KIND_PTR || kindAt(btf, typeAt(btf, pointer).size) != KIND_TYPE_TAG) continue;
    }
    store<u32>(btf.ids + ((<usize>count) << 2), id);
    count++;
  }
  return count;
}

/** Lists in `ids` the structs with a member of a type whose state is FIELD_TYPE. Returns how many. */
export function listFieldHolders(btf: Verify): u32 {
  let count: u32 = 0;
  for (let id: u32 = 1; id < btf.idLimit; id++) {
    if (kindAt(btf, id) != KIND_STRUCT) continue;
    const type = typeAt(btf, id);
    const members = type.info & LINUX_VLEN_MASK;
    for (let i: u32 = 0; i < members; i++) {
      if (load<u8>(btf.states + load<u32>(changetype<usize>(type) + i * MEMBER_SIZE, TYPE_SIZE + MEMBER_TYPE)) != FIELD_TYPE) continue;
      store<u32>(btf.ids + ((<usize>count) << 2), id);
      count++;
      break;
    }
  }
  return count;
}
