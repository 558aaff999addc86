// Where members are, kernel by kernel: Debian's kernels of the corpus, and structs made for it.
import { fieldOf } from "btfkit";
import { history, historySvg, historyText } from "btfkit/inspect";
import { openFile } from "btfkit/node";
import { describe, expect, test } from "vitest";
import { built } from "../support/brief.js";
import { corpusPath, needing } from "../support/needs.js";

const NAMES = ["6.1.0-47-cloud-amd64", "6.1.0-56-cloud-amd64", "6.12.117+deb12-cloud-amd64"];

describe("Debian's kernels", () => {
  needing("the corpus in ../shared")("offsets of each kernel, until, and where a member went", () => {
    const kernels = NAMES.map((name) => ({ name, btfs: [openFile(corpusPath(`series/${name}.btf.gz`))] }));
    const [pid, atime, list, mm] = history(
      ["task_struct.pid", "inode.i_atime", "struct address_space.private_list", "task_struct.mm->pgd"],
      kernels,
    );
    expect(pid!.states.map(({ bitOffset }) => bitOffset)).toEqual(
      kernels.map(({ btfs: [btf] }) => fieldOf(btf!, "task_struct", "pid").bitOffset),
    );
    expect(pid).not.toHaveProperty("since");
    expect(pid).not.toHaveProperty("until");
    expect(atime).toMatchObject({ until: NAMES[1], movedTo: { path: "i_atime_sec" } });
    expect(list).toMatchObject({ until: NAMES[1], movedTo: { path: "i_private_list" } });
    expect(mm!.states.every(({ state }) => state === "present")).toBe(true);
    expect(historyText([pid!]).split("\n")).toHaveLength(5);
  });
});

describe("made kernels", () => {
  const kernels = [
    built(["int int 4s"]),
    built(["int int 4s", "struct s 8: old 1@0, b 1@32"]),
    built(["int int 4s", "struct s 8: old 1@32, c 1@0"]),
    built(["int int 4s", "struct core 8: old 1@0, z 1@32", "struct s 12: c 1@0, core 2@32"]),
  ].map((btf, i) => ({ name: `v${i + 1}`, btfs: [btf] }));

  test("since, until, moved into another struct", () => {
    const [old, none] = history(["s.old", "nothing.at_all"], kernels);
    expect(old).toMatchObject({ since: "v2", until: "v3", movedTo: { path: "core.old" } });
    expect(old!.states.map(({ state }) => state)).toEqual(["no-type", "present", "present", "no-member"]);
    expect(none).toEqual({
      member: "nothing.at_all",
      states: kernels.map(({ name }) => ({ kernel: name, state: "no-type" })),
    });
  });

  test("a table", () => {
    expect(historyText(history(["s.old"], kernels))).toBe(
      [
        "s.old: since v2, until v3, moved to core.old? (80% sure)",
        "  KERNELS  OFFSET  SIZE  TYPE",
        "  v1       -       -     (no such type)",
        "  v2       0       4     int",
        "  v3       4       4     int",
        "  v4       -       -     (no such member)",
        "",
      ].join("\n"),
    );
  });

  test("a chart: a step at each change, a gap where it is missing, text escaped", () => {
    const svg = historySvg(history(["s.old", "s.c"], [...kernels, { name: "<v5>", btfs: kernels[3]!.btfs }]));
    expect(svg).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
    expect(svg.match(/<circle/g)).toHaveLength(5);
    expect(svg).toContain("&#60;v5&#62;");
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    expect(historySvg([])).not.toMatch(/NaN|Infinity|undefined/);
    expect(historySvg(history(["nothing.at_all"], kernels))).not.toMatch(/NaN|Infinity|undefined/);
  });

  test("what is no member is refused", () => {
    for (const text of ["", "task_struct", ".pid", "task_struct."]) {
      expect(() => history([text], kernels)).toThrow(/TYPE\.MEMBER/);
    }
  });
});
