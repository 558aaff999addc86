/** Registers implementations of the kernel's structs of functions. Source: libbpf's bpf_map__attach_struct_ops. */
import type { PlannedMap } from "../../load/plan.js";
import { Attachment } from "../attach/attachment.js";
import { systemError } from "../error.js";
import type { Kernel } from "../kernel.js";
import type { BpfMap } from "../map.js";

const BPF_F_LINK = 0x2000;
const BPF_STRUCT_OPS = 44;
const KEY = new Uint8Array(4);

export function attachStructOps(
  kernel: Kernel,
  planned: PlannedMap,
  map: BpfMap,
  descriptorOf: (program: string) => number,
): Attachment {
  const { value, slots } = planned.structOps!;
  const filled = value.slice();
  const view = new DataView(filled.buffer);
  for (const { program, byteOffset } of slots) view.setBigUint64(byteOffset, BigInt(descriptorOf(program)), true);
  map.set(KEY, filled);
  const target = `struct_ops ${planned.fullName}`;
  if (!(planned.flags & BPF_F_LINK)) {
    return new Attachment(planned.fullName, target, [], [{ [Symbol.dispose]: () => void map.delete(KEY) }]);
  }
  const result = kernel.system.tryBpf(
    kernel.system.attribute("LINK_CREATE", {
      "link_create.prog_fd": map.fd,
      "link_create.attach_type": BPF_STRUCT_OPS,
    }),
  );
  if (result < 0) throw systemError("bpf(LINK_CREATE)", -result, { note: target });
  return new Attachment(planned.fullName, target, [kernel.adopt("link", result)]);
}
