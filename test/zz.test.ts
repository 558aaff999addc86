import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { Btf, dumpRaw } from "btfkit";
import { type BtfFeature, encode, sanitize } from "btfkit/edit";
import { test } from "vitest";
import { corpusPath } from "./support/needs.js";

const ASKED: BtfFeature[] = [
  "func",
  "datasec",
  "func_global",
  "float",
  "decl_tag",
  "type_tag",
  "enum64",
  "qmark_datasec",
];
test("18", () => {
  const objects = readdirSync(corpusPath("objects"));
  let bad = 0,
    n = 0,
    s390 = 0;
  objects.forEach((name, i) => {
    for (let k = 0; k < 3; k++) {
      const features = ASKED.slice(0, (i + k * 3) % 9);
      try {
        execFileSync("/tmp/l18/sanitize", [features.join(), "/tmp/b", "/tmp/a", corpusPath("objects/" + name)], {
          stdio: "pipe",
        });
      } catch (e) {
        if (k === 0) console.log(name, String(e).slice(0, 90));
        continue;
      }
      n++;
      const [b, a] = [readFileSync("/tmp/b"), readFileSync("/tmp/a")];
      const f = Btf.parse(b);
      if (f.endian === "big") s390++;
      const r = sanitize(f, { features: [...features, "attributes"] }).btf;
      const ours = Buffer.from(encode(r, { header: Btf.parse(a).header.headerLength as 24 }));
      if (!ours.equals(a)) {
        if (bad++ < 3)
          console.log(
            name,
            features.join(),
            ours.length,
            a.length,
            Btf.parse(a).header,
            Btf.parse(b).header,
            dumpRaw(r).text() === dumpRaw(Btf.parse(a)).text(),
          );
      }
    }
  });
  console.log(n, "bad", bad, "big", s390);
});
