// Every example of README.md and docs/ runs as it is written, against the
// built package, in a folder that has the files which the examples name. What
// stands behind `//` after a console.log is what it has to print, lines parted
// by " | ". A comment before a block says what it needs, or why it is not run.
import { execFileSync, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { beforeAll, describe, expect, test } from "vitest";
import { type Need, needing } from "../support/needs.js";
import { promised } from "../support/promised.js";
import { layOutSamples, SAMPLE } from "../support/samples.js";

/** docs/api.md is made of docstrings, whose examples test/docs/examples.test.ts runs. */
const DOCUMENTS = [
  "README.md",
  "CONTRIBUTING.md",
  ...["docs", "docs/cookbook"].flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => file.endsWith(".md") && file !== "api.md")
      .map((file) => `${folder}/${file}`),
  ),
];
const FOLDER = "build/readme";

interface Example {
  readonly name: string;
  readonly language: string;
  readonly code: string;
  readonly needs: readonly Need[];
  /** Why it is not run. */
  readonly not: string | undefined;
}

function examplesOf(file: string): Example[] {
  const text = readFileSync(file, "utf8");
  const found = text.matchAll(/(?:^<!-- (needs|not run): (.*) -->\n)?^```(ts|js|sh|html)\n([\s\S]*?)^```$/gm);
  return Array.from(found, ({ 1: rule, 2: told = "", 3: language = "", 4: code = "", index }) => ({
    name: `${file}:${text.slice(0, index).split("\n").length}: ${code.trim().split("\n").at(-1)}`,
    language,
    code,
    needs: rule === "needs" ? (told.split(", ") as Need[]) : [],
    not: rule === "not run" ? told : undefined,
  }));
}

beforeAll(() => {
  layOutSamples(FOLDER);
  mkdirSync(`${FOLDER}/bin`);
  symlinkSync(resolve("dist/cli/btfkit.cjs"), `${FOLDER}/bin/btfkit`);
});

const environment = { ...process.env, PATH: `${resolve(FOLDER, "bin")}:${process.env["PATH"]}` };
const inFolder = { cwd: FOLDER, env: environment, maxBuffer: 1 << 30, encoding: "utf8" } as const;

/** Compiles as a strict project would, and runs. */
function runLibrary({ language, code }: Example, number: number): void {
  const file = `example-${number}`;
  writeFileSync(`${FOLDER}/${file}.${language === "ts" ? "mts" : "mjs"}`, code);
  if (language === "ts") {
    const options = ["--ignoreConfig", "--strict", "--module", "nodenext", "--target", "es2022", "--types", "node"];
    const libraries = ["--lib", "es2023,esnext.disposable,dom,dom.iterable,dom.asynciterable", "--skipLibCheck"];
    execFileSync(resolve("node_modules/.bin/tsc"), [...options, ...libraries, `${file}.mts`], inFolder);
  }
  const out = execFileSync(process.execPath, [`${file}.mjs`], inFolder);
  expect(out.trimEnd().split("\n")).toEqual(promised(code));
}

