/** A real kernel's BTF, against what bpftool makes of it. */
import { ok, same } from "./assert.js";

async function sha256(chunks) {
  const bytes = await new Blob(chunks).arrayBuffer();
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function chunksOf(dump) {
  const chunks = [];
  for await (const chunk of dump) chunks.push(chunk);
  return chunks;
}

export function kernel({ lib, fixtures: { vmlinux }, test }) {
  const { Btf, dumpJson, dumpRaw, fieldOf, sizeOf, tally } = lib;
  const { packed, golden } = vmlinux;

  test("a kernel opens from gzip", async () => {
    const btf = await Btf.load(packed);
    same([btf.byteLength, btf.size - 1, btf.pointerSize], [golden.byteLength, golden.types, golden.pointerSize]);
    same(Object.fromEntries(tally(btf).map(({ kind, count }) => [kind, count])), golden.kinds);
  });

  for (const [format, dump] of Object.entries({ raw: dumpRaw, json: dumpJson })) {
    test(`a kernel's ${format} dump is bpftool's`, async () => {
      const chunks = await chunksOf(dump(await Btf.load(packed)));
      same(
        chunks.reduce((sum, { length }) => sum + length, 0),
        golden.dumps[format].byteLength,
      );
      same(await sha256(chunks), golden.dumps[format].sha256);
    });
  }

  test("a kernel's types are found", async () => {
    const btf = await Btf.load(packed);
    const task = btf.require("task_struct", "struct");
    same(sizeOf(task), task.byteSize);
    ok(task.members.length > 100);
    same(task.members.find(({ name }) => name === "comm").bitOffset, fieldOf(btf, "task_struct", "comm").bitOffset);
    same(fieldOf(btf, "task_struct", "mm->pgd").pointers.length, 1);
    same(fieldOf(btf, "task_struct", "se.load.weight").byteSize, 8);
    const found = btf.searchIds("task_struct");
    ok(found.includes(task.id));
    ok(Array.from(found, (id) => btf.nameAt(id)).every((name) => name.includes("task_struct")));
    for (const kind of ["struct", "enum64", "datasec"]) same(btf.idsOfKind(kind).length, golden.kinds[kind]);
    let count = 0;
    for (const type of btf) count += type.id > 0 ? 1 : 0;
    same(count, golden.types);
  });
}
