/** BTF that the kernel holds. */
import { Btf } from "../btf/btf.js";
import { memorySource } from "../btf/source.js";
import { Descriptor } from "./descriptor.js";
import { BTF_INFO, INFO_SIZE } from "./layouts.js";
import type { System } from "./system.js";

/** What the kernel says about a BTF. */
export interface BtfObjectInfo {
  readonly id: number;
  /** `"vmlinux"`, the name of a module, or "". */
  readonly name: string;
  readonly byteSize: number;
  /** The kernel's own or a module's, rather than one that was loaded. */
  readonly isKernel: boolean;
}

/** Room for a name, in bytes, as the kernel's module names have at most. */
const NAME_SIZE = 64;

/**
 * BTF in the kernel: its own, of a module, or loaded with programs and maps.
 *
 * @example
 * const kernel = await Kernel.open();
 * const object = kernel.btfObject(1);
 * console.log(object.name, object.info.isKernel); // vmlinux true
 * object[Symbol.dispose]();
 */
export class BtfObject extends Descriptor {
  #info: BtfObjectInfo | undefined;

  /** @internal */
  constructor(system: System, fd: number) {
    super(system, fd, "BTF");
  }

  /** What the kernel says about it, read once: nothing of it changes. */
  get info(): BtfObjectInfo {
    if (this.#info) return this.#info;
    const name = this.system.allocate(NAME_SIZE);
    const info = this.system.allocate(INFO_SIZE);
    info.view.setBigUint64(BTF_INFO.name[0], BigInt(name.address), true);
    info.setU32(BTF_INFO.name_len[0], NAME_SIZE);
    this.readInfo(info);
    const end = name.bytes.indexOf(0);
    this.#info = {
      id: info.u32(BTF_INFO.id[0]),
      name: Buffer.from(name.bytes.subarray(0, end)).toString("latin1"),
      byteSize: info.u32(BTF_INFO.btf_size[0]),
      isKernel: info.u32(BTF_INFO.kernel_btf[0]) !== 0,
    };
    return this.#info;
  }

  /** The kernel's number for it. */
  get id(): number {
    return this.info.id;
  }

  get name(): string {
    return this.info.name;
  }

  /** Whether it is the kernel's own. @internal */
  get isVmlinux(): boolean {
    const { isKernel, name } = this.info;
    return isKernel && name === "vmlinux";
  }

  /**
   * Returns the BTF's bytes.
   *
   * @throws BtfSystemError
   */
  bytes(): Uint8Array {
    const { byteSize } = this.info;
    const bytes = this.system.allocate(byteSize);
    const info = this.system.allocate(INFO_SIZE);
    info.view.setBigUint64(BTF_INFO.btf[0], BigInt(bytes.address), true);
    info.setU32(BTF_INFO.btf_size[0], byteSize);
    this.readInfo(info);
    return bytes.bytes;
  }

  /**
   * Reads the BTF.
   *
   * @param base of a module's: vmlinux
   * @throws BtfSystemError; as `Btf.parse`
   */
  open(base?: Btf): Btf {
    return Btf.fromSource(memorySource(this.bytes()), { base });
  }
}
