// Who holds what: against bpftool's JSON, on a kernel with modules, and on structs made for it.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { fieldOf, sizeOf } from "btfkit";
import { type Relations, relations } from "btfkit/inspect";
import { openFile } from "btfkit/node";
import { describe, expect, test } from "vitest";
import { built } from "../support/brief.js";
import { corpusPath, needing } from "../support/needs.js";

const KERNEL = "test/data/vmlinux-6.1-cloud-amd64.btf.gz";

interface DumpedType {
  readonly id: number;
  readonly kind: string;
  readonly name: string;
  readonly type_id?: number;
  readonly ret_type_id?: number;
  readonly members?: readonly { readonly name: string; readonly type_id: number }[];
  readonly params?: readonly { readonly type_id: number }[];
}

const MODIFIERS = new Set(["TYPEDEF", "CONST", "VOLATILE", "RESTRICT", "TYPE_TAG"]);

/** Answers by plain recursion from each holder down. */
class Plain {
  readonly types: readonly DumpedType[];
  readonly #byId: Map<number, DumpedType>;

  constructor(file: string) {
    const folder = mkdtempSync(join(tmpdir(), "btfkit-relations-"));
    try {
      const raw = join(folder, "vmlinux");
      writeFileSync(raw, gunzipSync(readFileSync(file)));
      const text = execFileSync("bpftool", ["-j", "btf", "dump", "file", raw], {
        encoding: "utf8",
        maxBuffer: 1 << 30,
      });
      this.types = (JSON.parse(text) as { types: DumpedType[] }).types;
    } finally {
      rmSync(folder, { recursive: true });
    }
    this.#byId = new Map(this.types.map((type) => [type.id, type]));
  }

