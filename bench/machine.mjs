/** Facts that figures depend on. */
import { arch, cpus, release, totalmem } from "node:os";

export function describeMachine({ runtimes, bpftoolVersion, libbpfVersion }) {
  const [{ model }, ...others] = cpus();
  return {
    cpu: model,
    cores: others.length + 1,
    memoryGB: Math.round(totalmem() / 1e9),
    arch: arch(),
    kernel: release(),
    node: runtimes.Node.version.slice(1),
    bun: runtimes.Bun?.version,
    deno: runtimes.Deno?.version,
    bpftool: bpftoolVersion,
    libbpf: libbpfVersion,
  };
}
