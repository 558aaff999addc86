// Differences of kernels: counts that were found otherwise, a comparison of bpftool's JSON, and what each kind of change says.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Btf } from "btfkit";
import {
  DEFINITION_KINDS,
  type DefinitionKind,
  type Difference,
  diff,
  differenceMarkdown,
  differenceText,
  history,
  identities,
} from "btfkit/inspect";
import { openFile } from "btfkit/node";
import { describe, expect, test } from "vitest";
import { built } from "../support/brief.js";
import { corpusPath, needing } from "../support/needs.js";

const KINDS = ["struct", "union", "enum", "typedef"] as const;

/** Added, removed, changed of each kind. */
function countsOf({ added, removed, changed }: Difference): Record<string, number[]> {
  return Object.fromEntries(
    KINDS.map((kind) => [
      kind,
      [added, removed, changed].map((list) => list.filter((one) => one.kind === kind).length),
    ]),
  );
}

const series = (name: string): Btf => openFile(corpusPath(`series/${name}.btf.gz`));

describe("counts of the corpus", () => {
  for (const [old, now, expected] of [
    [
      "6.1.0-55-cloud-amd64",
      "6.1.0-56-cloud-amd64",
      { struct: [0, 0, 0], union: [0, 0, 0], enum: [0, 0, 0], typedef: [0, 0, 0] },
    ],
    [
      "6.1.0-47-cloud-amd64",
      "6.1.0-56-cloud-amd64",
      { struct: [12, 2, 189], union: [2, 1, 3], enum: [4, 0, 6], typedef: [5, 0, 3] },
    ],
    [
      "6.1.0-56-cloud-amd64",
      "6.12.117+deb12-cloud-amd64",
      { struct: [1114, 147, 1317], union: [24, 5, 14], enum: [238, 41, 165], typedef: [354, 33, 68] },
    ],
  ] as const) {
    needing("the corpus in ../shared")(`${old} and ${now}`, () => {
      const difference = diff(series(old), series(now), { kinds: KINDS });
      expect(countsOf(difference)).toEqual(expected);
      // Everything that is told as changed says in what.
      for (const one of difference.changed) {
        const parts = (one.members ?? one.enumerators ?? []).length + (one.type ? 1 : 0) + (one.byteSize ? 1 : 0);
        expect(parts > 0 || one.definitions !== undefined, `${one.kind} ${one.name}`).toBe(true);
      }
    });
  }
});

interface DumpedType {
  readonly id: number;
  readonly kind: string;
  readonly name: string;
  readonly [field: string]: unknown;
}

/** The shallow definitions of all names, out of bpftool's JSON. */
function dumped(file: string): Map<string, Set<string>> {
  const text = execFileSync("bpftool", ["-j", "btf", "dump", "file", file], { encoding: "utf8", maxBuffer: 1 << 30 });
  const { types } = JSON.parse(text) as { types: DumpedType[] };
  const byId = new Map(types.map((type) => [type.id, type]));
  const isNamed = ({ name }: DumpedType): boolean => name !== "" && name !== "(anon)";
  const refer = (id: unknown): unknown => {
    const type = byId.get(id as number);
    if (!type) return "void";
    const kind = type.kind === "FWD" ? String(type["fwd_kind"]).toUpperCase() : type.kind.replace("64", "");
    return isNamed(type) && type.kind !== "TYPE_TAG" ? `${kind} ${type.name}` : body(type);
  };
  const body = (type: DumpedType): unknown[] => {
    const { id: _, ...fields } = type;
    return Object.entries(fields).flatMap(([field, value]) => {
      if (field === "encoding" && type.kind.startsWith("ENUM")) return [];
      if (field === "index_type_id") return [];
      if (field.endsWith("type_id")) return [[field, refer(value)]];
      if (!Array.isArray(value)) return [[field, String(value).replace("ENUM64", "ENUM")]];
      return [
        value.map((part: Record<string, unknown>) =>
          Object.entries(part).map(([key, inner]) => [key, key === "type_id" ? refer(inner) : inner]),
        ),
      ];
    });
  };
  const definitions = new Map<string, Set<string>>();
  for (const type of types) {
    const kind = type.kind.replace("64", "").toLowerCase();
    if (!isNamed(type) || !(DEFINITION_KINDS as readonly string[]).includes(kind)) continue;
    if (kind === "func" || kind === "var") Object.assign(type, { linkage: undefined });
    const key = `${kind} ${type.name}`;
    const set = definitions.get(key) ?? new Set();
    set.add(JSON.stringify(body(type)));
    definitions.set(key, set);
  }
  return definitions;
}

