// Archives: what is added comes back bit for bit, in folders, through crashes and damages.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Archive, ArchiveWriter } from "btfkit/archive";
import { BtfBuilder, encode, type TypeId } from "btfkit/edit";
import { archiveFolder, readBytes } from "btfkit/node";
import { afterAll, describe, expect, test } from "vitest";
import { MemoryStore } from "../support/memory-store.js";
import { corpusPath, needing } from "../support/needs.js";

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
