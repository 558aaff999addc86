// CO-RE relocation: libbpf's decision, values, errors and instruction bytes for
// every object and target of the corpus.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { Btf } from "btfkit";
import { formatSpec, type Relocation, relocate } from "btfkit/bpf";
import { openFile } from "btfkit/node";
import { describe, expect } from "vitest";
import { libbpfSays, weSay } from "../support/libbpf.js";
import { corpusPath, needing } from "../support/needs.js";
import { compileObject, compileSource, corpusObject, openObject } from "../support/objects.js";
import { seeded } from "../support/random.js";
import { randomTypes } from "../support/random-c.js";

type Golden = Readonly<Record<string, unknown>>;

const folder = corpusPath("golden/core");
const kernels = new Map<string, Btf>();

function kernel(name: string): Btf {
  const known = kernels.get(name) ?? openFile(corpusPath(`vmlinux/${name}.btf.gz`));
  kernels.set(name, known);
  return known;
}

/** Instruction bytes as the goldens have them: little-endian, whatever the object is. */
function hex(bytes: Uint8Array, little: boolean): string {
  const copy = Buffer.from(bytes);
  if (!little) {
    for (let at = 0; at < copy.length; at += 8) {
      copy[at + 1] = (copy[at + 1]! >> 4) | ((copy[at + 1]! & 15) << 4);
      copy.subarray(at + 2, at + 4).reverse();
      copy.subarray(at + 4, at + 8).reverse();
    }
  }
  return copy.toString("hex");
}

/** A result in the goldens' terms. */
function shown(
  { record, index, program, section, insn, resolution, errno, before, after }: Relocation,
  little: boolean,
): Golden {
  const { root, local, candidates, matches, outcome } = resolution;
  const failed = resolution.failure !== undefined;
  const found = {
    rec: "relo",
    prog: program!.name,
    section,
    relo_idx: index,
    sec_insn_off: record.insnByteOffset,
    // Not told of a relocation that fails.
    insn_idx: failed ? -1 : insn,
    kind: record.kindNumber,
    kind_name: record.kind,
    local_type_id: record.typeId,
    local_type: root!.name,
    access: record.access,
    local_spec: formatSpec(local!),
    calc_err: failed ? -errno : 0,
    cands: candidates.map(({ id }) => id),
    // libbpf leaves its list as it was if the relocation fails.
    matched: (failed ? candidates : matches.map(({ candidate }) => candidate)).map(({ id }) => id),
    targ_spec: matches[0] ? formatSpec(matches[0].spec) : null,
  };
  if (!outcome) return found;
  return {
    ...found,
    orig: String(outcome.original),
    new: String(outcome.value),
    poison: outcome.poison,
    validate: outcome.validate,
    fail_memsz_adjust: outcome.sizeMismatch,
    orig_sz: outcome.originalSize,
    new_sz: outcome.newSize,
    orig_type_id: outcome.originalType?.id ?? 0,
    new_type_id: outcome.newType?.id ?? 0,
    patch_err: -errno || 0,
    insn_before: hex(before, little),
    insn_after: hex(after, little),
  };
}

describe("every kind of relocation, as the installed libbpf does it", () => {
  for (const [name, flags] of Object.entries({
    "all kinds": ["-DCASE=0"],
    "instruction set v2": ["-DCASE=0", "-mcpu=v2"],
    "instruction set v4": ["-DCASE=0", "-mcpu=v4"],
    "an ambiguity": ["-DCASE=1"],
    "an index beyond the local array": ["-DCASE=2"],
  })) {
    needing("clang-19", "gcc and libbpf-dev")(name, () => {
      const object = compileObject("core", "bpfel", ...flags);
      const target = compileObject("core", "bpfel", "-DTARGET", ...flags);
      const { relocations } = relocate(openObject(object), openFile(target));
      const wanted = libbpfSays(object, target);
      expect(wanted.length).toBeGreaterThan(100);
      expect(weSay(relocations, true)).toEqual(wanted);
    });
  }
});

describe("random types, as the installed libbpf relocates them", () => {
  for (let seed = 0; seed < 24; seed++) {
    needing("clang-19", "gcc and libbpf-dev")(`seed ${seed}`, () => {
      const { object, target } = randomTypes(seeded(`relocate ${seed}`));
      const [objectPath, targetPath] = [compileSource(`object${seed}`, object), compileSource(`target${seed}`, target)];
      const { relocations } = relocate(openObject(objectPath), openFile(targetPath));
      expect(weSay(relocations, true)).toEqual(libbpfSays(objectPath, targetPath));
    });
  }
});

describe("libbpf's results", () => {
  for (const file of existsSync(folder) ? readdirSync(folder) : ["goldens"]) {
    needing("the corpus in ../shared")(file, () => {
      const [name, target] = file.replace(".jsonl.gz", "").split("__") as [string, string];
      const object = corpusObject(`${name}.bpf.o`);
      const little = object.endian === "little";
      const golden = gunzipSync(readFileSync(`${folder}/${file}`))
        .toString()
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Golden);
      const of = (rec: string): Golden[] => golden.filter((one) => one["rec"] === rec);
      const relocated = relocate(object, target === "self" ? object.btf : kernel(target));

      // libbpf stops at the first error.
      const wanted = of("relo");
      const ours = relocated.relocations.slice(0, wanted.length).map((one) => shown(one, little));
      expect(ours).toEqual(wanted);
      if (!relocated.error) expect(relocated.relocations.length).toBe(wanted.length);
      expect(relocated.error !== undefined).toBe(of("prepare")[0]!["calc_errors"] !== 0);

      if (relocated.error) return;
      for (const { section, insns_core } of of("sec_core")) {
        const index = object.sections.findIndex((one) => one.name === section);
        expect(hex(relocated.code.get(index)!, little)).toBe(insns_core);
      }
      for (const { prog, insns_core, insns_elf } of of("prog")) {
        const program = object.programs.find((one) => one.name === prog)!;
        const { sectionIndex, byteOffset, byteSize } = program;
        const original = object.dataOf(object.sections[sectionIndex]!);
        const code = (bytes: Uint8Array): string => hex(bytes.subarray(byteOffset, byteOffset + byteSize), little);
        expect(code(original)).toBe(insns_elf);
        expect(code(relocated.code.get(sectionIndex) ?? original)).toBe(insns_core);
      }
    });
  }
});
