// The explorer as it is published, in dist/explorer: a folder for any server of
// static files, and explorer.html, the same in one file that works from disk.
import { createHash } from "node:crypto";
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { build, mergeConfig } from "vite";
import config from "./vite.config.js";

const here = import.meta.dirname;
const folder = resolve(here, "../dist/explorer");
const scratch = resolve(here, "../build/explorer-single");

await build({ ...config, configFile: false, logLevel: "warn" });
copyFileSync(
  resolve(here, "../test/data/vmlinux-6.1-cloud-amd64.btf.gz"),
  join(folder, "sample-6.1-cloud-amd64.btf.gz"),
);

writeFileSync(join(folder, "service-worker.js"), serviceWorker());

// One script, one style sheet, and a worker without parts that it would load.
const whole = { rolldownOptions: { output: { codeSplitting: false } } };
await build(
  mergeConfig(config, {
    configFile: false,
    logLevel: "warn",
    build: { outDir: scratch, cssCodeSplit: false, assetsInlineLimit: 0, ...whole },
    // Chromium starts no module from a blob of a page from disk.
    worker: { ...whole, format: "iife" },
  }),
);
writeFileSync(join(folder, "explorer.html"), single(scratch));
rmSync(scratch, { recursive: true, force: true });

/** The service worker with the list of files: all but the sample and the page that is one file. */
function serviceWorker() {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => /\.(html|js|css|svg|webmanifest)$/.test(file) && file !== "explorer.html")
    .sort();
  const hash = createHash("sha256");
  for (const file of files) hash.update(file).update(readFileSync(join(folder, file)));
  return readFileSync(resolve(here, "service-worker.js"), "utf8")
    .replace("BTFKIT_VERSION", `btfkit-${hash.digest("hex").slice(0, 12)}`)
    .replace('"BTFKIT_FILES"', ["./", ...files].map((file) => JSON.stringify(file)).join(", "));
}

/** The page of a folder with its files inside, allowed by their hashes alone. */
function single(from) {
  const assets = readdirSync(join(from, "assets"));
  const text = (test) =>
    readFileSync(
      join(
        from,
        "assets",
        assets.find((name) => test.test(name)),
      ),
      "utf8",
    );
  // No text may end the element that it stands in.
  const script = text(/^index.*\.js$/)
    .replaceAll("</script", "<\\/script")
    .replaceAll("<!--", "<\\!--");
  const worker = text(/^worker.*\.js$/)
    .replaceAll("</script", "<\\/script")
    .replaceAll("<!--", "<\\!--");
  const style = text(/\.css$/);
  const icon = `data:image/svg+xml,${encodeURIComponent(readFileSync(join(from, "icon.svg"), "utf8"))}`;
  const hash = (content) => `'sha256-${createHash("sha256").update(content).digest("base64")}'`;
  const policy = `default-src 'none'; script-src ${hash(script)} 'wasm-unsafe-eval' blob:; style-src ${hash(style)}; img-src data: blob:; worker-src blob:; connect-src https: blob:; base-uri 'none'; form-action 'none'`;
  return readFileSync(join(from, "index.html"), "utf8")
    .replace(/<script type="module".*<\/script>\n?/, "")
    .replace(/ *<link rel="stylesheet".*>\n?/, "")
    .replace(/ *<link rel="manifest".*>\n?/, "")
    .replace(/ *<meta name="sample".*>\n?/, "")
    .replace(/(http-equiv="content-security-policy" content=)"[^"]*"/i, (_, start) => `${start}"${policy}"`)
    .replace(/<link rel="icon".*>/, () => `<link rel="icon" href="${icon}">\n    <style>${style}</style>`)
    .replace(
      "</body>",
      () =>
        `  <script type="text/plain" id="worker-text">${worker}</script>\n    <script type="module">${script}</script>\n  </body>`,
    );
}
