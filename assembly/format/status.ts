// The status block: where and why a kernel refused.
import { STATUS_AUX, STATUS_OFFSET, STATUS_TYPE_ID } from "./abi";

const block = memory.data(12, 16);

/** Address of the status block. */
export function status(): usize {
  return block;
}

/** Fills the status block and returns the code as kernels return it. */
export function refuse(code: i32, offset: u32, typeId: u32, aux: u32): i32 {
  store<u32>(block, offset, STATUS_OFFSET);
  store<u32>(block, typeId, STATUS_TYPE_ID);
  store<u32>(block, aux, STATUS_AUX);
  return -code;
}
