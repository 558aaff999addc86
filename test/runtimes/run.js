/**
 * Runs the packed package in every runtime: the API suite, files, the command
 * line, and bundles of it; compiles against its declarations. `--verbose`
 * prints each test. A runtime that is not installed is skipped; with CI=true
 * that is a failure. The numbers go to build/runtimes.json.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSingleFile, makeApp } from "./app.js";
import { openBrowser } from "./browser.js";
import { checkSizes, makeBundles, makePages, missingBundlers, withViteServer } from "./bundles.js";
import { testCommandLine, testStarters } from "./command-line.js";
import { checkDeclarations, checkExports, checkJsr } from "./declarations.js";
import { chromium, commandHosts, deno } from "./hosts.js";
import { runGuest } from "./process.js";
import { Report } from "./report.js";

const report = new Report({ strict: process.env.CI === "true", verbose: process.argv.includes("--verbose") });
const { folder, tarball, remove } = makeApp();
let sizes = {};
try {
  await report.target("declarations", (print) => checkDeclarations(folder, print));
  await report.target("exports", (print) => checkExports({ folder, tarball }, print));

  let bundles = {};
  let pages = {};
  for (const { name, missing } of missingBundlers) report.skip(`${name} bundles`, missing);
  await report.target("bundles", async (print) => {
    bundles = await makeBundles(folder, print);
    pages = await makePages(folder, print);
  });
  await report.target("sizes of bundles", async (print) => {
    sizes = await checkSizes(folder, print);
  });

  if (deno.missing) report.skip("JSR", deno.missing);
  else await report.target("JSR", checkJsr);

  for (const host of commandHosts) {
    const { name, version, missing, command, confinedCommand } = host;
    if (missing) {
      report.skip(name, missing);
      continue;
    }
    const title = `${name} ${version}`;
    const cwd = folder;
    // The library itself needs no permission.
    await report.target(`${title}: suite`, (print) =>
      runGuest([...confinedCommand("guest/start.js"), "suite"], { cwd, print }),
    );
    const guest =
      (...args) =>
      (print) =>
        runGuest([...command("guest/start.js"), ...args], { cwd, print });
    await report.target(`${title}: files`, guest("files"));
    await report.target(`${title}: command line`, (print) =>
      testCommandLine(command("node_modules/btfkit/dist/cli/btfkit.cjs"), { folder, print }),
    );
    for (const [bundler, path] of Object.entries(bundles)) {
      await report.target(`${title}: ${bundler} bundle`, guest("bundle", path));
    }
  }
  await report.target("npx, bunx, deno run", (print) => testStarters({ folder, tarball, print }));
  await report.target("single file: command line", (print) => {
    const file = buildSingleFile();
    return testCommandLine([process.execPath, file], { folder, print });
  });
  await report.target("installed executable: command line", (print) =>
    testCommandLine([join(folder, "node_modules/.bin/btfkit")], { folder, print }),
  );

  if (chromium.missing) report.skip("chromium", chromium.missing);
  else {
    const title = `chromium ${chromium.version}`;
    const browser = await openBrowser(chromium.executable, folder);
    try {
      await report.target(`${title}: suite`, (print) => browser.run("suite", "", print));
      for (const [bundler, path] of Object.entries(bundles)) {
        await report.target(`${title}: ${bundler} bundle`, (print) => browser.run("bundle", path, print));
      }
      for (const [bundler, settings] of Object.entries(pages)) {
        await report.target(`${title}: ${bundler} page`, (print) => browser.run("bundle", "", print, settings));
      }
      await report.target(`${title}: vite in development`, (print) =>
        withViteServer(folder, (address) => browser.runAt(address, "bundle", "", print)),
      );
    } finally {
      await browser.close();
    }
  }
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
