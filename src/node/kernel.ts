/** The running kernel's BTF. */
import { existsSync } from "node:fs";
import type { Btf } from "../btf/btf.js";
import { ERR_FILE } from "../errors/btf.js";
import { BtfEnvironmentError } from "../errors/error.js";
import { attempt } from "./attempt.js";
import { type OpenOptions, openFile } from "./file.js";

/**
 * Where the running kernel and its modules show their BTF.
 *
 * @example
 * console.log(KERNEL_BTF); // /sys/kernel/btf
 */
export const KERNEL_BTF = "/sys/kernel/btf";

const VMLINUX = `${KERNEL_BTF}/vmlinux`;

/**
 * The running kernel's BTF, or a loaded module's on top of it.
 *
 * vmlinux is looked for where libbpf looks (btf__load_vmlinux_btf):
 * /sys/kernel/btf/vmlinux, then images of the running release below /boot,
 * /lib/modules, /usr/lib/modules and /usr/lib/debug.
 *
 * @param module a module's name, such as `"nf_conntrack"`; `"vmlinux"` by default
 * @throws BtfEnvironmentError ERR_FILE where the kernel shows none, or Deno lacks the permission, which it names
 * @example
 * console.log(openKernel().require("task_struct", "struct").kind); // struct
 */
export function openKernel(module = "vmlinux", { base }: OpenOptions = {}): Btf {
  const kernel = base ?? openVmlinux();
  return module === "vmlinux" ? kernel : openFile(`${KERNEL_BTF}/${module}`, { base: kernel });
}

/** The file that the kernel shows; an image on disk only where it shows none. */
function openVmlinux(): Btf {
  try {
    return openFile(VMLINUX);
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
    if (code !== "ENOENT") throw error;
  }
  return openFile(attempt(VMLINUX, vmlinuxImage));
}

function vmlinuxImage(): string {
  const version = process.getBuiltinModule("node:os").release();
  const places = [
    `/boot/vmlinux-${version}`,
    `/lib/modules/${version}/vmlinux-${version}`,
    `/lib/modules/${version}/build/vmlinux`,
    `/usr/lib/modules/${version}/kernel/vmlinux`,
    `/usr/lib/debug/boot/vmlinux-${version}`,
    `/usr/lib/debug/boot/vmlinux-${version}.debug`,
    `/usr/lib/debug/lib/modules/${version}/vmlinux`,
  ];
  const found = places.find((place) => existsSync(place));
  if (found) return found;
  throw new BtfEnvironmentError(ERR_FILE, {
    name: VMLINUX,
    note: "the running kernel shows no BTF here",
  });
}
