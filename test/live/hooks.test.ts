// Programs of every kind on the running kernel, in every runtime: the results
// are the same, and what is refused is what the kernel refuses.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { commandHosts, environment } from "../runtimes/hosts.js";
import { compileHooks, resultsOf } from "../support/hooks.js";
import { lacking, needing } from "../support/needs.js";

const NEEDS = ["bpf(2)", "tracefs", "clang-19", "gcc and libbpf-dev"] as const;
/** What a kernel may lack or forbid. */
const REFUSED = /EPERM|EOPNOTSUPP|CONFIG_KPROBES|EINVAL|no func "(bpf_lsm_task_getpgid|veth_open)"/;
/** What every kernel from 5.15 on has. */
const EVERYWHERE = ["tracepoint", "raw_tp", "tp_btf", "uprobe", "uretprobe", "perf_event", "xdp", "iter", "struct_ops"];

const folder = mkdtempSync(join(tmpdir(), "btfkit-hooks-"));
let first: Map<string, string> | undefined;
beforeAll(() => {
  if (lacking(...NEEDS).length === 0) compileHooks(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

for (const host of commandHosts) {
  needing(...NEEDS)(`in ${host.name}`, () => {
    if (host.missing) {
      if (process.env["CI"]) throw new Error(host.missing);
      return;
    }
    const [program = "", ...args] = host.command(resolve("test/live/hooks.mjs"));
    const { stdout, stderr } = spawnSync(program, [...args, resolve("dist/live.js"), folder], {
      encoding: "utf8",
      env: environment,
      timeout: 60_000,
    });
    const results = resultsOf(stdout);
    expect(results.size, stderr).toBeGreaterThan(20);
    for (const [name, result] of results) {
      if (!/^(ok|one link|perf events)$/.test(result)) expect(`${name}: ${result}`).toMatch(REFUSED);
    }
    for (const name of EVERYWHERE) expect([name, results.get(name)]).toEqual([name, "ok"]);
    first ??= results;
    expect(results).toEqual(first);
  });
}
