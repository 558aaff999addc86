/** Archives of many releases: what one more takes, and questions to all of them. No native tool answers them. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launch, reportOf } from "../processes.mjs";
import { compare, inTurns } from "../statistics.mjs";

export const group = "archive";

const KERNEL = "test/data/vmlinux-6.1-cloud-amd64.btf.gz";
const OBJECTS = "../shared/corpus/objects";
/** Releases, where all is measured and where a look has to do. */
const RELEASES = { full: 200, quick: 12 };

export async function measure({ tools, rounds, slowRounds, progress }) {
  const folder = mkdtempSync(join(tmpdir(), "btfkit-bench-"));
  try {
    const releases = slowRounds > 0 ? RELEASES.full : RELEASES.quick;
    const objects = existsSync(OBJECTS) ? readdirSync(OBJECTS).filter((name) => name.startsWith("lt026-")) : [];
    const files = objects.map((name) => `${OBJECTS}/${name}`);
    progress(`archive of ${releases} releases`);
    const place = join(folder, "archive");
    const grown = await reportOf("archive-scale.mjs", KERNEL, String(releases), place, ...files);
    const [last, former] = [grown.at(-1), grown.at(-2)];
    const each = (last.stored - former.stored) / (last.kernels - former.kernels);
    const of = `${releases} releases of a part of 6.1 (${last.types} types)`;
    const rows = [
      { name: `archive, ${of}: a further one`, unit: "bytes", ours: each, target: { ours: 50_000 } },
      { name: `archive, ${of}: add a further one`, ours: last.add },
      { name: "archive history, a member, first", ours: last.historyFirst },
      { name: "archive history, a member, later", ours: last.historyLater, target: { ours: 50 } },
    ];
    if (!tools.launch || files.length === 0) return rows;
    const { command } = tools.runtimes.Node;
    const run = async (exitCode, ...args) =>
      (await launch({ launch: tools.launch, exitCode }, command, "dist/cli/btfkit.cjs", ...args)).ms;
    progress("objects on all of the archive");
    const most = Math.min(rounds, 3);
    const check = await inTurns(most, () => run(1, "check", ...files, "--target", place));
    rows.push({ name: `btfkit check, ${files.length} objects on ${releases} releases, Node`, ...compare(check) });
    const small = ["minimize", files[0], "--target", place, "-d", join(folder, "small")];
    rows.push({
      name: `btfkit minimize, an object for ${releases} releases, Node`,
      ...compare(await inTurns(most, () => run(0, ...small))),
    });
    return rows;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
