// What a kernel under QEMU runs: every program of test/live/hooks.mjs, and the
// command line. Prints lines as hooks.mjs does.
import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { promisify } from "node:util";

const LIBRARY = "/node_modules/btfkit/dist/live.js";
const CLI = "/node_modules/btfkit/dist/cli/btfkit.cjs";
const GETPGID = 121;

process.argv.push(LIBRARY, "/hooks");
await import("/hooks.mjs");

const { Kernel } = await import(LIBRARY);
const kernel = await Kernel.open();
const getpgid = () => kernel.system.ffi.syscall(GETPGID, process.pid);
const btfkit = async (...args) => (await promisify(execFile)(process.execPath, [CLI, ...args])).stdout;

const commands = {
  async "btfkit run"() {
    const timer = setInterval(getpgid, 20);
    // Many: the first program sends until the second is attached, which takes a while here.
    const run = ["run", "/hooks/hooks.o", "--set", `only_pid=${process.pid}`, "--json", "--count", "60"];
    const out = await btfkit(...run, "--attach", "on_entry", "--attach", "on_kprobe");
    clearInterval(timer);
    const values = new Set(
      out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).event.value),
    );
    return `${[...values].sort((a, b) => a - b)}` === `1,${process.pid}` ? "ok" : out;
  },
  async "btfkit bpftool, btfkit ps"() {
    const app = await kernel.load("/hooks/hooks.o", { autoload: { on_entry: true } });
    app.programs.on_entry.attach();
    const programs = JSON.parse(await btfkit("bpftool", "prog", "list", "-j"));
    const links = JSON.parse(await btfkit("bpftool", "link", "list", "-j"));
    const { programs: listed } = JSON.parse(await btfkit("ps", "--json"));
    app[Symbol.dispose]();
    const { id } = programs.find(({ name, type }) => name === "on_entry" && type === "tracing");
    const hasLink = links.some((link) => link.prog_id === id && link.attach_type === "trace_fentry");
    const shown = listed.find((program) => program.id === id);
    const isHeld = shown.holders.some(({ pid }) => pid === process.pid);
    return hasLink && isHeld ? "ok" : JSON.stringify({ links, shown });
  },
};

for (const [name, command] of Object.entries(commands)) {
  const result = await command().catch((error) => `${error}`);
  console.log(JSON.stringify({ name, result }));
}

// What libbpf makes of objects, if there are any: a line each.
if (existsSync("/objects")) {
  const objects = readdirSync("/objects").map((name) => `/objects/${name}`);
  const result = (await promisify(execFile)("/bin/load-objects", objects, { maxBuffer: 1 << 24 })).stdout;
  console.log(JSON.stringify({ name: "load-objects", result }));
}

// Whatever is open.
process.exit(0);
