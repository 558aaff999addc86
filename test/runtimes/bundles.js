/** Bundles of applications, made by bundlers with their default settings, and what they take. */
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { nodeResolve } from "@rollup/plugin-node-resolve";
import terser from "@rollup/plugin-terser";
import { build as esbuild } from "esbuild";
import { rollup } from "rollup";
import * as vite from "vite";
import webpack from "webpack";
import { APPLICATIONS, UNUSED } from "../../scripts/check/budgets.mjs";
import { closure, overTheWire } from "../../scripts/check/closure.mjs";
import { bun, deno } from "./hosts.js";
import { output } from "./process.js";
import { check } from "./report.js";

/** What Deno says in any case. */
const CHATTER = /^(⚠️ *deno bundle is experimental|Download |Bundled \d| +\S+\.js |$)/;

/** Runs a bundler that is a program: what it says on standard error are its warnings. */
async function byProgram(command, cwd) {
  const { code, stderr } = await output(command, { cwd });
  if (code !== 0) throw new Error(stderr);
  return stderr.split("\n").filter((line) => !CHATTER.test(line));
}

/** Vite's settings are its own; what it has to say goes to `warnings`. */
function viteSettings(root, warnings) {
  const warn = (text) => warnings.push(text);
  return {
    root,
    configFile: false,
    logLevel: "warn",
    customLogger: { ...vite.createLogger("silent"), warn, warnOnce: warn, error: warn },
  };
}

/**
 * Bundlers by name: each writes the bundle of `input` into `folder` and returns
 * its warnings. For production they are told, where they have to be, to minify
 * and to make a file of its own of what is loaded on demand.
 */
const BUNDLERS = {
  async rollup(input, folder, { production } = {}) {
    const warnings = [];
    const onwarn = ({ code, message }) => code === "EMPTY_BUNDLE" || warnings.push(message);
    const bundle = await rollup({ input, plugins: [nodeResolve()], onwarn });
    // It has no minifier of its own.
    const plugins = production ? [terser({ module: true })] : [];
    await bundle.write({ dir: folder, format: "es", plugins });
    await bundle.close();
    return warnings;
  },
  async esbuild(input, folder, { production } = {}) {
    const settings = { bundle: true, format: "esm", logLevel: "silent", minify: production, splitting: production };
    const { warnings } = await esbuild({ entryPoints: [input], outdir: folder, ...settings });
    return warnings.map(({ text }) => text);
  },
  async webpack(input, folder) {
    const settings = {
      mode: "production",
      context: folder,
      entry: input,
      output: { path: folder, filename: basename(input) },
    };
    const stats = await promisify(webpack)(settings);
    const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true });
    return [...errors, ...warnings].map(({ message }) => message);
  },
  async vite(input, folder) {
    const warnings = [];
    const rolldownOptions = { input, output: { entryFileNames: "[name].js" } };
    const build = { outDir: folder, emptyOutDir: false, rolldownOptions };
    await vite.build({ ...viteSettings(dirname(input), warnings), build });
    return warnings;
  },
  bun(input, folder, { production } = {}) {
    const settings = production ? ["--minify", "--splitting"] : [];
    return byProgram([bun.executable, "build", input, "--outdir", folder, ...settings], folder);
  },
  deno(input, folder, { production } = {}) {
    const settings = production ? ["--minify", "--code-splitting"] : [];
    return byProgram([deno.executable, "bundle", "--no-lock", input, "--outdir", folder, ...settings], folder);
  },
};

/** Those that make of a module a module, which runs where modules run. The others make files for pages. */
const OF_MODULES = ["rollup", "esbuild", "bun", "deno"];

/** Bundlers that are programs of runtimes which this machine may lack, with the reason. */
export const missingBundlers = [bun, deno].filter(({ missing }) => missing);

const isMissing = (name) => missingBundlers.some((host) => host.name === name);
const present = Object.keys(BUNDLERS).filter((name) => !isMissing(name));

function folderFor(...path) {
  const folder = join(...path);
  mkdirSync(folder, { recursive: true });
  return folder;
}

