/** workerd, which Cloudflare Workers run in: bundled as its own tools do, WebAssembly as files beside the program. */
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { runGuest } from "./process.js";

/** What its tools resolve with. */
const CONDITIONS = ["workerd", "worker", "browser"];

const FILES = [
  "data/vmlinux-6.1-cloud-amd64.btf.gz",
  "data/vmlinux-6.1-cloud-amd64.json",
  "node_modules/btfkit/dist/kernel.wasm",
];

/** @param conditions false for a bundler that knows nothing of workerd */
export async function runInWorkerd({ executable }, folder, guest, print, { argument = "", conditions = true } = {}) {
  const name = `workerd-${guest}`;
  const out = join(folder, "bundles", name);
  const { warnings } = await build({
    entryPoints: { app: join(folder, "guest/start-workerd.js") },
    alias: { GUEST: join(folder, `guest/${guest}.js`) },
    bundle: true,
    format: "esm",
    outdir: out,
    ...(conditions && { conditions: CONDITIONS }),
    loader: { ".wasm": "copy" },
    assetNames: "[name]",
    logLevel: "silent",
  });
  if (warnings.length > 0) throw new Error(warnings.map(({ text }) => text).join("\n"));
  const modules = readdirSync(out).map((file) =>
    file.endsWith(".js")
      ? `(name = "${file}", esModule = embed "${name}/${file}")`
      : `(name = "${file}", wasm = embed "${name}/${file}")`,
  );
  const bindings = FILES.map((file) => `(name = "${file}", data = embed "../${file}")`);
  writeFileSync(
    join(folder, `bundles/${name}.capnp`),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "main", worker = (
  compatibilityDate = "2025-01-01",
  modules = [${modules.join(", ")}],
  bindings = [(name = "argument", text = "${argument}"), ${bindings.join(", ")}],
))]);
`,
  );
  await runGuest([executable, "test", `bundles/${name}.capnp`], { cwd: folder, print });
}
