/** Opening: what is taken, in both byte orders and all header lengths, split and with a layout section. */
import { ok, rejects, same, throws } from "./assert.js";
import { elf } from "./elf.js";
import { ImageBuilder, SIGNED } from "./image.js";
import { specimen, splitOn } from "./specimen.js";

async function gzip(bytes) {
  const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

/** The bytes in chunks of an odd size. */
function streamOf(bytes, chunk = 97) {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) controller.close();
      else controller.enqueue(bytes.slice(at, at + chunk));
      at += chunk;
    },
  });
}

export function opening({ lib, test }) {
  const { Btf, BtfEnvironmentError, BtfError, BtfFormatError } = lib;

  for (const endian of ["little", "big"]) {
    for (const headerLength of [24, 32]) {
      test(`opens ${endian}-endian BTF with a header of ${headerLength} bytes`, () => {
        const { bytes, image } = specimen({ endian, headerLength });
        const btf = Btf.parse(bytes);
        same(btf.endian, endian);
        same(btf.size, image.nextId);
        same(btf.firstId, 1);
        same(btf.byteLength, bytes.length);
        same(btf.base, undefined);
        const { header } = btf;
        same(header.endian, endian);
        same(header.version, 1);
        same(header.flags, 0);
        same(header.headerLength, headerLength);
        same(header.typesOffset, 0);
        same(header.stringsOffset, header.typesLength);
        same(header.headerLength + header.stringsOffset + header.stringsLength, bytes.length);
        same(header.layoutLength, 0);
      });
    }
  }

  test("opens what holds bytes: buffers, views, a part of a larger one", () => {
    const { bytes, image } = specimen();
    const padded = new Uint8Array(bytes.length + 10);
    padded.set(bytes, 5);
    const part = padded.subarray(5, 5 + bytes.length);
    const sources = [bytes, bytes.slice().buffer, new DataView(bytes.buffer), part];
    for (const source of sources) same(Btf.parse(source).size, image.nextId);
  });

  test("copies the bytes", () => {
    const { bytes, id } = specimen();
    const btf = Btf.parse(bytes);
    bytes.fill(0xff);
    same(btf.get(id.node).name, "node");
  });

  test("loads bytes, Blob, Response, ReadableStream, and promises of them", async () => {
    const { bytes, image } = specimen();
    const sources = [
      bytes,
      bytes.buffer,
      new Blob([bytes]),
      new Response(bytes),
      streamOf(bytes),
      Promise.resolve(new Response(bytes)),
    ];
    for (const source of sources) same((await Btf.load(source)).size, image.nextId);
  });

  test("loads gzip from each of them", async () => {
    const { bytes, image } = specimen({ endian: "big" });
    const packed = await gzip(bytes);
    for (const source of [packed, packed.buffer, new Blob([packed]), new Response(packed), streamOf(packed)]) {
      same((await Btf.load(source)).size, image.nextId);
    }
  });

  test("says that parse does not unpack gzip", async () => {
    const packed = await gzip(specimen().bytes);
    throws(() => Btf.parse(packed), { type: BtfFormatError, code: "ERR_COMPRESSED", message: /Btf\.load/ });
  });

  test("refuses damaged gzip and a failed response", async () => {
    const packed = await gzip(specimen().bytes);
    await rejects(Btf.load(packed.subarray(0, 40)), { type: BtfFormatError, code: "ERR_COMPRESSED" });
    const response = new Response("gone", { status: 404 });
    await rejects(Btf.load(response), { type: BtfEnvironmentError, code: "ERR_FILE", message: /404/ });
  });

  test("refuses what holds no bytes", async () => {
    throws(() => Btf.parse("vmlinux"), { type: BtfError, code: "ERR_ARGUMENT" });
    await rejects(Btf.load(42), { type: BtfError, code: "ERR_ARGUMENT" });
  });

  test("opens an image without types", () => {
    const btf = Btf.parse(new ImageBuilder().build());
    same(btf.size, 1);
    same([...btf], []);
    same(btf.get(0).kind, "void");
  });

  for (const endian of ["little", "big"]) {
    test(`opens a ${endian}-endian split on its base`, async () => {
      const base = specimen({ endian });
      const { bytes, id, image } = splitOn(base, { endian });
      const btf = Btf.parse(base.bytes);
      for (const split of [
        btf.split(bytes),
        await btf.loadSplit(new Blob([bytes])),
        await btf.loadSplit(await gzip(bytes)),
      ]) {
        same(split.base, btf);
        same(split.firstId, btf.size);
        same(split.size, image.nextId);
        const module = split.get(id.module);
        same(module.name, "module");
        same(module.members[0].name, "id");
        same(module.members[1].type, btf.get(base.id.node));
      }
      same(btf.size, base.image.nextId);
    });
  }

  test("opens a split on a split", () => {
    const base = specimen();
    const middle = splitOn(base);
    const top = new ImageBuilder({ base: middle.image });
    const ptr = top.ref("ptr", middle.id.module);
    const btf = Btf.parse(base.bytes).split(middle.bytes).split(top.build());
    same(btf.get(ptr).target.name, "module");
    same(btf.get(ptr).target.members[1].type.name, "node");
    same(btf.base.base.get(base.id.node), btf.get(base.id.node));
  });

  test("refuses a split of the other byte order", () => {
    const base = specimen();
    const { bytes } = splitOn(base, { endian: "big" });
    throws(() => Btf.parse(base.bytes).split(bytes), { type: BtfFormatError, code: "ERR_BTF_BASE_ENDIAN", offset: 0 });
  });

  test("opens kinds that only the layout section describes", () => {
    const image = new ImageBuilder({ headerLength: 32 });
    const int = image.int("int", 4, SIGNED);
    // Kind 20: 8 bytes of its own, and 4 for each of 3 elements.
    const strange = image.add(20, { name: "strange", vlen: 3, sizeOrType: 77 }, [1, 2, 3, 4, 5]);
    const ptr = image.ref("ptr", strange);
    // Nobody looks at what a prototype returns, in either walk.
    image.add(13, { sizeOrType: 99 });
    const sizes = Array.from({ length: 21 }, () => [0, 0]);
    sizes[1] = [4, 0];
    sizes[20] = [8, 4];
    const btf = Btf.parse(image.layout(sizes).build());
    same(btf.header.layoutLength, 21 * 4);
    same(btf.size, 5);
    const type = btf.get(strange);
    same([type.kind, type.kindNumber, type.name, type.vlen, type.sizeOrType], ["unknown", 20, "strange", 3, 77]);
    same(btf.get(ptr).target, type);
    same(btf.kindAt(strange), "unknown");
    same([...btf.ofKind("unknown")], [type]);
    same(btf.find("strange", "unknown"), type);
    same(lib.sizeOf(type), undefined);
    ok(btf.get(int).isSigned);
  });
}

