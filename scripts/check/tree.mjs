// What is committed names no folder of the machine it was written on, and lock
// files name no host, so that each machine installs from its own registry.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const RULES = [
  { files: /./, pattern: /(?<![\w.~-])\/(?:work|root|home\/\w+|Users\/\w+)\/[\w.-]+/, what: "a path of a machine" },
  {
    files: /./,
    pattern: /\bregistry\.[a-z]+\.[a-z]+\b|\/\/[^/\s]*@[^/\s]*registry/,
    what: "a package registry's host",
  },
  { files: /package-lock\.json$/, pattern: /"resolved":/, what: "a download address" },
  { files: /package-lock\.json$/, pattern: /"version": "(?:https?|git|file):/, what: "an address for a version" },
];

/** Text only: a NUL byte is in no text. */
const files = execFileSync("git", ["ls-files", "-z"], { encoding: "utf8" }).split("\0").filter(Boolean);
const problems = [];
for (const file of files) {
  const text = readFileSync(file, "utf8");
  if (text.includes("\0")) continue;
  for (const rule of RULES) {
    const hit = rule.files.test(file) && rule.pattern.exec(text);
    if (hit) problems.push(`${file}: ${rule.what}: ${hit[0]}`);
  }
}

for (const problem of problems) console.error(problem);
console.log(`tree: ${files.length} files, ${problems.length} problems`);
process.exitCode = problems.length > 0 ? 1 : 0;
