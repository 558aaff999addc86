/** The files that examples name: a kernel's BTF, a module's, a BPF object, a kernel and its module as they are packed. */

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { Btf } from "btfkit";
import { tar } from "../suite/tar.js";
import { bpfObject } from "./bpf.js";
import { bzImage } from "./containers.js";
import { elf } from "./elf.js";
import { Image, PTR, STRUCT } from "./image.js";

export const SAMPLE = "test/data/vmlinux-6.1-cloud-amd64.btf.gz";

/** Split BTF on the kernel: struct module_state { struct list_head list; }, and a pointer to it. */
function moduleOn(kernel: Btf): Uint8Array {
  const text = new TextEncoder().encode("module_state\0list\0");
  const strings = kernel.header.stringsLength;
  const words = [
    strings,
    0x04000001,
    16,
    strings + 13,
    kernel.require("list_head", "struct").id,
    0,
    0,
    0x02000000,
    kernel.size,
  ];
  const bytes = new Uint8Array(24 + words.length * 4 + text.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x0001eb9f, true);
  [24, 0, words.length * 4, words.length * 4, text.length, ...words].forEach((word, i) =>
    view.setUint32(4 + i * 4, word, true),
  );
  bytes.set(text, bytes.length - text.length);
  return bytes;
}

/** A BPF object that asks at which offset task_struct has its pid. */
function probe(): Uint8Array {
  const types = new Image();
  types.int("int", 4, 1);
  types.composite(STRUCT, "task_struct", 4, [["pid", 1, 0]]);
  // What a kernel that loads it wants to know of the program.
  const funcTypeId = types.func("program", types.proto(1, [["ctx", types.ref(PTR, 0)]]), 1);
  const [mov, exit] = [{ opcode: 0xb7 }, { opcode: 0x95 }];
  return bpfObject(types, [mov, exit], [[0, 2, "0:0", 0]], { section: "raw_tp/sched_switch", funcTypeId });
}

/** Makes the folder anew, with the samples in it. */
export function layOutSamples(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const packed = readFileSync(SAMPLE);
  const raw = gunzipSync(packed);
  writeFileSync(`${folder}/vmlinux.btf.gz`, packed);
  writeFileSync(`${folder}/vmlinux.btf`, raw);
  const module = moduleOn(Btf.parse(raw));
  writeFileSync(`${folder}/module.btf`, module);
  const kernel = bzImage(gzipSync(elf({ ".BTF": raw }), { level: 1 }));
  writeFileSync(`${folder}/vmlinuz`, kernel);
  const files = { "boot/vmlinuz-6.1.0-50-cloud-amd64": kernel, "lib/modules/module.ko": elf({ ".BTF": module }) };
  writeFileSync(`${folder}/linux-image.tar.gz`, gzipSync(tar(files), { level: 1 }));
  writeFileSync(`${folder}/probe.bpf.o`, probe());
  const add = ["archive", "add", `${folder}/kernels`, `${folder}/linux-image.tar.gz`, "-q"];
  execFileSync(process.execPath, ["dist/cli/btfkit.cjs", ...add], { stdio: ["ignore", "ignore", "inherit"] });
}
