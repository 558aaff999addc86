// Archives: what is added comes back bit for bit, in folders, through crashes and damages.
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { BtfError, fieldOf } from "btfkit";
import { Archive, ArchiveWriter } from "btfkit/archive";
import { BtfBuilder, encode, type TypeId } from "btfkit/edit";
import { archiveFolder, readBytes } from "btfkit/node";
import { afterAll, describe, expect, test } from "vitest";
import { MemoryStore } from "../support/memory-store.js";
import { corpusPath, needing } from "../support/needs.js";
import { seeded } from "../support/random.js";

const folder = mkdtempSync(join(tmpdir(), "btfkit-archive-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A kernel of a few types, which differ by `version`. */
function kernel(version: number, endian: "little" | "big" = "little"): Uint8Array {
  const builder = new BtfBuilder({ endian });
  const int = builder.int("int", { byteSize: 4, isSigned: true });
  const long = builder.int("unsigned long", { byteSize: 8 });
  const node = builder.struct("node", { byteSize: 8 }, []);
  const members: [string, TypeId, { bitOffset: number }][] = [["pid", int, { bitOffset: 0 }]];
  for (let i = 0; i < version; i++) members.push([`added_in_${i}`, long, { bitOffset: 64 + i * 64 }]);
  members.push(["list", node, { bitOffset: 64 + version * 64 }]);
  const task = builder.struct("task", { byteSize: 16 + version * 8 }, members);
  builder.func(`only_in_${version}`, builder.funcProto(int, [["task", builder.ptr(task)]]), "static");
  return encode(builder.build());
}

describe("made kernels", () => {
  test("come back bit for bit, in the order of versions, each image coded against one like it", async () => {
    const store = new MemoryStore();
    const writer = await ArchiveWriter.open(store);
    for (const version of [10, 9, 1, 2]) {
      await writer.add({
        id: `6.${version}-amd64`,
        architecture: "x86_64",
        distribution: "test",
        vmlinux: kernel(version),
      });
    }
    await writer.add({ id: "big", architecture: "s390x", vmlinux: kernel(3, "big") });
    await writer.commit();
    await writer.close();
    const archive = await Archive.open(store);
    expect(archive.kernels.map(({ id }) => id)).toEqual(["big", "6.1-amd64", "6.2-amd64", "6.9-amd64", "6.10-amd64"]);
    for (const version of [1, 2, 9, 10]) {
      expect(await archive.get(`6.${version}-amd64`)).toEqual(kernel(version));
      const { images } = await archive.describe(`6.${version}-amd64`);
      const sum = createHash("sha256").update(kernel(version)).digest("hex");
      expect(images).toMatchObject([{ name: "vmlinux", sha256: sum, codec: 1 }]);
    }
    expect(await archive.get("big")).toEqual(kernel(3, "big"));
    expect(await archive.verify()).toMatchObject({ kernels: 5, images: 5, damages: [] });
    await expect(archive.get("6.3-amd64")).rejects.toMatchObject({ code: "ERR_ARCHIVE_KERNEL" });
  });

  test("images out of the ordinary are kept whole", async () => {
    const odd = kernel(1);
    // Bytes behind the strings, and a name that starts inside of another.
    const tailed = Uint8Array.from([...odd, 1, 2, 3]);
    const inside = odd.slice();
    const view = new DataView(inside.buffer);
    view.setUint32(24, view.getUint32(24, true) + 1, true);
    const store = new MemoryStore();
    const writer = await ArchiveWriter.open(store);
    await writer.add({ id: "tailed", vmlinux: tailed });
    await writer.add({ id: "inside", vmlinux: inside });
    await writer.commit();
    const archive = await Archive.open(store);
    expect(await archive.get("tailed")).toEqual(tailed);
    expect(await archive.get("inside")).toEqual(inside);
    expect((await archive.describe("inside")).images).toMatchObject([{ codec: 0 }]);
  });

  test("the same kernel twice is there once; another of its name is refused", async () => {
    const store = new MemoryStore();
    const writer = await ArchiveWriter.open(store);
    expect(await writer.add({ id: "a", vmlinux: kernel(1) })).toBeGreaterThan(0);
    expect(await writer.add({ id: "a", vmlinux: kernel(1) })).toBe(0);
    await writer.commit();
    const again = await ArchiveWriter.open(store);
    expect(await again.add({ id: "a", vmlinux: kernel(1) })).toBe(0);
    await expect(again.add({ id: "a", vmlinux: kernel(2) })).rejects.toMatchObject({ code: "ERR_ARCHIVE_EXISTS" });
    await again.add({ id: "b", vmlinux: kernel(2) });
    await again.commit();
    const archive = await Archive.open(store);
    expect(archive.generation).toBe(2);
    expect(await archive.get("b")).toEqual(kernel(2));
  });

  test("one writer at a time; readers see the generation that they opened", async () => {
    const place = join(folder, "locked");
    const writer = await ArchiveWriter.open(archiveFolder(place));
    await writer.add({ id: "a", vmlinux: kernel(1) });
    await writer.commit();
    await expect(ArchiveWriter.open(archiveFolder(place))).rejects.toMatchObject({ code: "ERR_ARCHIVE_LOCKED" });
    const [first, second] = await Promise.all([1, 2].map(() => Archive.open(archiveFolder(place))));
    await writer.add({ id: "b", vmlinux: kernel(2) });
    await writer.commit();
    await writer.close();
    expect(first!.kernels.map(({ id }) => id)).toEqual(["a"]);
    expect(await first!.verify()).toMatchObject({ kernels: 1, damages: [] });
    expect(await second!.get("a")).toEqual(kernel(1));
    expect(await (await Archive.open(archiveFolder(place))).verify()).toMatchObject({ kernels: 2, damages: [] });
    // A writer that was killed leaves its lock behind.
    writeFileSync(join(place, "lock"), `999999999 ${execFileSync("hostname", { encoding: "utf8" })}`);
    await (await ArchiveWriter.open(archiveFolder(place))).close();
    expect(readdirSync(place)).not.toContain("lock");
  });

  test("damages are named, and cost what they hold", async () => {
    const store = new MemoryStore();
    const writer = await ArchiveWriter.open(store);
    await writer.add({ id: "a", vmlinux: kernel(1) });
    await writer.add({ id: "b", vmlinux: kernel(2, "big") });
    await writer.commit();
    const archive = await Archive.open(store);
    const { file } = await archive.describe("b");
    const bytes = store.files.get(file)!;
    bytes[bytes.length >> 1]! ^= 0x10;
    const reopened = await Archive.open(store);
    expect(await reopened.get("a")).toEqual(kernel(1));
    await expect(reopened.get("b")).rejects.toMatchObject({ code: "ERR_ARCHIVE_DAMAGED" });
    const { damages } = await (await Archive.open(store)).verify();
    expect(damages).toMatchObject([{ place: "b/vmlinux" }]);
    expect(damages[0]!.message).toContain("b/vmlinux");
  });
});

describe("accidents", () => {
  /** Adds kernels, a commit each, until it is done or killed. */
  const WRITER = `
import { readFileSync } from "node:fs";
import { ArchiveWriter } from "btfkit/archive";
import { archiveFolder } from "btfkit/node";
const [place, list] = process.argv.slice(2);
const writer = await ArchiveWriter.open(archiveFolder(place));
process.stdout.write("open\\n");
for (const [id, base64] of Object.entries(JSON.parse(readFileSync(list, "utf8")))) {
  await writer.add({ id, vmlinux: Buffer.from(base64, "base64") });
  await writer.commit();
}
await writer.close();`;

  test("a writer that is killed a hundred times: nothing is lost, and nothing half there", async () => {
    const place = join(folder, "killed");
    const list = join(folder, "list.json");
    const script = join(process.cwd(), "build/archive-writer.mjs");
    writeFileSync(script, WRITER);
    const random = seeded("killed");
    const kernels = new Map(Array.from({ length: 12 }, (_, i) => [`6.${i}`, kernel(i % 2 ? i : i * 9)]));
    let count = 0;
    let kills = 0;
    let left = new Map(kernels);
    for (let round = 0; round < 100; round++) {
      if (left.size === 0) {
        rmSync(place, { recursive: true });
        left = new Map(kernels);
        count = 0;
      }
      writeFileSync(
        list,
        JSON.stringify(Object.fromEntries([...left].map(([id, bytes]) => [id, Buffer.from(bytes).toString("base64")]))),
      );
      const child = spawn(process.execPath, [script, place, list], { stdio: ["ignore", "pipe", "inherit"] });
      const ended = once(child, "close");
      await Promise.race([once(child.stdout, "data"), ended]);
      await Promise.race([setTimeout(random(40)), ended]);
      if (child.exitCode === null) kills++;
      child.kill("SIGKILL");
      await ended;
      if (!existsSync(join(place, "archive.btfa"))) continue;
      const archive = await Archive.open(archiveFolder(place));
      expect(await archive.verify()).toMatchObject({ kernels: archive.kernels.length, damages: [] });
      expect(archive.kernels.length).toBeGreaterThanOrEqual(count);
      count = archive.kernels.length;
      for (const { id } of archive.kernels) {
        if (left.delete(id)) expect(Buffer.from(await archive.get(id)).equals(kernels.get(id)!)).toBe(true);
      }
    }
    expect(kills).toBeGreaterThan(60);
    const writer = await ArchiveWriter.open(archiveFolder(place));
    await writer.commit();
    await writer.collectGarbage();
    await writer.close();
    // The root, and what it names.
    expect(readdirSync(place).sort()).toEqual(["archive.btfa", "data"]);
    expect(readdirSync(join(place, "data")).filter((name) => !/^[0-9a-f]{64}$/.test(name))).toEqual([]);
  }, 120_000);

  test("readers while a writer works see whole generations", async () => {
    const place = join(folder, "busy");
    const writer = await ArchiveWriter.open(archiveFolder(place));
    await writer.add({ id: "0", vmlinux: kernel(0) });
    await writer.commit();
    let isDone = false;
    const reader = async (): Promise<number> => {
      let seen = 0;
      while (!isDone) {
        const archive = await Archive.open(archiveFolder(place));
        const { kernels, damages } = await archive.verify();
        // On a busy machine the writer may have gone on by more than that meanwhile.
        const now = await Archive.open(archiveFolder(place));
        if (now.generation - archive.generation < 2) expect(damages).toEqual([]);
        expect(kernels).toBeGreaterThanOrEqual(seen);
        seen = kernels;
      }
      return seen;
    };
    const readers = [reader(), reader()];
    for (let i = 1; i < 30; i++) {
      await writer.add({ id: String(i), vmlinux: kernel(i) });
      await writer.commit();
      // A generation is there until the commit after the next.
      await setTimeout(20);
    }
    await writer.close();
    isDone = true;
    for (const seen of await Promise.all(readers)) expect(seen).toBeGreaterThan(5);
  });

  test("damaged archives are refused, and say what is damaged; 800 times", async () => {
    const store = new MemoryStore();
    const writer = await ArchiveWriter.open(store);
    for (const version of [1, 2, 9]) await writer.add({ id: `6.${version}`, vmlinux: kernel(version) });
    await writer.commit();
    await writer.close();
    const sound = new Map([...store.files].map(([file, bytes]) => [file, bytes.slice()]));
    const random = seeded("damaged archive");
    const allowed = async (act: () => Promise<unknown>): Promise<void> => {
      try {
        await act();
      } catch (error) {
        if (!(error instanceof BtfError) || error.code === "ERR_INTERNAL") throw error;
      }
    };
    let refused = 0;
    for (let round = 0; round < 800; round++) {
      for (const [file, bytes] of sound) store.files.set(file, bytes.slice());
      const files = [...sound.keys()];
      const file = files[random(files.length)]!;
      const bytes = store.files.get(file)!;
      if (random(8) === 0) store.files.set(file, bytes.slice(0, random(bytes.length)));
      else if (random(12) === 0) store.files.delete(file);
      else for (let n = 1 + random(4); n > 0; n--) bytes[random(bytes.length)] = random(256);
      let archive: Archive;
      try {
        archive = await Archive.open(store);
      } catch (error) {
        if (!(error instanceof BtfError) || error.code === "ERR_INTERNAL") throw error;
        refused++;
        continue;
      }
      await allowed(async () => {
        for await (const _ of archive.definitions()) _.type.kind;
      });
      await allowed(async () => {
        for await (const _ of archive.find({ name: /o/, member: /added/ })) _.kernels.length;
      });
      await allowed(() => archive.history(["task.pid", "task.added_in_3"]));
      await allowed(async () => {
        for await (const _ of archive.targets(({ vmlinux }) => fieldOf(vmlinux, "task", "pid").bitOffset))
          _.kernels.length;
      });
      await allowed(() => archive.diff("6.1", "6.9"));
      await allowed(() => archive.get("6.2"));
      await allowed(() => archive.describe("6.1"));
      await allowed(async () => (await archive.openKernel("6.9")).size);
      const { damages } = await archive.verify();
      refused += Number(damages.length > 0);
    }
    expect(refused).toBeGreaterThan(750);
  });
});

describe("the corpus", () => {
  const run = (...args: string[]): string =>
    execFileSync(process.execPath, ["dist/cli/btfkit.cjs", "archive", ...args], {
      encoding: "utf8",
      maxBuffer: 1 << 28,
    });

  needing("the corpus in ../shared")("kernels and modules come back through the command line", async () => {
    const place = join(folder, "corpus");
    const names = ["6.1.0-47-cloud-amd64", "6.1.0-56-cloud-amd64"];
    run("add", place, ...names.map((name) => corpusPath(`series/${name}.btf.gz`)), "-q");
    run("add", place, corpusPath("vmlinux/6.12-s390x.btf.gz"), "-q");
    const listed = JSON.parse(run("list", place, "--json"));
    expect(listed.map(({ id }: { id: string }) => id)).toEqual(["6.12-s390x", ...names]);
    for (const { id, sha256, bytes } of listed) {
      run("get", place, id, "-o", join(folder, "out.btf"), "-q");
      const original = readBytes(corpusPath(id === "6.12-s390x" ? "vmlinux/6.12-s390x.btf.gz" : `series/${id}.btf.gz`));
      const back = readFileSync(join(folder, "out.btf"));
      expect(back.equals(original)).toBe(true);
      expect(back.length).toBe(bytes);
      expect(createHash("sha256").update(back).digest("hex")).toBe(sha256);
    }
    expect(run("verify", place)).toContain("3 kernels, 3 images");
    const modules = ["kvm", "veth", "cast_common", "nf_conntrack"].map((name) => ({
      name,
      bytes: readBytes(corpusPath(`modules/6.12-amd64-${name}.btf.gz`)),
    }));
    const writer = await ArchiveWriter.open(archiveFolder(place));
    await writer.add({ id: "with modules", vmlinux: readBytes(corpusPath("vmlinux/6.12-amd64.btf.gz")), modules });
    await writer.commit();
    await writer.close();
    const archive = await Archive.open(archiveFolder(place));
    for (const { name, bytes } of modules)
      expect(Buffer.compare(await archive.get("with modules", name), bytes)).toBe(0);
    expect((await archive.openKernel("with modules", "kvm")).find("kvm_io_device", "struct")?.byteSize).toBeGreaterThan(
      0,
    );
    const neighbour = (await archive.describe("6.1.0-56-cloud-amd64")).images[0]!;
    expect(neighbour.length).toBeLessThan(50_000);
  });
});
