/**
 * Runs the packed package in every runtime: the API suite, with WebAssembly and
 * without, files, the command line, and bundles of it; compiles against its
 * declarations. `--verbose` prints each test. A runtime that is not installed
 * is skipped; with CI=true that is a failure. The numbers go to
 * build/runtimes.json.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSingleFile, makeApp } from "./app.js";
import { openBrowser } from "./browser.js";
import { bundleWorker, checkSizes, makeBundles, makePages, missingBundlers, withViteServer } from "./bundles.js";
import { testCommandLine, testStarters } from "./command-line.js";
import { checkDeclarations, checkExports, checkJsr } from "./declarations.js";
import { browsers, commandHosts, deno, workerd } from "./hosts.js";
import { runGuest } from "./process.js";
import { Report } from "./report.js";
import { runInWorkerd } from "./workerd.js";

const EXECUTABLE = "node_modules/btfkit/dist/cli/btfkit.cjs";

const report = new Report({ strict: process.env.CI === "true", verbose: process.argv.includes("--verbose") });
const { folder, tarball, remove } = makeApp();
const cwd = folder;
let bundles = {};
let pages = {};
let sizes = {};

/** A runtime that has files and processes. */
async function inCommandHost({ title, command, confinedCommand }) {
  const guest = (start, ...args) => [`${title}: ${args.join(" ")}`, start, args];
  const targets = [
    // The library itself needs no permission.
    guest(confinedCommand, "suite"),
    guest(confinedCommand, "suite-js"),
    guest(confinedCommand, "image"),
    guest(command, "files"),
    ...Object.values(bundles).map((path) => guest(command, "bundle", path)),
  ];
  for (const [name, start, args] of targets) {
    await report.target(name, (print) => runGuest([...start("guest/start.js"), ...args], { cwd, print }));
  }
  await report.target(`${title}: command line`, (print) => testCommandLine(command(EXECUTABLE), { folder, print }));
}

async function inBrowser(host) {
  const { title } = host;
  const browser = await openBrowser(host, folder);
  try {
    await report.target(`${title}: suite`, (print) => browser.run("suite", print));
    for (const worker of ["dedicated", "shared", "service"]) {
      await report.target(`${title}: suite in a ${worker} worker`, (print) => browser.run("suite", print, { worker }));
    }
    await report.target(`${title}: images`, (print) => browser.run("image", print));
    const policy = "strict";
    await report.target(`${title}, no WebAssembly allowed: suite-js`, (print) =>
      browser.run("suite-js", print, { policy }),
    );
    await report.target(`${title}, no WebAssembly allowed: refused`, (print) =>
      browser.run("refused", print, { policy }),
    );
    for (const path of Object.values(bundles)) {
      await report.target(`${title}: bundle ${path}`, (print) => browser.run("bundle", print, { argument: path }));
    }
    for (const [bundler, settings] of Object.entries(pages)) {
      await report.target(`${title}: ${bundler} page`, (print) => browser.run("bundle", print, settings));
    }
    await report.target(`${title}: vite in development`, (print) =>
      withViteServer(folder, (address) => browser.runAt(address, "bundle", print)),
    );
  } finally {
    await browser.close();
  }
}

async function inWorkerd(host) {
  const { title } = host;
  await report.target(`${title}: suite`, (print) => runInWorkerd(host, folder, "suite", print, { argument: "ahead" }));
  await report.target(`${title}: suite-js`, (print) => runInWorkerd(host, folder, "suite-js", print));
  await report.target(`${title}, bundled for another host: refused`, (print) =>
    runInWorkerd(host, folder, "refused", print, { conditions: false }),
  );
}

/** A task for each host that is installed. */
function inHosts(hosts, run) {
  for (const { name, missing } of hosts) if (missing) report.skip(name, missing);
  return hosts.filter(({ missing }) => !missing).map((host) => () => run(host));
}

/** Runs tasks, as many side by side as there are processors. */
async function runAll(tasks) {
  const waiting = [...tasks];
  const worker = async () => {
    for (let task = waiting.shift(); task; task = waiting.shift()) await task();
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

try {
  for (const { name, missing } of missingBundlers) report.skip(`${name} bundles`, missing);
  await report.target("bundles", async (print) => {
    bundles = await makeBundles(folder, print);
    pages = await makePages(folder, print);
    await bundleWorker(folder, print);
  });
  await runAll([
    ...inHosts(browsers, inBrowser),
    ...inHosts(commandHosts, inCommandHost),
    ...inHosts([workerd], inWorkerd),
    () =>
      report.target("installed executable: command line", (print) =>
        testCommandLine([join(folder, "node_modules/.bin/btfkit")], { folder, print }),
      ),
    () => report.target("npx, bunx, deno run", (print) => testStarters({ folder, tarball, print })),
    () =>
      report.target("single file: command line", (print) =>
        testCommandLine([process.execPath, buildSingleFile()], { folder, print }),
      ),
    () => report.target("declarations", (print) => checkDeclarations(folder, print)),
    () => report.target("exports", (print) => checkExports({ folder, tarball }, print)),
    ...inHosts([deno], () => report.target("JSR", checkJsr)),
    () =>
      report.target("sizes of bundles", async (print) => {
        sizes = await checkSizes(folder, print);
      }),
  ]);
} finally {
  remove();
}

const { passed, failed } = report.totals;
const build = fileURLToPath(new URL("../../build/", import.meta.url));
mkdirSync(build, { recursive: true });
writeFileSync(
  join(build, "runtimes.json"),
  `${JSON.stringify({ passed, failed, targets: report.targets, sizes }, null, 2)}\n`,
);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
