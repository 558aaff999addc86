/** The packed executable, in each runtime that runs executables. */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { bun, deno } from "./hosts.js";
import { output } from "./process.js";
import { check } from "./report.js";

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

function equal(actual, expected, what) {
  if (actual !== expected) throw new Error(`${what}: expected ${expected}, got ${actual}`);
}

/** @param command the program and its first arguments, that of the executable the last */
export async function testCommandLine(command, { folder, print }) {
  const data = "data/vmlinux-6.1-cloud-amd64";
  const file = `${data}.btf.gz`;
  const golden = JSON.parse(readFileSync(join(folder, `${data}.json`), "utf8"));
  const { version } = JSON.parse(readFileSync(join(folder, "node_modules/btfkit/package.json"), "utf8"));
  const own = mkdtempSync(join(folder, "command-line-"));
  const btfkit = (args, options) => output([...command, ...args], { cwd: folder, ...options });
  const test = (name, body) => check(print, name, body);

  /** Runs a command that ends with `code`, silent on standard error if that is 0. */
  const ends = async (code, args, options) => {
    const result = await btfkit(args, options);
    equal(result.code, code, `exit code (${result.stderr.trim() || "nothing on standard error"})`);
    if (code === 0) equal(result.stderr, "", "standard error");
    else if (code > 1)
      equal(/^btfkit: [^\n]+\n$/.test(result.stderr), true, `one line on standard error, got ${result.stderr}`);
    return result.stdout;
  };
  const isDump = (bytes, format) => {
    equal(bytes.length, golden.dumps[format].byteLength, "length");
    equal(sha256(bytes), golden.dumps[format].sha256, "sha256");
  };

  await test("--version", async () => equal((await ends(0, ["--version"])).toString(), `${version}\n`, "version"));
  await test("--help", async () => equal(/dump.*stat.*find/s.test(await ends(0, ["--help"])), true, "commands"));
  await test("dump", async () => isDump(await ends(0, ["dump", file]), "raw"));
  await test("dump -f json", async () => isDump(await ends(0, ["dump", "-f", "json", file]), "json"));
  await test("dump -o", async () => {
    const path = join(own, "dump.txt");
    await ends(0, ["dump", file, "-o", path]);
    isDump(readFileSync(path), "raw");
  });
  await test("dump of standard input", async () => {
    isDump(await ends(0, ["dump", "-"], { input: gunzipSync(readFileSync(join(folder, file))) }), "raw");
  });
  await test("dump into a pipe that closes", async () => {
    await ends(0, ["dump", file], { leave: true });
  });
  await test("dump -t", async () => {
    const text = await ends(0, ["dump", file, "-t", "struct:list_head", "-t", "1"]);
    equal(
      /^\[\d+\] STRUCT 'list_head' size=16 vlen=2\n\t'next' .*\n\t'prev' .*\n\[1\] /.test(text),
      true,
      `types, got ${text}`,
    );
  });
  await test("stat --json", async () => {
    const facts = JSON.parse(await ends(0, ["stat", "--json", file]));
    equal(facts.bytes, golden.byteLength, "bytes");
    equal(facts.types, golden.types, "types");
    for (const { kind, count } of facts.kinds) equal(count, golden.kinds[kind], kind);
  });
  await test("stat", async () => equal(/little endian/.test(await ends(0, ["stat", file])), true, "byte order"));
  await test("find", async () => {
    const text = (await ends(0, ["find", "/^task_struct$/", file, "-k", "struct"])).toString();
    equal(/^\[\d+\] STRUCT 'task_struct' size=\d+\n$/.test(text), true, `one line, got ${text}`);
    const found = JSON.parse(await ends(0, ["find", "^tcp_", file, "--json"]));
    equal(found.length > 10 && found.every(({ name }) => name.startsWith("tcp_")), true, "names");
  });
  await test("dump -f c", async () => {
    const header = (await ends(0, ["dump", "-f", "c", file, "-t", "struct:list_head"])).toString();
    equal(/^#ifndef __VMLINUX_H__\n[\s\S]*struct list_head \{\n\tstruct list_head \*next;/.test(header), true, header);
  });
  await test("verify --json", async () => {
    const [{ ok, findings }] = JSON.parse(await ends(0, ["verify", "--json", file]));
    equal(ok && findings.length === 0, true, "a kernel loads it");
  });
  await test("convert there and back", async () => {
    const [big, little] = ["big.btf", "little.btf"].map((name) => join(own, name));
    await ends(0, ["convert", "--endian", "big", file, "-o", big]);
    isDump(await ends(0, ["dump", big]), "raw");
    await ends(0, ["convert", "--endian", "little", big, "-o", little]);
    equal(sha256(readFileSync(little)), sha256(gunzipSync(readFileSync(join(folder, file)))), "the bytes");
  });
  await test("dedup", async () => {
    const path = join(own, "dedup.btf");
    await ends(0, ["dedup", file, "-o", path]);
    equal(JSON.parse(await ends(0, ["stat", "--json", path])).types, golden.types, "types of a kernel, deduplicated");
  });
  await test("sanitize, and what an older kernel says", async () => {
    const path = join(own, "sanitized.btf");
    await ends(0, ["sanitize", "--kernel", "5.4", file, "-o", path]);
    await ends(0, ["verify", "--kernel", "5.4", path]);
  });
  await test("not a BPF object", async () => ends(3, ["relocate", file, "-o", join(own, "out.o")]));
  await test("complete", async () => {
    equal(/btfkit/.test(await ends(0, ["complete", "bash"])), true, "a script");
  });
  await test("the answer no", async () => equal((await ends(1, ["find", "no_such_name", file])).length, 0, "output"));
  await test("wrong usage", async () => ends(2, ["dump", "--no-such-option"]).then(() => ends(2, ["dmup", file])));
  await test("bad input", async () => ends(3, ["dump", "missing.btf"]).then(() => ends(3, ["dump", "package.json"])));
}

/** What people type to start it where the package, or its tarball alone, is at hand. */
export async function testStarters({ folder, tarball, print }) {
  const { version } = JSON.parse(readFileSync(join(folder, "node_modules/btfkit/package.json"), "utf8"));
  const elsewhere = join(folder, "elsewhere");
  mkdirSync(elsewhere);
  const starters = {
    "npx btfkit": [folder, "npx", "--offline", "btfkit"],
    "npx, from the tarball": [elsewhere, "npx", "--offline", "--yes", `--package=${tarball}`, "btfkit"],
    "bunx btfkit": bun.executable && [folder, bun.executable, "x", "btfkit"],
    "deno run npm:btfkit": deno.executable && [folder, deno.executable, "run", "-A", "--no-lock", "npm:btfkit"],
  };
  for (const [name, starter] of Object.entries(starters)) {
    if (!starter) continue;
    const [cwd, ...command] = starter;
    await check(print, name, async () => {
      const { code, stdout, stderr } = await output([...command, "--version"], { cwd });
      equal(`${code} ${stdout}`, `0 ${version}\n`, `version (${stderr.trim()})`);
    });
  }
}
