/** Finding types by their name, and by part of it. */
import { firstCall, report } from "../processes.mjs";
import { compare, inTurns, median } from "../statistics.mjs";

export const group = "find";

export async function measure({ subject, tools, rounds, warm, progress }) {
  const { path, lateStruct } = subject;
  const note = tools.libbpf ? undefined : "libbpf not installed";
  progress("find, first call of a process");
  const native =
    tools.libbpf &&
    (async () => {
      const [{ ns, id }] = await report(tools.libbpf, "find", path, lateStruct.name, "1");
      if (id !== lateStruct.id) throw new Error(`libbpf finds ${lateStruct.name} as ${id}, btfkit as ${lateStruct.id}`);
      return median(ns) / 1e6;
    });
  const first = await inTurns(rounds, () => firstCall("find", path, lateStruct.name), native);
  const against = "btf__find_by_name_kind";
  return [
    { name: "find, a late struct", against, ...warm.find, target: { ratio: 0.05 }, note },
    { name: "find, a missing struct", against, ...warm.findMissing, target: { ratio: 0.05 }, note },
    // It builds the name table that later ones use.
    { name: "first find of a Btf", against, ...compare(first), note },
    { name: 'searchIds("e")', ...warm.searchShort, target: { ours: 2 } },
    { name: 'searchIds("sk_b")', ...warm.searchPrefix, target: { ours: 2 } },
    { name: 'searchIds("task_struct")', ...warm.searchName, target: { ours: 2 } },
    { name: 'searchIds("no_such_struct")', ...warm.searchMissing, target: { ours: 2 } },
  ];
}
