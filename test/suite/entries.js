/** `btfkit/edit` and `btfkit/bpf`: that they work here. What they do is tested elsewhere, against other tools. */
import { fields, ok, same, throws } from "./assert.js";
import { elf } from "./elf.js";
import { specimen } from "./specimen.js";

export function entries({ lib, edit, bpf, fixtures: { vmlinux }, test }) {
  const { Btf, dumpRaw } = lib;

  test("what is built is read back", () => {
    const builder = new edit.BtfBuilder();
    const int = builder.int("int", { byteSize: 4, isSigned: true });
    builder.struct("point", { byteSize: 8 }, [
      ["x", int, { bitOffset: 0 }],
      ["y", int, { bitOffset: 32 }],
    ]);
    const bytes = edit.encode(builder.build(), { endian: "big" });
    const point = Btf.parse(bytes).require("point", "struct");
    fields(point.members[1], { name: "y", bitOffset: 32 });
    same(edit.verify(bytes).ok, true);
  });

  test("equal types of a kernel become one, and the kernel would load it", async () => {
    const btf = await Btf.load(vmlinux.packed);
    const { size } = edit.dedup(btf).btf;
    ok(size <= btf.size, "no more types than before");
    const merged = edit.merge([btf, btf]).btf;
    // Each VAR and DATASEC stays: they are at most as many as before, twice.
    const kept = btf.idsOfKind("var").length + btf.idsOfKind("datasec").length;
    ok(merged.size >= size && merged.size <= size + kept, `${size} to ${size + kept} types, got ${merged.size}`);
    same(edit.verify(btf).findings, []);
    same(edit.fingerprints(btf).values.length > 0, true);
  });

  test("an object's BTF is read", () => {
    const { bytes, image } = specimen();
    const object = bpf.readObject(elf([{ name: ".BTF", bytes }]));
    same(object.btf.size, image.nextId);
    same(dumpRaw(object.btf).text(), dumpRaw(Btf.parse(bytes)).text());
    throws(() => bpf.readObject(bytes), { code: "ERR_OBJECT" });
  });
}