/** ELF files: where the BTF is, what the class tells, packed sections, a distilled base. */
export function elfFiles({ lib, test }) {
  const { Btf, BtfEnvironmentError, BtfFormatError } = lib;
  const base = specimen();
  const module = splitOn(base);

  for (const is64 of [true, false]) {
    for (const endian of ["little", "big"]) {
      test(`opens a ${is64 ? 64 : 32}-bit ${endian}-endian ELF file`, async () => {
        const { bytes, image } = specimen({ endian });
        const file = elf(
          [
            { name: ".text", bytes: [1, 2, 3] },
            { name: ".BTF", bytes },
          ],
          { is64, endian },
        );
        for (const btf of [Btf.parse(file), await Btf.load(file)]) {
          same([btf.size, btf.endian, btf.pointerSize], [image.nextId, endian, is64 ? 8 : 4]);
        }
      });
    }
  }

  for (const packed of ["zlib", "zstd"]) {
    test(`loads a section packed with ${packed}`, async () => {
      const file = elf([{ name: ".BTF", bytes: base.bytes, packed }]);
      same((await Btf.load(file)).size, base.image.nextId);
      throws(() => Btf.parse(file), { type: BtfFormatError, code: "ERR_COMPRESSED", message: /Btf\.load/ });
    });
  }

  test("opens a module on the distilled base that it brings", async () => {
    const file = elf([
      { name: ".BTF", bytes: module.bytes },
      { name: ".BTF.base", bytes: base.bytes },
    ]);
    const btf = Btf.parse(file);
    same([btf.firstId, btf.base.size], [base.image.nextId, base.image.nextId]);
    same(btf.find("module").members[1].type.name, "node");
    throws(() => btf.base.split(file), { type: BtfEnvironmentError, code: "ERR_UNSUPPORTED" });
  });

  test("opens a module's ELF file on a base", () => {
    const btf = Btf.parse(base.bytes).split(elf([{ name: ".BTF", bytes: module.bytes }], { is64: false }));
    same([btf.find("module").id, btf.pointerSize], [module.id.module, 4]);
  });
}

/** Compiling the kernel by hand; `wasm` is the package's kernel.wasm, where the host compiles any. */
export function initialising({ lib, fixtures: { wasm }, test }) {
  const { Btf, BtfEnvironmentError, init } = lib;
  const works = () => same(Btf.parse(specimen().bytes).get(1).name, "int");
  const compiled = wasm && {
    bytes: () => wasm,
    "a module": () => new WebAssembly.Module(wasm),
    "a response": () => new Response(wasm, { headers: { "content-type": "application/wasm" } }),
    "a promise": async () => new WebAssembly.Module(wasm),
  };
  for (const [name, source] of Object.entries({ nothing: () => undefined, ...compiled })) {
    test(`init takes ${name}`, async () => {
      same(await init(source()), undefined);
      works();
    });
  }

  test("init refuses what is no WebAssembly, and the library goes on", async () => {
    await rejects(init(new Uint8Array(8)), { type: BtfEnvironmentError, code: "ERR_WASM" });
    works();
  });
}
