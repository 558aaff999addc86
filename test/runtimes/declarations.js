/** The package's declarations and `exports`, as strict TypeScript projects and those who check packages see them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { deno } from "./hosts.js";
import { output } from "./process.js";
import { check } from "./report.js";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The oldest TypeScript that knows all that the declarations say (`Uint8Array<ArrayBuffer>`), and ours. */
const COMPILERS = {
  oldest: [process.execPath, here("node_modules/typescript-oldest/lib/tsc.js")],
  newest: [here("../../node_modules/.bin/tsc"), "--ignoreConfig"],
};

/** How projects find modules: as Node does, and as bundlers do. */
const RESOLUTIONS = { nodenext: "nodenext", bundler: "esnext" };

/** Whose globals a project knows: a page's, or Node's alone. */
const HOSTS = {
  dom: { lib: "es2022,dom,dom.asynciterable", typeRoots: "none" },
  node: { lib: "es2022", types: "node", typeRoots: here("../../node_modules/@types") },
};

const versionOf = async (compiler) => (await output([...compiler, "--version"])).stdout.toString().trim();

/** Each project checks the declarations themselves too (`skipLibCheck` is off). */
async function compile(compiler, cwd, options, files) {
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const { code, stdout } = await output([...compiler, "--noEmit", "--strict", ...flags, ...files], { cwd });
  if (code !== 0) throw new Error(stdout.toString());
}

export async function checkDeclarations(folder, print) {
  for (const compiler of Object.values(COMPILERS)) {
    const version = await versionOf(compiler);
    for (const [moduleResolution, module] of Object.entries(RESOLUTIONS)) {
      for (const [host, globals] of Object.entries(HOSTS)) {
        const name = `declarations compile: TypeScript ${version}, moduleResolution ${moduleResolution}, ${host}`;
        await check(print, name, () => {
          const options = { target: "es2022", module, moduleResolution, ...globals };
          return compile(compiler, folder, options, ["guest/types.ts"]);
        });
      }
    }
  }
}

/** What publint and Are the Types Wrong say of the tarball. */
export async function checkExports({ folder, tarball }, print) {
  const tool = (name, args) => output([here(`node_modules/.bin/${name}`), ...args], { cwd: folder });
  await check(print, "publint has nothing to say", async () => {
    const { code, stdout, stderr } = await tool("publint", ["run", tarball, "--strict"]);
    if (code !== 0 || !/All good/.test(stdout)) throw new Error(stdout + stderr);
  });
  await check(print, "types and code of each entry belong together", async () => {
    const { exports } = JSON.parse(readFileSync(join(folder, "node_modules/btfkit/package.json"), "utf8"));
    const entries = Object.keys(exports).filter((name) => exports[name].types);
    // Modules only, by `exports` only.
    const { code, stdout } = await tool("attw", [tarball, "--profile", "esm-only", "--entrypoints", ...entries]);
    if (code !== 0) throw new Error(stdout.toString());
  });
}

/** Whether JSR would take the package: its checks, of declarations too, without publishing. */
export async function checkJsr(print) {
  await check(print, "JSR takes it", async () => {
    const root = here("../../");
    const made = await output([process.execPath, "scripts/build/make.mjs", "jsr"], { cwd: root });
    if (made.code !== 0) throw new Error(made.stderr);
    const publish = [deno.executable, "publish", "--dry-run", "--allow-dirty"];
    const { code, stderr } = await output(publish, { cwd: join(root, "build/jsr") });
    if (code !== 0 || /warning/i.test(stderr)) throw new Error(stderr);
  });
}
