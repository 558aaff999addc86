/** Tells whether a split BTF was made for the base that it is opened on. */
import { readElf } from "../bpf/elf/file.js";
import type { Btf } from "../btf/btf.js";
import { memorySource } from "../btf/source.js";
import { BtfError } from "../errors/error.js";
import { readBytes } from "../node/file.js";

/** Names of the split part that are looked at. */
const SAMPLE = 10_000;

/**
 * Returns how many names of a split BTF start inside of a name of its base, as
 * they do on another base: there the same offsets lead to other texts.
 */
export function misplacedNames(btf: Btf): { readonly misplaced: number; readonly names: number } {
  const { base } = btf;
  let [misplaced, names] = [0, 0];
  if (!base) return { misplaced, names };
  const { image } = btf;
  const { view } = image;
  for (let id = btf.firstId; id < btf.size && names < SAMPLE; id++) {
    const offset = view.getUint32(image.record(id), true);
    // An offset of the split part's strings starts a name of its own.
    if (offset === 0 || image.string(offset - 1) === "") {
      names += Number(offset !== 0);
      continue;
    }
    names++;
    misplaced++;
  }
  return { misplaced, names };
}

/** Returns the `vermagic` of a module file; `undefined` for other files. */
export function vermagicOf(path: string): string | undefined {
  try {
    const bytes = readBytes(path);
    const elf = readElf(memorySource(bytes));
    const info = elf.sections.find(({ name }) => name === ".modinfo");
    if (!info) return undefined;
    const text = new TextDecoder("latin1").decode(bytes.subarray(info.offset, info.offset + info.byteSize));
    return /(?:^|\0)vermagic=([^\0]*)/.exec(text)?.[1];
  } catch (error) {
    if (error instanceof BtfError) return undefined;
    throw error;
  }
}

/** Returns what to say of a split BTF whose ids or names its base does not have. */
export function anotherBase(file: string, baseFile: string): string {
  return `it does not fit the base ${baseFile}; give the BTF of ${builtFor(file)} with -B`;
}

/** Returns the kernel that a module was built for, by its version where the file tells it. */
function builtFor(file: string): string {
  const vermagic = file === "-" ? undefined : vermagicOf(file);
  return vermagic === undefined
    ? "the kernel that the module was built for"
    : `kernel ${vermagic.split(" ")[0]} (vermagic ${vermagic.trim()})`;
}

/** Returns what to say of a split BTF that was made for another base; `undefined` where it fits. */
export function wrongBase(btf: Btf, file: string, baseFile: string): string | undefined {
  const { misplaced, names } = misplacedNames(btf);
  if (misplaced === 0) return undefined;
  return `it was made for another base than ${baseFile}: ${misplaced} of ${names} names start inside of another name; give the BTF of ${builtFor(file)} with -B, or move it with rebase if it brings .BTF.base`;
}
