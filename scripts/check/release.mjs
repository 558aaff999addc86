// What has to be true of a tree that is published: the changelog tells of its
// version, and package.json names a place and an author, not the words that
// stand for them.
import { readFileSync } from "node:fs";

/** Words that stand for what whoever publishes fills in. */
const PLACEHOLDERS = /\b(OWNER|AUTHOR)\b/;

const { version, author, repository, bugs } = JSON.parse(readFileSync("package.json", "utf8"));
const fields = { author, "repository.url": repository?.url, "bugs.url": bugs?.url };
const problems = Object.entries(fields).flatMap(([name, value]) => {
  if (!value) return [`package.json has no ${name}`];
  return PLACEHOLDERS.test(value) ? [`${name} of package.json is a placeholder: ${value}`] : [];
});
if (!readFileSync("CHANGELOG.md", "utf8").includes(`## [${version}]`))
  problems.push(`CHANGELOG.md does not tell of ${version}`);
// On GitHub: provenance names the repository that publishes.
const { GITHUB_REPOSITORY: home } = process.env;
if (home && problems.length === 0 && !repository.url.includes(`/${home}`)) {
  problems.push(`repository.url of package.json is not that of ${home}: ${repository.url}`);
}

for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
