// The step of action.yml: runs `btfkit check` once, then says what came out as
// annotations, in the job's summary and as outputs. Inputs come as INPUT_NAME,
// as runners hand them over. Ends with the exit code of btfkit.
import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Annotations of one level that a runner shows of a step. */
const SHOWN = 10;
/** Bytes of a summary that a runner takes. */
const SUMMARY_BYTES = 1 << 20;

const input = (name) => (process.env[`INPUT_${name}`] ?? "").trim();
const lines = (name) =>
  input(name)
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
const isOn = (name) => input(name).toLowerCase() === "true";

/** A workflow command; its properties and its text cannot end it early. */
function say(level, properties, text) {
  const plain = (value) => String(value).replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
  const property = (value) => plain(value).replaceAll(":", "%3A").replaceAll(",", "%2C");
  const told = Object.entries(properties).filter(([, value]) => value !== undefined);
  console.log(`::${level} ${told.map(([name, value]) => `${name}=${property(value)}`).join(",")}::${plain(text)}`);
}

/** The command line that is built beside this action, or that of npm. */
function program() {
  const version = input("VERSION");
  const built = fileURLToPath(new URL("../dist/cli/btfkit.cjs", import.meta.url));
  if (version === "" && existsSync(built)) return [process.execPath, built];
  const own = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version;
  return ["npx", "--yes", `btfkit@${version || own}`];
}

const folder = mkdtempSync(join(process.env.RUNNER_TEMP || tmpdir(), "btfkit-"));
const reports = {
  json: join(folder, "check.json"),
  sarif: join(folder, "check.sarif"),
  junit: join(folder, "check.xml"),
};
const table = join(folder, "check.md");

const [kernels, modules, root, expected] = [lines("KERNELS"), lines("MODULES"), input("SOURCE_ROOT"), input("EXPECT")];
const args = [
  ...["check", "--json", "--output", reports.json, "--sarif", reports.sarif, "--junit", reports.junit],
  ...["--markdown-file", table, "--engine", input("ENGINE") || "libbpf", "--progress"],
  ...(root ? ["--source-root", root] : []),
  ...(expected ? ["--expect", expected] : []),
  ...(isOn("STRICT") ? ["--strict"] : []),
  ...modules.flatMap((module) => ["--module", module]),
  ...(kernels.length > 0 ? ["--target", ...kernels] : []),
  "--",
  ...lines("OBJECTS"),
];

const [command, ...first] = program();
const { status, stderr, error } = spawnSync(command, [...first, ...args], {
  stdio: ["ignore", "inherit", "pipe"],
  encoding: "utf8",
});
process.stderr.write(stderr ?? "");

if (error || (status !== 0 && status !== 1)) {
  const why = error?.message ?? stderr.trim().split("\n").at(-1);
  say("error", { title: "btfkit" }, why);
  process.exitCode = status ?? 70;
} else {
  report();
  process.exitCode = status;
}

function report() {
  const { cells } = JSON.parse(readFileSync(reports.json, "utf8"));
  const [{ results }] = JSON.parse(readFileSync(reports.sarif, "utf8")).runs;
  const broken = cells.filter(({ verdict }) => verdict === "breaks").length;
  if (isOn("ANNOTATIONS")) for (const level of ["error", "warning"]) annotate(level, results);
  if (isOn("SUMMARY") && process.env.GITHUB_STEP_SUMMARY) {
    const text = readFileSync(table, "utf8");
    const more = "\n\nThe rest is in the reports.\n";
    const fits = text.length * 3 < SUMMARY_BYTES;
    const whole = fits ? text : `${text.slice(0, text.lastIndexOf("\n", SUMMARY_BYTES / 3))}${more}`;
    appendFileSync(process.env.GITHUB_STEP_SUMMARY, `## BPF objects on kernels\n\n${whole}\n`);
  }
  if (process.env.GITHUB_OUTPUT) {
    const outputs = Object.entries({ broken, ...reports }).map(([name, value]) => `${name}=${value}\n`);
    appendFileSync(process.env.GITHUB_OUTPUT, outputs.join(""));
  }
  console.log(`${cells.length} checks, ${broken} broken`);
}

/** The first faults of a level, at their lines; a line for those that are left. */
function annotate(level, results) {
  const all = results.filter((result) => result.level === level);
  const shown = all.length > SHOWN ? all.slice(0, SHOWN - 1) : all;
  for (const { message, locations, properties } of shown) {
    const { artifactLocation, region } = locations[0].physicalLocation;
    // What lies outside of the workspace has no page to stand on.
    const file = artifactLocation.uriBaseId === undefined ? undefined : decodeURI(artifactLocation.uri);
    say(
      level,
      {
        file: region && file,
        line: region && file && region.startLine,
        col: region && file && region.startColumn,
        title: `btfkit: ${properties.object}`,
      },
      message.text,
    );
  }
  if (shown.length < all.length)
    say(level, { title: "btfkit" }, `${all.length - shown.length} more in the summary and the reports`);
}
