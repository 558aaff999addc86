// What lies at an offset: the inverse of fieldOf on whole kernels, and drgn's words for the rest.
import { type Btf, type BtfType, fieldOf, resolve } from "btfkit";
import { memberAt, memberTextAt } from "btfkit/inspect";
import { openFile } from "btfkit/node";
import { describe, expect, test } from "vitest";
import { built } from "../support/brief.js";
import { corpusPath, needing } from "../support/needs.js";

/** Every path of a struct or union, through structs inside, as deep as they are. */
function* pathsOf(type: BtfType, prefix = "", depth = 0): Generator<string> {
  if ((type.kind !== "struct" && type.kind !== "union") || depth > 12) return;
  for (const member of type.members) {
    if (member.name) yield prefix + member.name;
    // Named structs have paths of their own.
    const inner = resolve(member.type);
    if (!member.name || inner.name === "")
      yield* pathsOf(inner, member.name ? `${prefix}${member.name}.` : prefix, depth + 1);
  }
}

/** Paths of members that memberAt does not find where fieldOf says that they are. */
function lost(btf: Btf): string[] {
  const missing: string[] = [];
  for (const type of btf) {
    if (type.kind !== "struct" && type.kind !== "union") continue;
    for (const path of pathsOf(type)) {
      const { bitOffset } = fieldOf(btf, type, path);
      const found = memberAt(type, { bitOffset });
      const isThere = found.some(
        (place) => place.path === path || place.path.startsWith(`${path}.`) || place.path.startsWith(`${path}[`),
      );
      if (!isThere) missing.push(`${type.kind} ${type.name} [${type.id}] ${path}`);
    }
  }
  return missing;
}

describe("the inverse of fieldOf", () => {
  test("every member of every struct of a kernel", () => {
    expect(lost(openFile("test/data/vmlinux-6.1-cloud-amd64.btf.gz"))).toEqual([]);
  });

  for (const kernel of ["6.12-amd64", "6.12-s390x", "6.1-i386"]) {
    needing("the corpus in ../shared")(`every member of every struct of ${kernel}`, () => {
      expect(lost(openFile(corpusPath(`vmlinux/${kernel}.btf.gz`)))).toEqual([]);
    });
  }
});

describe("drgn's words", () => {
  const btf = openFile("test/data/vmlinux-6.1-cloud-amd64.btf.gz");
  const at = (name: string, offset: number): string => memberTextAt(btf.require(name, "struct"), offset);

  test("members, arrays, the middle of a member", () => {
    expect(at("list_head", 0)).toBe("next");
    expect(at("list_head", 4)).toBe("next+0x4");
    expect(at("list_head", 8)).toBe("prev");
    expect(at("sigpending", 0)).toBe("list.next");
    expect(at("sigpending", 16)).toBe("signal.sig[0]");
  });

  test("padding, the end, past the end", () => {
    expect(at("autogroup", 4)).toBe("<padding between kref and tg>");
    expect(at("autogroup", btf.require("autogroup", "struct").byteSize - 1)).toBe("<end padding>");
    expect(at("list_head", 16)).toBe("<end>");
    expect(at("list_head", 17)).toBe("<past end>");
  });

  const made = built([
    "int int 4s",
    "int char 1c",
    "union either 8: number 1@0, bytes 4@0",
    "array 2*8 by 1",
    "struct holder 24: flags 1@0:3, more 1@3:5, - 3@64, late 2@136",
    "array 2*0 by 1",
    "struct flexible 8: length 1@0, data 6@64",
    "typedef either_t 3",
    "struct named 8: ent 8@0",
  ]);
  const type = (id: number): BtfType => made.get(id)!;

  test("a union gives each member that reaches there", () => {
    expect(memberTextAt(type(3), 0)).toBe("number or bytes[0]");
    expect(memberTextAt(type(3), 6)).toBe("bytes[6]");
    expect(memberTextAt(type(9), 2)).toBe("ent.number+0x2 or ent.bytes[2]");
  });

  test("anonymous members, bitfields, padding beside them", () => {
    expect(memberTextAt(type(5), 0)).toBe("flags");
    expect(memberTextAt(type(5), { bitOffset: 4 })).toBe("more+1 bits");
    expect(memberTextAt(type(5), 1)).toBe("<padding between more and <unnamed>>");
    expect(memberTextAt(type(5), 9)).toBe("number+0x1 or bytes[1]");
    expect(memberTextAt(type(5), 16)).toBe("<padding between <unnamed> and late>");
    expect(memberTextAt(type(5), 20)).toBe("<end padding>");
  });

  test("a flexible array has no end", () => {
    expect(memberTextAt(type(7), 8)).toBe("data[0]");
    expect(memberTextAt(type(7), 8000)).toBe("data[7992]");
    expect(memberAt(type(7), 8)).toMatchObject([{ what: "member", path: "data[0]", bitOffset: 64, bitsInto: 0 }]);
  });

  test("arrays by themselves", () => {
    expect(memberTextAt(type(4), 3)).toBe("[3]");
    expect(memberTextAt(type(4), 8)).toBe("<end>");
  });
});

describe("wrong input", () => {
  const btf = built(["int int 4s", "fwd later", "struct s 4: a 1@0", "struct empty 0"]);

  test("types without members, offsets that are none", () => {
    expect(() => memberAt(btf.get(1)!, 0)).toThrow(/"int": int has no members/);
    expect(() => memberAt(btf.get(2)!, 0)).toThrow(/no members/);
    expect(() => memberAt(btf.get(3)!, -1)).toThrow(/natural number/);
    expect(() => memberAt(btf.get(3)!, 0.01)).toThrow(/natural number/);
    expect(() => memberAt(btf.get(3)!, Number.NaN)).toThrow(/natural number/);
    expect(memberTextAt(btf.get(4)!, 0)).toBe("<end>");
  });
});
