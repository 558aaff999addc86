/** Resident memory, all of it beyond the file's size. The first WebAssembly of a process pages in megabytes of Node's text. */
import process from "node:process";
import { launch, report } from "../processes.mjs";
import { compare, excess, inTurns } from "../statistics.mjs";

export const group = "memory";

export async function measure({ subject, tools, memoryRounds, progress }) {
  const { path, byteSize } = subject;
  const fileMB = byteSize / 1e6;
  const unit = "MB";
  const node = [process.execPath];

  progress("memory");
  const held = await inTurns(memoryRounds, async () => {
    const [bytes] = await report(process.execPath, "--expose-gc", "bench/programs/held-memory.mjs", path);
    return bytes;
  });
  const heldBeyondFile = (which) => compare(held.map(([bytes]) => [bytes[which] / 1e6 - fileMB]));
  const rows = [
    { name: "held after openFile", unit, ...heldBeyondFile("first"), target: { ours: 1.5 } },
    { name: "same, without Node's own program text", unit, ...heldBeyondFile("firstAnonymous") },
    { name: "held by a second openFile", unit, ...heldBeyondFile("second") },
  ];

  const peakName = (format) => `peak of btfkit dump, ${format}, beyond Node's`;
  for (const [format, limit] of Object.entries({ raw: 16, json: 16, c: 24 })) {
    if (!tools.launch) {
      rows.push({ name: peakName(format), unit, note: "gcc not installed" });
      continue;
    }
    const pairs = await inTurns(
      memoryRounds,
      async () => (await launch(tools, node, "dist/cli/btfkit.cjs", "dump", "-f", format, path)).peakMB - fileMB,
      async () => (await launch(tools, node, "bench/programs/empty.cjs")).peakMB,
    );
    rows.push({ name: peakName(format), unit, ...excess(pairs), target: { ours: limit } });
  }
  return rows;
}