/** Every command ends well and says something, but `diff` and what writes a file. */
function runShell({ code, needs }: Example): void {
  const shell = needs.includes("bash") ? "bash" : "sh";
  const commands = code.replace(/\s+#.*$/gm, "").trim();
  for (const command of commands.split("\n")) {
    const out = execFileSync(shell, ["-ec", command], inFolder);
    expect([command, out !== ""]).toEqual([command, !/^(diff|source)| -o /.test(command)]);
  }
}

const browser = ["chromium", "chromium-browser", "google-chrome"]
  .flatMap((name) => (process.env["PATH"] ?? "").split(":").map((folder) => `${folder}/${name}`))
  .find(existsSync);

/** Sends the page's text, once there is some, or what went wrong. */
const WATCH = `<script>
  const tell = (text) => fetch("/told", { method: "POST", body: text });
  new MutationObserver(() => document.body.innerText && tell(document.body.innerText)).observe(document.body, {
    childList: true,
  });
  addEventListener("error", ({ message }) => tell(message));
  addEventListener("unhandledrejection", ({ reason }) => tell(String(reason)));
</script>`;

/** Shows the page in a browser, served with nothing but the files it names, and returns its text. */
async function runPage({ code }: Example): Promise<string> {
  const asked: string[] = [];
  const server = createServer();
  const told = new Promise<string>((done) => {
    server.on("request", (request, response) => {
      const { url = "/" } = request;
      asked.push(url);
      const policy = {
        "content-type": "text/html",
        "content-security-policy": "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'",
      };
      const file = /^\/btfkit\/(index\.js|chunks\/[\w-]+\.js)$/.exec(url)?.[1];
      if (url === "/") response.writeHead(200, policy).end(`${code}\n<body>${WATCH}`);
      else if (file) response.writeHead(200, { "content-type": "text/javascript" }).end(readFileSync(`dist/${file}`));
      else if (url === "/vmlinux.btf.gz") response.end(readFileSync(SAMPLE));
      else if (url === "/told") {
        response.end();
        text(request).then(done);
      } else response.writeHead(404).end();
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const profile = mkdtempSync(join(tmpdir(), "btfkit-page-"));
  const flags = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    `--user-data-dir=${profile}`,
    address,
  ];
  // A group of its own: a browser's helpers write to the profile until they end with it.
  const child = spawn(browser!, flags, { stdio: "ignore", detached: true });
  const ended = new Promise<void>((done) => child.on("close", () => done()));
  try {
    const shown = await Promise.race([told, ended.then(() => "the browser ended")]);
    expect(asked.filter((url) => url.startsWith("/btfkit/"))).toEqual(
      ["index.js", "chunks/core.js", "chunks/kernel-wasm.js"].map((file) => `/btfkit/${file}`),
    );
    return shown;
  } finally {
    try {
      process.kill(-child.pid!, "SIGKILL");
    } catch {
      // It ended by itself.
    }
    await ended;
    server.close();
    server.closeAllConnections();
    rmSync(profile, { recursive: true, force: true, maxRetries: 20 });
  }
}

let number = 0;
for (const document of DOCUMENTS.filter(existsSync)) {
  const examples = examplesOf(document);
  if (examples.length === 0) continue;
  describe(document, () => {
    for (const example of examples) {
      const { name, language, needs, not } = example;
      // Some cannot run here, such as what installs from a registry: each says why.
      if (not !== undefined) test(`${name} says why it is not run`, () => expect(not).toMatch(/\w+ \w+/));
      else if (language === "html") {
        test.skipIf(!browser && !process.env["CI"])(browser ? name : `${name} (skipped: needs Chromium)`, async () => {
          expect(await runPage(example)).toContain("[95] STRUCT 'list_head' size=16 vlen=2");
        });
      } else if (language === "sh") needing(...needs)(name, () => runShell(example));
      else {
        const mine = number++;
        needing(...needs)(name, () => runLibrary(example, mine));
      }
    }
  });
}

test("what npm start runs shows the kernel", () => {
  const out = execFileSync(process.execPath, ["examples/first-look.mjs", SAMPLE], { encoding: "utf8" });
  expect(out).toMatch(/95068 types/);
  expect(out).toMatch(/struct task_struct \{ {2}\/\* 9728 bytes, 244 members \*\//);
});

test("links lead somewhere", () => {
  for (const document of [...DOCUMENTS, "CHANGELOG.md", "docs/api.md", "bench/README.md", "bench/figures.md"].filter(
    existsSync,
  )) {
    const folder = resolve(document, "..");
    for (const [, target = ""] of readFileSync(document, "utf8").matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
      expect([document, target, existsSync(resolve(folder, target))]).toEqual([document, target, true]);
    }
  }
});