  #leads(id: number | undefined, name: string, pointers: "none" | "some"): boolean {
    let pointed = false;
    for (let type = this.#byId.get(id ?? 0); type; type = this.#byId.get(type.type_id ?? 0)) {
      const isHere = type.name === name && !["FUNC", "VAR"].includes(type.kind);
      if (isHere && (pointers === "none" || pointed)) return true;
      if (type.kind === "PTR" && pointers === "some") pointed = true;
      else if (!MODIFIERS.has(type.kind) && type.kind !== "ARRAY") return false;
    }
    return false;
  }

  #composite(id: number): DumpedType | undefined {
    let type = this.#byId.get(id);
    while (type && (MODIFIERS.has(type.kind) || type.kind === "ARRAY")) type = this.#byId.get(type.type_id ?? 0);
    return type && ["STRUCT", "UNION"].includes(type.kind) ? type : undefined;
  }

  #hasTypedef(id: number): boolean {
    let type = this.#byId.get(id);
    while (type && type.kind !== "TYPEDEF" && (MODIFIERS.has(type.kind) || type.kind === "ARRAY")) {
      type = this.#byId.get(type.type_id ?? 0);
    }
    return type?.kind === "TYPEDEF";
  }

  #holds(type: DumpedType, name: string, pointers: "none" | "some"): boolean {
    return (type.members ?? []).some(({ type_id }) => {
      if (this.#leads(type_id, name, pointers)) return true;
      const inner = this.#composite(type_id);
      // A struct without a name is part of its holder, unless a typedef names it.
      return inner?.name === "(anon)" && !this.#hasTypedef(type_id) && this.#holds(inner, name, pointers);
    });
  }

  holders(name: string, pointers: "none" | "some"): number[] {
    return this.types
      .filter((type) => ["STRUCT", "UNION"].includes(type.kind) && type.name !== "(anon)")
      .filter((type) => this.#holds(type, name, pointers))
      .map(({ id }) => id);
  }

  functions(name: string, relation: "takes" | "returns"): number[] {
    return this.types
      .filter(({ kind }) => kind === "FUNC")
      .filter((func) => {
        const proto = this.#byId.get(func.type_id!)!;
        const ids = relation === "returns" ? [proto.ret_type_id] : (proto.params ?? []).map(({ type_id }) => type_id);
        return ids.some((id) => this.#leads(id, name, "none") || this.#leads(id, name, "some"));
      })
      .map(({ id }) => id);
  }
}

describe("against bpftool's JSON", () => {
  needing("bpftool")("structs that embed and point to types, functions that take and return them", () => {
    const plain = new Plain(KERNEL);
    const index = relations(openFile(KERNEL));
    const composites = (found: ReturnType<Relations["holders"]>): number[] =>
      found.filter(({ type }) => type.kind !== "typedef").map(({ type }) => type.id);
    for (const name of ["list_head", "spinlock_t", "kref", "task_struct", "sk_buff", "u64", "work_struct"]) {
      expect(composites(index.holders("embeds", name)), `embeds ${name}`).toEqual(plain.holders(name, "none"));
    }
    for (const name of ["task_struct", "sk_buff", "inode", "bpf_prog"]) {
      expect(composites(index.holders("points-to", name)), `points to ${name}`).toEqual(plain.holders(name, "some"));
      for (const relation of ["takes", "returns"] as const) {
        const found = index.functions(relation, name).map(({ id }) => id);
        expect(found, `${relation} ${name}`).toEqual(plain.functions(name, relation));
      }
    }
  });
});

describe("a kernel", () => {
  const btf = openFile(KERNEL);
  const index = relations(btf);

  test("each path of a holder leads to what it holds", () => {
    for (const name of ["list_head", "spinlock_t", "hlist_node"]) {
      const size = sizeOf(btf.require(name));
      for (const { type, members } of index.holders("embeds", name)) {
        expect(members.length, type.name).toBeGreaterThan(0);
        for (const path of members) expect(fieldOf(btf, type, path).byteSize! % size!, `${type.name}.${path}`).toBe(0);
      }
    }
  });

  test("deep holders have the direct ones among them", () => {
    const deep = new Set(index.holders("embeds-deep", "list_head").map(({ type }) => type));
    const direct = index.holders("embeds", "list_head");
    expect(direct.every(({ type }) => deep.has(type))).toBe(true);
    expect(deep.size).toBeGreaterThan(direct.length);
  });

  test("tracepoints with the names of their arguments, struct_ops", () => {
    const found = index.tracepoints().find(({ name }) => name === "sched_switch");
    expect(found?.args.map(({ name }) => name)).toEqual(["preempt", "prev", "next", "prev_state"]);
    expect(index.structOps().map(({ name }) => name)).toContain("tcp_congestion_ops");
    expect(index.kfuncs()).toEqual([]);
  });

  test("a name that no type has", () => {
    expect(() => index.holders("embeds", "list_haed")).toThrow(/did you mean "list_head"/);
    expect(() => index.functions("takes", "struct list_haed")).toThrow(/list_head/);
    expect(() => relations([])).toThrow(/no Btf/);
  });
});

describe("modules", () => {
  needing("the corpus in ../shared")("what a module holds of its kernel, and of its own", () => {
    const kernel = openFile(corpusPath("vmlinux/6.12-amd64.btf.gz"));
    const module = openFile(corpusPath("modules/6.12-amd64-nf_conntrack.btf.gz"), { base: kernel });
    const both = relations([kernel, module]);
    const own = both.holders("embeds", "list_head").filter(({ type }) => type.btf === module);
    expect(own.length).toBeGreaterThan(0);
    for (const { type, members } of own) {
      for (const path of members) expect(fieldOf(module, type, path).byteSize! % 16).toBe(0);
    }
    expect(relations(kernel).holders("embeds", "list_head").length + own.length).toBe(
      both.holders("embeds", "list_head").length,
    );
    expect(both.functions("takes", "nf_conn").some(({ btf }) => btf === module)).toBe(true);
  });
});

describe("made structs", () => {
  test("through arrays, typedefs, anonymous structs, and pointers", () => {
    const btf = built([
      "int int 4s",
      "struct wanted 4: n 1@0",
      "typedef wanted_t 2",
      "array 3*2 by 1",
      "struct - 8: deep 4@0",
      "struct holder 16: - 5@0, second 3@64",
      "typedef unnamed_t 5",
      "struct over 24: inner 6@0, mine 7@128",
      "ptr 2",
      "ptr 9",
      "struct pointer 16: p 9@0, pp 10@64",
      "proto 9: w 3",
      "func f 12 static",
      "tag bpf_kfunc 13",
      "tag bpf_fastcall 13",
      "struct sparse 16: a 1@0, b 1@64",
    ]);
    const index = relations(btf);
    const shown = (relation: "embeds" | "embeds-deep" | "points-to", name: string): string[] =>
      index.holders(relation, name).map(({ type, members }) => `${type.name}: ${members.join(" ")}`);
    expect(shown("embeds", "wanted")).toEqual(["holder: deep second", "unnamed_t: deep"]);
    expect(shown("embeds", "wanted_t")).toEqual(["holder: deep second", "unnamed_t: deep"]);
    expect(shown("embeds-deep", "struct wanted")).toEqual([
      "holder: deep second",
      "unnamed_t: deep",
      "over: inner mine",
    ]);
    expect(shown("points-to", "wanted")).toEqual(["pointer: p pp"]);
    expect(index.functions("takes", "wanted").map(({ name }) => name)).toEqual(["f"]);
    expect(index.functions("returns", "wanted").map(({ name }) => name)).toEqual(["f"]);
    expect(index.kfuncs().map(({ func, flags }) => [func.name, flags])).toEqual([["f", ["bpf_fastcall"]]]);
    expect(index.withMember((name) => name === "deep").map(({ type }) => type.name)).toEqual(["holder"]);
    expect(index.withHoles().map(({ type, holeBytes }) => [type.name, holeBytes])).toEqual([["sparse", 4]]);
  });
});
