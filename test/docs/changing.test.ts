// docs/changing.md says which files a change touches: they exist, and they are no more than it promises.
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const LIMITS: Readonly<Record<string, number>> = {
  "A kind of BTF": 12,
  "A kind of CO-RE relocation": 5,
  "An engine": 3,
  "A command": 4,
  "A compression": 3,
  "An error": 2,
  "An entry of the package": 3,
  "A kernel": 4,
};

const [, ...sections] = readFileSync("docs/changing.md", "utf8").split(/^## /m);

describe("docs/changing.md", () => {
  test("has a chapter for each kind of change", () => {
    expect(sections.map((section) => section.split(":", 1)[0])).toEqual(Object.keys(LIMITS));
  });
  for (const section of sections) {
    const [, change = "", limit = ""] = /^(.*): at most (\d+) files\n/.exec(section) ?? [];
    test(`${change} touches at most ${limit} files, which exist`, () => {
      const files = Array.from(section.matchAll(/^- `([^`]+)`/gm), ([, file = ""]) => file);
      expect(Number(limit)).toBe(LIMITS[change]);
      expect(files.length).toBeLessThanOrEqual(Number(limit));
      expect(files.filter((file) => !existsSync(file))).toEqual([]);
    });
  }
});
