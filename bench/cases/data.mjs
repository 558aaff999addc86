/** Typed data: five events of libbpf-tools decoded, beside readers written by hand and npm's binary-parser. */
import { existsSync } from "node:fs";
import { reportOf } from "../processes.mjs";

export const group = "data";

/** Objects of others, which are not part of the repository. */
const OBJECTS = "../shared/corpus/objects";

const row = (name, against, ours, theirs, ratio) => ({
  name,
  against,
  unit: "ns",
  ours,
  theirs,
  ratio: ours / theirs,
  target: ratio && { ratio },
});

export async function measure({ rounds, progress }) {
  if (!existsSync(OBJECTS)) return [{ name: "typed data", note: "no objects in ../shared/corpus" }];
  progress("typed data");
  const events = await reportOf("data.mjs", OBJECTS, String(rounds));
  return events.flatMap(({ event, size, byHand, made, closures, parser }) => [
    row(`decode ${event}, ${size} bytes, compiled`, "a DataView reader written by hand", made, byHand, 1.3),
    row(`decode ${event}, ${size} bytes, closures`, "a DataView reader written by hand", closures, byHand, 3),
    ...(parser ? [row(`decode ${event}, ${size} bytes, closures`, "npm's binary-parser", closures, parser)] : []),
  ]);
}
