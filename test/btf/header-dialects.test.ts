// Headers compile as C17 and as C23, by old compilers and new ones.
import { Btf, dumpC } from "btfkit";
import { describe, expect, test } from "vitest";
import { refusals } from "../support/headers.js";
import { Image, STRUCT, TYPEDEF, UNION } from "../support/image.js";
import { needing } from "../support/needs.js";

/** C23's keywords as enumerators, typedef, members, parameters and tags. */
function keywords(): Btf {
  const image = new Image();
  const int = image.int("int", 4, 1);
  const truth = image.int("_Bool", 1, 4);
  image.enumeration("", [
    ["false", 0],
    ["true", 1],
  ]);
  const bool = image.ref(TYPEDEF, truth, "bool");
  image.composite(STRUCT, "alignas", 16, [
    ["bool", bool, 0],
    ["nullptr", int, 32],
    ["typeof_unqual", int, 64],
    ["thread_local", int, 96],
  ]);
  image.composite(UNION, "constexpr", 4, [["static_assert", int, 0]]);
  const proto = image.proto(bool, [
    ["alignof", int],
    ["true", int],
  ]);
  image.func("asks", proto);
  image.declTag("bpf_kfunc", image.nextId - 1);
  return Btf.parse(image.bytes());
}

/** As a compiler for C23 writes BTF: `bool` is an INT there. */
function builtInBool(): Btf {
  const image = new Image();
  const bool = image.int("bool", 1, 4);
  image.composite(STRUCT, "answer", 2, [
    ["yes", bool, 0],
    ["no", bool, 8],
  ]);
  return Btf.parse(image.bytes());
}

const DIALECTS = [
  ["clang-19", "-target", "bpf", "-std=gnu11"],
  ["clang-19", "-target", "bpf", "-std=gnu17"],
  ["clang-19", "-target", "bpf", "-std=gnu23"],
  ["clang-14", "-target", "bpf", "-std=gnu17"],
  ["clang-14", "-target", "bpf", "-std=gnu2x"],
  ["gcc", "-std=gnu17"],
  ["gcc", "-std=gnu2x"],
];

describe("dialects of C", () => {
  needing(
    "clang-19",
    "clang-14",
    "gcc and libbpf-dev",
  )("headers compile in each, and so does what includes them", () => {
    const headers = { keywords: dumpC(keywords()).text(), builtIn: dumpC(builtInBool()).text() };
    const source = `
#if defined(__clang__) || __STDC_VERSION__ <= 201710L || __GNUC__ > 12
static bool answer(bool x) { return x ? true : false; }
#endif
`;
    for (const command of DIALECTS) {
      expect([command, refusals({ keywords: headers.keywords }, { command, source })]).toEqual([command, {}]);
      expect([command, refusals({ builtIn: headers.builtIn }, { command, source: "" })]).toEqual([command, {}]);
    }
  });

  test("only the keywords that are names are defined away, and are back at the end", () => {
    const text = dumpC(keywords()).text();
    const defined = Array.from(text.matchAll(/^#define (\w+) \1___c23$/gm), ([, name]) => name);
    const undefined_ = Array.from(text.matchAll(/^#undef (\w+)$/gm), ([, name]) => name);
    expect(defined).not.toContain("typeof");
    expect(defined).toHaveLength(10);
    expect(undefined_).toEqual(defined);
    const image = new Image();
    image.int("int", 4, 1);
    expect(dumpC(Btf.parse(image.bytes())).text()).not.toContain("__STDC_VERSION__");
  });

  test("bpftool's header has none of this", () => {
    for (const btf of [keywords(), builtInBool()]) {
      expect(dumpC(btf, { compatible: "bpftool-7.8" }).text()).not.toMatch(
        /__STDC_VERSION__|typedef _Bool bool;\n\nstruct answer/,
      );
    }
  });
});
