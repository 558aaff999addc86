// A header of chosen functions and variables has all that their declarations name.
import { Btf, dumpC } from "btfkit";
import { openFile } from "btfkit/node";
import { describe, expect, test } from "vitest";
import { refusals } from "../support/headers.js";
import { FWD, Image, PTR, STRUCT, TYPEDEF } from "../support/image.js";
import { corpusPath, needing } from "../support/needs.js";

/** Declarations whose types are reached through pointers, returns, arrays and prototypes inside prototypes. */
function declarations(): Btf {
  const image = new Image();
  const int = image.int("int", 4, 1);
  const gate = image.composite(STRUCT, "gate", 4, [["x", int, 0]]);
  const alias = image.ref(TYPEDEF, gate, "gate_t");
  const pointer = image.ref(PTR, alias);
  const handler = image.ref(
    TYPEDEF,
    image.ref(PTR, image.proto(pointer, [["far", image.ref(PTR, image.ref(FWD, 0, "far"))]])),
    "handler_t",
  );
  const table = image.ref(TYPEDEF, image.array(alias, int, 4), "table_t");
  const other = image.composite(STRUCT, "other", 4, [["x", int, 0]]);
  const nested = image.ref(
    PTR,
    image.proto(0, [["cb", image.ref(PTR, image.proto(0, [["o", image.ref(PTR, other)]]))]]),
  );
  image.func("returns", image.proto(pointer));
  image.func("takes", image.proto(0, [["h", image.ref(PTR, handler)]]));
  image.func("nests", image.proto(0, [["f", nested]]));
  image.func("kfunc", image.proto(image.ref(PTR, other), [["t", image.ref(PTR, table)]]));
  image.declTag("bpf_kfunc", image.nextId - 1);
  image.variable("tables", image.array(image.ref(PTR, table), int, 2));
  image.func("tables", image.proto(int));
  image.func("cold.part.0", image.proto(int));
  return Btf.parse(image.bytes());
}

describe("a declaration's needs", () => {
  const btf = declarations();

  test("typedefs and forward declarations stand before it, definitions where it needs them", () => {
    const text = dumpC(btf, { types: [btf.require("takes", "func")] }).text();
    expect(text).toContain(
      "struct far;\n\nstruct gate;\n\ntypedef struct gate gate_t;\n\ntypedef gate_t * (*handler_t)(struct far *far);\n\nextern void takes(handler_t *h);\n",
    );
    const kfunc = dumpC(btf, { types: [], kfuncs: ["kfunc"] }).text();
    expect(kfunc).toMatch(
      /typedef gate_t table_t\[4\];\n\nstruct other;\n\n\n[\s\S]*extern struct other \*kfunc\(table_t \*t\)/,
    );
  });

  test("names that are taken, or that C does not have, are no declarations", () => {
    const types = ["tables", "cold.part.0"].flatMap((name) => btf.findAll(name));
    const text = dumpC(btf, { types }).text();
    expect(text).toContain("extern table_t *tables[2];\n\n#if 0\nextern int tables(void);\n#endif\n");
    expect(text).toContain("#if 0\nextern int cold.part.0(void);\n#endif\n");
  });

  test("bpftool's header has none of this", () => {
    const types = [btf.require("takes", "func")];
    expect(dumpC(btf, { types, compatible: "bpftool-7.8" }).text()).not.toMatch(/takes|gate/);
  });

  needing("clang-19")("each compiles by itself", () => {
    const headers: Record<string, string> = { kfunc: dumpC(btf, { types: [], kfuncs: ["kfunc"] }).text() };
    for (const kind of ["func", "var"] as const) {
      for (const type of btf.ofKind(kind)) headers[`${kind} ${type.name}`] = dumpC(btf, { types: [type] }).text();
    }
    expect(Object.keys(headers).length).toBe(8);
    expect(refusals(headers)).toEqual({});
  });
});

describe("of kernels", () => {
  const targets: Record<string, string> = {
    "6.12-amd64": "x86_64-linux-gnu",
    "6.1-cloud-amd64": "x86_64-linux-gnu",
    "6.12-s390x": "s390x-linux-gnu",
    "6.1-i386": "i386-linux-gnu",
    "6.12-armhf-layout": "arm-linux-gnueabihf",
  };
  for (const [kernel, target] of Object.entries(targets)) {
    needing("the corpus in ../shared", "clang-19")(`${kernel}: all functions and all variables`, () => {
      const btf = openFile(corpusPath(`vmlinux/${kernel}.btf.gz`));
      const functions = dumpC(btf, { types: btf.ofKind("func") }).text();
      const variables = dumpC(btf, { types: btf.ofKind("var") }).text();
      const command = ["clang-19", "-target", target, "-std=gnu17"];
      expect(refusals({ functions, variables }, { command })).toEqual({});
    });
  }

  needing("the corpus in ../shared", "clang-19")("6.12-amd64: some functions and variables alone", () => {
    const btf = openFile(corpusPath("vmlinux/6.12-amd64.btf.gz"));
    const types = [...btf.ofKind("var"), ...btf.ofKind("func")].filter((_, i) => i % 401 === 0);
    const headers = Object.fromEntries(
      types.map((type) => [`${type.kind} ${type.name}`, dumpC(btf, { types: [type] }).text()]),
    );
    expect(types.length).toBeGreaterThan(100);
    expect(refusals(headers)).toEqual({});
  });

  needing("the running kernel's BTF", "clang-19")("the running one: each kernel function alone", () => {
    const btf = openFile("/sys/kernel/btf/vmlinux");
    const names = Array.from(btf.ofKind("decl_tag"))
      .filter(({ name }) => name === "bpf_kfunc")
      .map(({ targetId }) => btf.nameAt(targetId));
    const headers = Object.fromEntries(names.map((name) => [name, dumpC(btf, { types: [], kfuncs: [name] }).text()]));
    expect(refusals(headers)).toEqual({});
  });
});
