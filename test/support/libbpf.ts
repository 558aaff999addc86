// What libbpf says while it relocates an object, and the same lines from our results.
import { execFileSync } from "node:child_process";
import { formatSpec, type Relocation } from "btfkit/bpf";
import { expect } from "vitest";
import { nativeProgram } from "./native.js";

/** What the installed libbpf says of each relocation, up to its first error. */
export function libbpfSays(object: string, target: string): string[] {
  const said = execFileSync(nativeProgram("relocate"), [object, target], {
    maxBuffer: 1 << 28,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const lines = said
    .toString()
    .split("\n")
    .flatMap((line) => {
      const [, text] = /^libbpf: (prog '.*': relo #\d+: .*)$/.exec(line) ?? [];
      // Told besides what happens, or of a candidate that is dropped.
      if (
        !text ||
        /accesses field incorrectly|relocation decision ambiguity|field offset ambiguity|: parsing |failed to patch/.test(
          text,
        )
      )
        return [];
      if (/unexpected |doesn't support anonymous|has unexpected form|value too big/.test(text)) return [];
      return [text.replace(/(non-matching candidate #\d+).*/, "$1")];
    });
  // Its offset is written before its size turns out to be none that a load has.
  const odd = lines.findIndex((line) => line.includes("invalid new mem size"));
  return untilFailure(odd < 0 ? lines : lines.slice(0, odd - 1));
}

/** A candidate that matches and then has no value (-E2BIG) is none of our matches. */
function untilFailure(lines: readonly string[]): string[] {
  if (!lines.at(-1)?.endsWith("failed to relocate: -7")) return [...lines];
  const last = lines.findLastIndex((line) => !/matching candidate|failed to relocate/.test(line));
  return [...lines.slice(0, last + 1), lines.at(-1)!];
}

/** The same lines from our results. */
export function weSay(relocations: readonly Relocation[], little: boolean): string[] {
  const lines: string[] = [];
  for (const { program, index, insn, resolution, errno, status, before, after } of relocations) {
    const say = (text: string): number => lines.push(`prog '${program!.name}': relo #${index}: ${text}`);
    const { local, candidates, matches, outcome } = resolution;
    if (local) say(formatSpec(local));
    candidates.forEach((candidate, i) => {
      const match = matches.find((one) => one.candidate === candidate);
      say(match ? `matching candidate #${i} ${formatSpec(match.spec)}` : `non-matching candidate #${i}`);
    });
    if (matches.length === 0 && outcome && local!.kind !== "local_type_id") say("no matching targets found");
    if (errno) {
      // An instruction that cannot be patched is told of in other words.
      if (resolution.failure) say(`failed to relocate: -${errno}`);
      break;
    }
    const { original, value } = outcome!;
    const insnClass = before[0]! & 7;
    if (status === "poisoned") {
      if (before.length === 16) say(`substituting insn #${insn + 1} w/ invalid insn`);
      say(`substituting insn #${insn} w/ invalid insn`);
    } else if (insnClass === 0) say(`patched insn #${insn} (LDIMM64) imm64 ${held(before, little)} -> ${value}`);
    else if (insnClass & 4) say(`patched insn #${insn} (ALU/ALU64) imm ${held(before, little)} -> ${value}`);
    else {
      say(`patched insn #${insn} (LDX/ST/STX) off ${original} -> ${value}`);
      const { originalSize, newSize } = outcome!;
      if (originalSize !== newSize) say(`patched insn #${insn} (LDX/ST/STX) mem_sz ${originalSize} -> ${newSize}`);
    }
    expect(after.length).toBe(before.length);
  }
  return untilFailure(lines);
}

/** The immediate of an instruction as an unsigned number of 64 bits. */
function held(bytes: Uint8Array, little: boolean): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const low = BigInt(view.getInt32(4, little));
  const high = bytes.length === 16 ? BigInt(view.getInt32(12, little)) << 32n : 0n;
  return BigInt.asUintN(64, bytes.length === 16 ? high | BigInt.asUintN(32, low) : low);
}