async function bundle(name, input, folder, settings) {
  const warnings = await BUNDLERS[name](input, folder, settings);
  if (warnings.length > 0) throw new Error(warnings.join("\n"));
}

/** Bundles the module `guest/app.js`; returns the paths of the bundles below the application's folder, by bundler. */
export async function makeBundles(folder, print) {
  const paths = {};
  for (const name of present.filter((one) => OF_MODULES.includes(one))) {
    await check(print, `${name} bundles without warnings`, async () => {
      await bundle(name, join(folder, "guest/app.js"), folderFor(folder, "bundles", name));
      paths[name] = `bundles/${name}/app.js`;
    });
  }
  return paths;
}

/** The suite for a service worker, which may import nothing later on: in one file. */
export async function bundleWorker(folder, print) {
  await check(print, "esbuild bundles a worker without warnings", () =>
    bundle("esbuild", join(folder, "guest/start-worker.js"), folderFor(folder, "bundles/worker")),
  );
}

/** Bundles for a page: webpack a script, Vite a whole site (`index.html`) into the folder `dist`. */
export async function makePages(folder, print) {
  const pages = {};
  await check(print, "webpack bundles without warnings", async () => {
    await bundle("webpack", join(folder, "guest/page.js"), folderFor(folder, "bundles/webpack"));
    pages.webpack = { script: "/bundles/webpack/page.js" };
  });
  await check(print, "vite builds without warnings", async () => {
    const warnings = [];
    await vite.build(viteSettings(folder, warnings));
    if (warnings.length > 0) throw new Error(warnings.join("\n"));
    pages.vite = { site: join(folder, "dist") };
  });
  return pages;
}

/** Runs `use` with the address of Vite's development server, which may not warn meanwhile. */
export async function withViteServer(folder, use) {
  const warnings = [];
  const server = await vite.createServer(viteSettings(folder, warnings));
  try {
    await server.listen();
    await use(server.resolvedUrls.local[0]);
  } finally {
    await server.close();
  }
  if (warnings.length > 0) throw new Error(warnings.join("\n"));
}

/**
 * What applications take, with every bundler: none passes the budget, and what
 * is imported and not used leaves no trace.
 *
 * @returns bytes by bundler and application: over the wire where the budget is for that
 */
export async function checkSizes(folder, print) {
  const later = 'globalThis.later = () => import("./empty.js");\n';
  const codes = { ...APPLICATIONS, unused: { code: UNUSED }, empty: { code: "" }, later: { code: later } };
  const sources = folderFor(folder, "sizes");
  for (const [application, { code }] of Object.entries(codes)) writeFileSync(join(sources, `${application}.js`), code);
  const sizes = {};
  for (const name of present) {
    const made = async (application) => {
      const to = folderFor(folder, "bundles", name, application);
      await bundle(name, join(sources, `${application}.js`), to, { production: true });
      return join(to, `${application}.js`);
    };
    const sizeOf = async (application) => statSync(await made(application)).size;
    // webpack adds its loader of what is loaded on demand, used or not.
    const own = name === "webpack" ? await sizeOf("later") : 0;
    const of = {};
    sizes[name] = of;
    for (const [application, { does, brotli, bytes }] of Object.entries(APPLICATIONS)) {
      const [limit, unit] = brotli ? [brotli, "bytes of brotli"] : [bytes, "bytes"];
      await check(print, `${name}: ${does} stays below ${limit} ${unit}`, async () => {
        of[application] = brotli ? overTheWire(closure(await made(application))) : (await sizeOf(application)) - own;
        if (of[application] >= limit) throw new Error(`${of[application]} ${unit}`);
      });
    }
    await check(print, `${name} leaves out what is imported and not used`, async () => {
      const [unused, empty] = [await sizeOf("unused"), await sizeOf("empty")];
      if (unused > empty) throw new Error(`${unused} bytes, of an empty file ${empty}`);
    });
    print(
      `${name}: ${Object.entries(of)
        .map(([application, size]) => `${application} ${size}`)
        .join(", ")}`,
    );
  }
  return sizes;
}
