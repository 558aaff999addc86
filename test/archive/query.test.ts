// What an archive answers is what the kernels themselves answer.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Btf } from "btfkit";
import { Archive, ArchiveWriter, type FoundDefinition } from "btfkit/archive";
import { BtfBuilder, encode } from "btfkit/edit";
import { diff, history } from "btfkit/inspect";
import { archiveFolder, openFile, readBytes } from "btfkit/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MemoryStore } from "../support/memory-store.js";
import { corpusPath, needing } from "../support/needs.js";
import { seeded } from "../support/random.js";

const folder = mkdtempSync(join(tmpdir(), "btfkit-query-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function all(found: AsyncIterable<FoundDefinition>): Promise<FoundDefinition[]> {
  const list: FoundDefinition[] = [];
  for await (const one of found) list.push(one);
  return list;
}

const NAMES = [
  "series/6.1.0-47-cloud-amd64",
  "series/6.1.0-56-cloud-amd64",
  "series/6.12.117+deb12-cloud-amd64",
  "vmlinux/6.12-s390x",
];
const MODULES = ["kvm", "nf_conntrack", "btrfs"];

describe("Debian's kernels", () => {
  const kernels: { name: string; btfs: Btf[] }[] = [];
  let archive: Archive;

  const needed = needing("the corpus in ../shared");
  beforeAll(async () => {
    const writer = await ArchiveWriter.open(archiveFolder(folder)).catch(() => undefined);
    if (!writer) return;
    try {
      for (const name of NAMES) {
        await writer.add({ id: name.split("/")[1]!, vmlinux: readBytes(corpusPath(`${name}.btf.gz`)) });
      }
      const modules = MODULES.map((name) => ({
        name,
        bytes: readBytes(corpusPath(`modules/6.12-amd64-${name}.btf.gz`)),
      }));
      await writer.add({ id: "6.12-amd64", vmlinux: readBytes(corpusPath("vmlinux/6.12-amd64.btf.gz")), modules });
      await writer.commit();
    } catch {
      // Without the corpus the tests below say so.
      return;
    } finally {
      await writer.close();
    }
    archive = await Archive.open(archiveFolder(folder));
    for (const { id } of archive.kernels) {
      const name = NAMES.find((one) => one.endsWith(`/${id}`)) ?? "vmlinux/6.12-amd64";
      const btf = openFile(corpusPath(`${name}.btf.gz`));
      const modules = id === "6.12-amd64" ? MODULES : [];
      const opened = modules.map((module) =>
        openFile(corpusPath(`modules/6.12-amd64-${module}.btf.gz`), { base: btf }),
      );
      kernels.push({ name: id, btfs: [btf, ...opened] });
    }
  }, 300_000);

  needed("histories", async () => {
    const members = [
      ...["task_struct.pid", "inode.i_atime", "struct address_space.private_list", "task_struct.mm->pgd"],
      ...["sock.sk_lock.slock", "spinlock_t.rlock", "task_struct.nothing", "nope.x", "kvm_vcpu.arch.regs[1]"],
      ...["file.f_path.dentry->d_name.name", "btrfs_inode.root", "struct nf_conn.status", "page.lru"],
    ];
    const take = seeded("7");
    for (const { btfs } of kernels) {
      const structs = [...btfs[0]!.ofKind("struct")].filter(({ name, members: list }) => name && list.length > 0);
      for (let i = 0; i < 60; i++) {
        const type = structs[take(structs.length)]!;
        const { name } = type.members[take(type.members.length)]!;
        if (name) members.push(`struct ${type.name}.${name}`);
      }
    }
    expect(await archive.history(members)).toEqual(history(members, kernels));
  });

  needed("differences, with modules, across architectures and series", async () => {
    const pairs = [
      ["6.1.0-47-cloud-amd64", "6.1.0-56-cloud-amd64"],
      ["6.1.0-56-cloud-amd64", "6.12-amd64"],
      ["6.12-s390x", "6.12.117+deb12-cloud-amd64"],
    ] as const;
    for (const [old, now] of pairs) {
      const [before, after] = [old, now].map((id) => kernels.find(({ name }) => name === id)!.btfs);
      expect(await archive.diff(old, now)).toEqual(diff(before!, after!));
    }
    const options = { kinds: ["struct"] as const, filter: ({ name }: { name: string }) => name.startsWith("tcp_") };
    const [first, last] = [kernels[0]!, kernels.at(-1)!];
    expect(await archive.diff(first.name, last.name, options)).toEqual(diff(first.btfs, last.btfs, options));
  });

  needed("definitions by name, kind, size and member", async () => {
    const found = await all(archive.find({ name: /^tcp_/, kind: "struct", byteSize: { least: 16 } }));
    for (const { name, btfs } of kernels) {
      const wanted = btfs.flatMap((btf) => [...btf.ofKind("struct")]);
      const fit = wanted.filter((type) => type.name.startsWith("tcp_") && type.byteSize >= 16);
      const ours = found.filter((one) => one.kernels.includes(name)).map((one) => `${one.name} ${one.byteSize}`);
      expect(new Set(ours)).toEqual(new Set(fit.map((type) => `${type.name} ${type.byteSize}`)));
    }
    const holders = await all(archive.find({ member: "sk_lock", kernels: ["6.12-amd64"] }));
    expect(holders.map(({ name }) => name)).toEqual(["sock"]);
    expect((await all(archive.find({ name: "kvm_io_device" }))).map((one) => one.kernels)).toEqual([["6.12-amd64"]]);
    expect(await all(archive.find({ name: "no_such_type" }))).toEqual([]);
  });

  needed("objects have the verdicts and reasons that they have on each kernel alone", async () => {
    const suites = (targets: readonly string[]): Map<string, string> => {
      const report = join(folder, "report.xml");
      const check = ["check", corpusPath("objects"), "--target", ...targets, "--junit", report];
      // What breaks is expected.
      spawnSync(process.execPath, ["dist/cli/btfkit.cjs", ...check]);
      const found = readFileSync(report, "utf8").matchAll(/<testsuite name="([^"]*)"[\s\S]*?<\/testsuite>/g);
      // Types have ids of their own where no kernel is opened.
      const plain = (text: string): string => text.replace(/ time="[^"]*"/g, "").replace(/\[\d+\] /g, "");
      return new Map(Array.from(found, ([text, name]) => [name!, plain(text)]));
    };
    const together = suites([folder]);
    expect(together.size).toBe(kernels.length);
    // With modules, an archive has a kernel as one target.
    const withModules = join(folder, "6.12-amd64");
    expect(together.get(withModules)).toBe(suites([withModules]).get(withModules));
    const files = NAMES.map((name) => corpusPath(`${name}.btf.gz`));
    const alone = suites(files);
    for (const file of files) {
      const place = join(folder, basename(file, ".btf.gz"));
      expect(together.get(place)?.replaceAll(place, file)).toBe(alone.get(file));
    }
  });

  needed("objects get the smallest BTF that they get on each kernel alone", async () => {
    const minimized = (target: readonly string[], to: string): Map<string, string> => {
      const call = ["minimize", corpusPath("objects/lt026-tcptracer.bpf.o"), "--target", ...target, "-d", to];
      execFileSync(process.execPath, ["dist/cli/btfkit.cjs", ...call]);
      return new Map(readdirSync(to).map((name) => [name, readFileSync(join(to, name)).toString("hex")]));
    };
    const files = NAMES.map((name) => corpusPath(`${name}.btf.gz`));
    const small = minimized(files, join(folder, "alone"));
    for (const [name, text] of minimized([folder], join(folder, "together")))
      if (name !== "6.12-amd64.btf") expect(text).toBe(small.get(name));
  });
});

