// The status block: where and why a kernel refused.
import { Status, STATUS_SIZE } from "./generated/abi";

const block = memory.data(STATUS_SIZE, 16);

/** Address of the status block. */
export function status(): usize {
  return block;
}

/** Fills the status block and returns the code as kernels return it. */
export function refuse(code: i32, offset: u32, typeId: u32, aux: u32): i32 {
  const status = changetype<Status>(block);
  status.offset = offset;
  status.typeId = typeId;
  status.aux = aux;
  return -code;
}
