// The picture of a layout: every bit of a struct is drawn once, and the text is
// XML whatever the names are.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { Btf } from "../../src/btf/btf.js";
import { layout } from "../../src/inspect/layout/layout.js";
import type { Layout } from "../../src/inspect/layout/types.js";
import { type LayoutRow, layoutRows } from "../../src/inspect/svg/rows.js";
import { layoutSvg } from "../../src/inspect/svg/svg.js";
import { ARRAY, Image, STRUCT, UNION } from "../support/image.js";
import { corpusPath, needing } from "../support/needs.js";

const folder = mkdtempSync(join(tmpdir(), "btfkit-svg-"));

/** Bits of what is drawn where nothing is opened and no member overlaps another. */
function drawn(rows: readonly LayoutRow[], { byteSize, cachelineBytes }: Layout): number {
  let bits = 0;
  for (const { lines, boxes } of rows) {
    bits += lines > 1 ? lines * cachelineBytes * 8 : boxes.reduce((sum, { bitSize }) => sum + bitSize, 0);
  }
  return bits - byteSize * 8;
}

function isXml(svg: string): void {
  const path = join(folder, "picture.svg");
  writeFileSync(path, svg);
  execFileSync("python3", ["-c", "import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])", path]);
}

describe("rows", () => {
  needing("the corpus in ../shared")("draw every bit of a kernel's structs once", () => {
    const btf = Btf.parse(gunzipSync(readFileSync(corpusPath("vmlinux/6.1-cloud-amd64.btf.gz"))));
    let seen = 0;
    for (const type of btf.ofKind("struct")) {
      const of = layout(type);
      const { holeBytes, holeBits, memberBytes, bitfieldBits, paddingBytes, paddingBits } = of.statistics;
      const isFlat = of.members.every(({ nested }) => !nested);
      const sum = (holeBytes + memberBytes + paddingBytes) * 8 + holeBits + bitfieldBits + paddingBits;
      if (!isFlat || sum !== of.byteSize * 8) continue;
      expect(drawn(layoutRows(of), of), type.name).toBe(0);
      seen++;
    }
    expect(seen).toBeGreaterThan(5000);
  });

  test("fold what long arrays fill, split what crosses lines, and stack a union's arms", () => {
    const image = new Image();
    const int = image.int("int", 4);
    const long = image.array(int, int, 1000);
    const arms = image.composite(UNION, "", 4, [
      ["a", int, 0],
      ["b", int, 0],
    ]);
    const id = image.composite(STRUCT, "s", 4016, [
      ["first", int, 0],
      ["long", long, 32],
      ["", arms, 32 + 32000],
    ]);
    const rows = layoutRows(layout(Btf.parse(image.bytes()).get(id)!));
    expect(ARRAY).toBe(3);
    expect(rows.map(({ byteOffset, lines }) => [byteOffset, lines])).toEqual([
      [0, 1],
      [64, 61],
      [3968, 1],
    ]);
    expect(rows[0]!.boxes.map(({ path, bitSize, endsAfter }) => [path, bitSize, endsAfter])).toEqual([
      ["first", 32, false],
      ["long", 480, true],
    ]);
    const [rest, a, b, padding] = rows[2]!.boxes;
    expect([rest!.startsBefore, rest!.bitSize]).toEqual([true, 36 * 8]);
    expect([a!.path, b!.path, padding!.kind]).toEqual(["a", "b", "padding"]);
    expect(a!.top + a!.height).toBe(b!.top);
  });
});

test("names that XML does not allow are escaped or replaced", () => {
  const image = new Image();
  const int = image.int('<int> & "x"', 4);
  const id = image.composite(STRUCT, "a\x01<b>", 8, [
    ["m&m", int, 0],
    ["\x1b[0m", int, 32],
  ]);
  for (const scheme of ["auto", "light", "dark"] as const) {
    isXml(layoutSvg(layout(Btf.parse(image.bytes()).get(id)!), { scheme, hex: true, idPrefix: 'x"><y' }));
  }
});