describe("made kernels", () => {
  /** Two structs of one name, in the order that is asked for. */
  function twins(order: readonly number[]): Uint8Array {
    const builder = new BtfBuilder();
    const int = builder.int("int", { byteSize: 4 });
    for (const size of order) {
      builder.struct("twin", { byteSize: size }, [
        ["same", int],
        [`only_${size}`, int, { bitOffset: 32 }],
      ]);
    }
    return encode(builder.build());
  }

  test("the order of definitions of one name is kept", async () => {
    const store = new MemoryStore();
    const writer = await ArchiveWriter.open(store);
    await writer.add({ id: "a", vmlinux: twins([8, 16]) });
    await writer.add({ id: "b", vmlinux: twins([16, 8]) });
    await writer.add({ id: "c", vmlinux: twins([16, 8, 12]) });
    await writer.commit();
    const archive = await Archive.open(store);
    const histories = await archive.history(["twin.same", "twin.only_16", "twin.only_12"]);
    expect(histories.map(({ states }) => states.map(({ state }) => state))).toEqual([
      ["present", "present", "present"],
      ["present", "present", "present"],
      ["no-member", "no-member", "present"],
    ]);
    expect(await archive.diff("a", "b")).toMatchObject({ added: [], removed: [], changed: [] });
    expect(await archive.diff("b", "c")).toMatchObject({
      changed: [{ name: "twin", definitions: { old: 2, new: 3 } }],
    });
  });
});