describe("against bpftool's JSON", () => {
  needing("the corpus in ../shared", "bpftool")("the same names are added, removed and changed, of every kind", () => {
    const folder = mkdtempSync(join(tmpdir(), "btfkit-diff-"));
    try {
      const files = ["6.1.0-47-cloud-amd64", "6.1.0-56-cloud-amd64"].map((name, i) => {
        const file = join(folder, `${i}.btf`);
        writeFileSync(file, gunzipSync(readFileSync(corpusPath(`series/${name}.btf.gz`))));
        return file;
      });
      const [old, now] = files.map(dumped);
      const expected = { added: [] as string[], removed: [] as string[], changed: [] as string[] };
      for (const name of now!.keys()) if (!old!.has(name)) expected.added.push(name);
      for (const [name, set] of old!) {
        const other = now!.get(name);
        if (!other) expected.removed.push(name);
        else if (set.size !== other.size || [...set].some((one) => !other.has(one))) expected.changed.push(name);
      }
      const difference = diff(openFile(files[0]!), openFile(files[1]!));
      const names = (list: readonly { kind: string; name: string }[]): string[] =>
        list.map(({ kind, name }) => `${kind} ${name}`).sort();
      for (const list of ["added", "removed", "changed"] as const) {
        expect(names(difference[list])).toEqual(expected[list].sort());
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("what changed", () => {
  const difference = (old: readonly string[], now: readonly string[]): Difference => diff(built(old), built(now));

  test("members: added, removed, moved, resized, retyped", () => {
    const found = difference(
      ["int int 4s", "int long 8s", "struct s 24: a 1@0, b 1@32, c 2@64, gone 1@128"],
      ["int int 4s", "int long 8s", "struct s 32: a 1@0, c 2@64, b 2@128, fresh_one 2@192"],
    );
    expect(found.added).toEqual([]);
    expect(found.changed).toMatchObject([{ kind: "struct", name: "s", byteSize: { old: 24, new: 32 } }]);
    const changes = found.changed[0]!.members!.map(({ name, changes: what }) => `${name}: ${what.join()}`);
    expect(changes).toEqual(["b: moved,resized,retyped", "fresh_one: added", "gone: removed"]);
    expect(found.changed[0]!.members![0]).toMatchObject({
      old: { name: "b", type: "int", bitOffset: 32, bitSize: 32, bitfieldSize: 0 },
      new: { name: "b", type: "long", bitOffset: 128, bitSize: 64 },
    });
  });

  test("a rename is guessed by place, type and name", () => {
    const found = difference(
      ["int int 4s", "struct s 12: first 1@0, state 1@32, last 1@64"],
      ["int int 4s", "struct s 12: first 1@0, __state 1@32, last 1@64"],
    );
    expect(found.changed[0]!.members).toMatchObject([
      { name: "__state", changes: ["renamed"], old: { name: "state" }, confidence: 1 },
    ]);
  });

  test("a type that is referred to by name changes itself alone", () => {
    const found = difference(
      ["int int 4s", "struct inner 4: a 1@0", "ptr 2", "struct outer 8: p 3@0"],
      ["int int 4s", "struct inner 8: a 1@0, b 1@32", "ptr 2", "struct outer 8: p 3@0"],
    );
    expect(found.changed.map(({ name }) => name)).toEqual(["inner"]);
  });

  test("an anonymous struct is part of the one that holds it", () => {
    const found = difference(
      ["int int 4s", "struct - 4: a 1@0", "struct outer 8: - 2@0, z 1@32"],
      ["int int 4s", "struct - 4: b 1@0", "struct outer 8: - 2@0, z 1@32"],
    );
    expect(found.changed.map(({ name }) => name)).toEqual(["outer"]);
    expect(found.changed[0]!.members!.map(({ name }) => name).sort()).toContain("b");
  });

  test("an ENUM64 is an enum; a declaration is not a definition", () => {
    const found = difference(
      ["enum e 4: A=1", "fwd s", "ptr 2", "int int 4s", "struct holder 8: p 3@0"],
      ["enum64 e 8: A=1, B=4294967296", "struct s 4: a 4@0", "ptr 2", "int int 4s", "struct holder 8: p 3@0"],
    );
    expect(found.changed).toMatchObject([
      { kind: "enum", name: "e", byteSize: { old: 4, new: 8 }, enumerators: [{ name: "B", changes: ["added"] }] },
    ]);
    expect(found.added).toEqual([{ kind: "struct", name: "s" }]);
    expect(found.removed).toEqual([]);
  });

  test("functions, typedefs, variables, enumerators", () => {
    const found = difference(
      [
        "int int 4s",
        "int long 8s",
        "proto 1: a 1, b 1",
        "func f 3 static",
        "typedef t 1",
        "var v 1 global",
        "enum e 4: A=1, OLD_NAME=2",
      ],
      [
        "int int 4s",
        "int long 8s",
        "proto 2: b 1, a 2",
        "func f 3 static",
        "typedef t 2",
        "var v 2 global",
        "enum e 4: A=3, OLD_NAMES=2",
      ],
    );
    const byKind = new Map(found.changed.map((one) => [one.kind, one]));
    expect(byKind.get("func")).toMatchObject({
      type: { old: "int", new: "long" },
      parameters: [
        { name: "b", changes: ["moved"], old: { index: 1 }, new: { index: 0 } },
        { name: "a", changes: ["moved", "retyped"], old: { type: "int" }, new: { type: "long" } },
      ],
    });
    expect(byKind.get("typedef")).toMatchObject({ type: { old: "int", new: "long" } });
    expect(byKind.get("var")).toMatchObject({ type: { old: "int", new: "long" } });
    expect(byKind.get("enum")!.enumerators).toMatchObject([
      { name: "A", changes: ["revalued"], old: { value: 1n }, new: { value: 3n } },
      { name: "OLD_NAMES", changes: ["renamed"], old: { name: "OLD_NAME" } },
    ]);
  });

  test("several definitions of a name are compared as sets", () => {
    const two = ["int int 4s", "struct s 4: a 1@0", "struct s 8: b 1@0"];
    expect(difference(two, [two[0]!, two[2]!, two[1]!]).changed).toEqual([]);
    expect(difference(two, two.slice(0, 2)).changed).toEqual([
      { kind: "struct", name: "s", definitions: { old: 2, new: 1 } },
    ]);
  });

  test("a kernel with a module against the kernel", () => {
    const kernel = built(["int int 4s", "struct s 4: a 1@0"]);
    const module = built(["struct extra 8: s 2@0"], kernel);
    expect(diff(kernel, [kernel, module]).added).toEqual([{ kind: "struct", name: "extra" }]);
    expect(diff([kernel, module], kernel, { impact: true }).removed).toMatchObject([
      { name: "extra", impact: { embeddedIn: [], pointers: 0, functions: 0 } },
    ]);
  });

  test("impact: who embeds, points to and takes it", () => {
    const lines = (size: number): string[] => [
      "int int 4s",
      `struct inner ${size}: a 1@0`,
      "struct outer 16: x 2@0",
      "struct outermost 16: y 3@0",
      "ptr 2",
      "struct pointer 8: p 5@0",
      "proto 0: p 5",
      "func f 7 static",
    ];
    expect(diff(built(lines(4)), built(lines(8)), { impact: true }).changed).toMatchObject([
      { name: "inner", impact: { embeddedIn: ["struct outer", "struct outermost"], pointers: 1, functions: 1 } },
    ]);
  });

  test("kinds, a filter, and what is ignored", () => {
    const [old, now] = [
      built(["int int 4s", "struct s 4: a 1@0"]),
      built(["int int 4s", "struct s 8: a 1@0, kabi 1@32", "typedef t 1"]),
    ];
    expect(diff(old, now, { kinds: ["typedef"] }).changed).toEqual([]);
    expect(diff(old, now, { filter: ({ name }) => name === "t" })).toMatchObject({
      added: [{ name: "t" }],
      changed: [],
    });
    expect(diff(old, now, { ignore: (_, part) => part === "kabi" }).changed).toEqual([]);
  });

  test("text and Markdown", () => {
    const found = difference(
      ["int int 4s", "struct s 8: a 1@0, b 1@32", "struct gone 4: q 1@0"],
      ["int int 4s", "struct s 12: n 1@0, a 1@32, b 1@64"],
    );
    expect([...differenceText(found, { oldName: "6.1", newName: "6.12" })].join("")).toBe(
      "--- 6.1\n+++ 6.12\n-struct gone\n@@ struct s 8 -> 12 bytes @@\n+\tint n; /* 0 4 */\n" +
        " \t/* moved by +4: a to b, 2 members */\n# struct: 0 added, 1 removed, 1 changed\n",
    );
    expect([...differenceMarkdown(found)].join("")).toMatch(/\| struct \| 0 \| 1 \| 1 \|[\s\S]*```diff\n@@ struct s/);
    expect([...differenceText(difference(["int int 4s"], ["int int 4s"]))]).toEqual([]);
  });
});

test("anonymous structs that hold one another twice, and nothing else, 30 deep", () => {
  const [depth, top] = [30, 33];
  const lines = Array.from({ length: depth }, (_, i) => `struct - 0: - ${i + 2}@0, - ${i + 2}@0`);
  const made = (size: number): Btf =>
    built(["int int 4s", "struct - 0", ...lines, `struct top ${size}: - ${top - 1}@0, x 1@0`]);
  const [old, now] = [made(4), made(8)];
  expect(old.get(top)?.name).toBe("top");
  expect(diff(old, now).changed.map(({ name }) => name)).toEqual(["top"]);
  const kernels = [old, now].map((btf, i) => ({ name: String(i), btfs: [btf] }));
  expect(history(["top.y"], kernels)[0]?.states.map(({ state }) => state)).toEqual(["no-member", "no-member"]);
});

describe("identities", () => {
  test("do not depend on ids, byte order or the image", () => {
    const [a, b] = [
      built(["int int 4s", "ptr 1", "struct s 16: p 2@0, n 1@64"]),
      built(["fwd other", "int int 4s", "struct s 16: p 4@0, n 2@64", "ptr 2"]),
    ];
    const [left, right] = [identities(a).of(a.require("s", "struct")), identities(b).of(b.require("s", "struct"))];
    expect(left).toBe(right);
    expect(left).toMatch(/^[0-9a-f]{16}$/);
    expect(() => identities(a).of(0)).toThrow(/no type 0/);
    expect(() => identities(a).of(99)).toThrow(/no type 99/);
  });
});

/**
 * Renames from 6.1 to 6.12 as the kernel's history has them, and members that were taken out while others of the same
 * type came in.
 */
const RENAMED: readonly (readonly [struct: string, old: string, now: string])[] = [
  ["task_struct", "throttle_queue", "throttle_disk"],
  ["sched_class", "check_preempt_curr", "wakeup_preempt"],
  ["kioctx", "ring_pages", "ring_folios"],
  ["kioctx", "internal_pages", "internal_folios"],
  ["iomap", "page_ops", "folio_ops"],
  ["renamedata", "old_mnt_userns", "old_mnt_idmap"],
  ["workqueue_struct", "cpu_pwqs", "cpu_pwq"],
  ["mmu_notifier_ops", "invalidate_range", "arch_invalidate_secondary_tlbs"],
  ["kvm_arch_memory_slot", "gfn_track", "gfn_write_track"],
  ["context_tracking", "dynticks_nmi_nesting", "nmi_nesting"],
  ["perf_event_context", "active_ctx_list", "pmu_ctx_list"],
  ["io_uring_task", "in_idle", "in_cancel"],
  ["ext4_sb_info", "s_journal_bdev", "s_journal_bdev_file"],
  ["virtio_device", "config_enabled", "config_core_enabled"],
  ["memory_dev_type", "tier_sibiling", "tier_sibling"],
  ["irq_domain", "revmap_mutex", "mutex"],
  ["root_domain", "overload", "overloaded"],
  ["svc_serv", "sv_program", "sv_programs"],
  ["fscrypt_operations", "key_prefix", "legacy_key_prefix"],
  ["blk_mq_alloc_data", "cached_rq", "cached_rqs"],
  ["thermal_instance", "tz_node", "trip_node"],
  ["apparmor_audit_data", "label", "subj_label"],
  ["kvm_x86_ops", "can_emulate_instruction", "check_emulate_instruction"],
  ["kvm_x86_ops", "tlb_remote_flush_with_range", "flush_remote_tlbs_range"],
  ["address_space", "private_lock", "i_private_lock"],
  ["address_space", "private_list", "i_private_list"],
  ["address_space", "private_data", "i_private_data"],
  ["kvm_pmu", "fixed_ctr_ctrl_mask", "fixed_ctr_ctrl_rsvd"],
  ["dentry", "d_child", "d_sib"],
  ["dentry", "d_subdirs", "d_children"],
  ["inode", "i_atime", "i_atime_sec"],
];

describe("renames from 6.1 to 6.12", () => {
  needing("the corpus in ../shared")("most of a list made by hand are guessed, none of them wrongly", () => {
    const structs = new Set(RENAMED.map(([struct]) => struct));
    const { changed } = diff(series("6.1.0-56-cloud-amd64"), series("6.12.117+deb12-cloud-amd64"), {
      kinds: ["struct" satisfies DefinitionKind],
      filter: ({ name }) => structs.has(name),
    });
    const guessed = new Map(
      changed.flatMap(({ name, members = [] }) =>
        members.flatMap(({ old, new: now }) =>
          old && now && old.name !== now.name ? [[`${name}.${old.name}`, now.name] as const] : [],
        ),
      ),
    );
    const wrong = RENAMED.filter(([struct, old, now]) => (guessed.get(`${struct}.${old}`) ?? now) !== now);
    const right = RENAMED.filter(([struct, old, now]) => guessed.get(`${struct}.${old}`) === now);
    expect(wrong).toEqual([]);
    expect(right.length).toBeGreaterThanOrEqual(28);
  });
});
