/** Text: whole or of chosen types, as a string, in chunks, into a stream; stopped and watched. */
import { ok, rejects, same, throws } from "./assert.js";
import { ImageBuilder, SIGNED } from "./image.js";
import { specimen, splitOn } from "./specimen.js";

/** What `bpftool btf dump file FILE` prints for the specimen's types up to "_Bool" and for some later ones. */
const LINES = {
  int: "[1] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED",
  long: "[2] INT 'long unsigned int' size=8 bits_offset=0 nr_bits=64 encoding=(none)",
  bits: "[5] INT 'bits' size=4 bits_offset=3 nr_bits=7 encoding=(none)",
  void: "[6] PTR '(anon)' type_id=0",
  matrix: "[8] ARRAY '(anon)' type_id=7 index_type_id=1 nr_elems=3",
  choice: "[10] UNION '(anon)' size=8 vlen=2\n\t'word' type_id=1 bits_offset=0\n\t'wide' type_id=2 bits_offset=0",
  color: "[15] ENUM 'color' encoding=UNSIGNED size=4 vlen=2\n\t'RED' val=0\n\t'BLUE' val=4294967295",
};

async function collect(dump) {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of dump) {
    ok(chunk instanceof Uint8Array && chunk.length > 0, "chunks of bytes");
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

const LARGE = 20000;

/** An image whose text takes many windows: an int and typedefs of it. */
function largeImage() {
  const image = new ImageBuilder();
  const int = image.int("int", 4, SIGNED);
  for (let i = 0; i < LARGE; i++) image.ref("typedef", int, `a_typedef_with_a_name_of_its_own_${i}`);
  return image;
}

export function dumps({ lib, test }) {
  const { Btf, BtfError, BtfLookupError, Dump, dumpJson, dumpRaw } = lib;
  const { bytes, id, image } = specimen();
  const open = () => Btf.parse(bytes);

  for (const endian of ["little", "big"]) {
    test(`raw text of a ${endian}-endian image`, () => {
      const btf = Btf.parse(specimen({ endian }).bytes);
      for (const [name, line] of Object.entries(LINES))
        same(dumpRaw(btf, { types: [id[name]] }).text(), `${line}\n`, name);
      const text = dumpRaw(btf).text();
      same(text, dumpRaw(open()).text());
      same(text.match(/^\[\d+\]/gm).length, image.nextId - 1);
    });
  }

  test("JSON text parses, and names every type", () => {
    const btf = open();
    for (const pretty of [false, true]) {
      const { types } = JSON.parse(dumpJson(btf, { pretty }).text());
      same(
        types.map((type) => type.id),
        Array.from(btf, (type) => type.id),
      );
      same(
        types.map((type) => type.kind.toLowerCase()),
        Array.from(btf, (type) => type.kind),
      );
      same(types[0], { id: 1, kind: "INT", name: "int", size: 4, bits_offset: 0, nr_bits: 32, encoding: "SIGNED" });
      same(types[id.node - 1].members[4].name, "größe");
    }
    same(dumpJson(btf, { types: [id.void] }).text(), '{"types":[{"id":6,"kind":"PTR","name":"(anon)","type_id":0}]}\n');
  });

  test("chosen types come in the order they are given in", () => {
    const btf = open();
    const text = dumpRaw(btf, { types: [btf.get(id.color), id.int, id.color] }).text();
    same(text, [LINES.color, LINES.int, LINES.color, ""].join("\n"));
    same(dumpRaw(btf, { types: [] }).text(), "");
    same(dumpRaw(btf, { types: btf.ofKind("float") }).text(), `[${id.float}] FLOAT 'double' size=8\n`);
    const expected = { type: BtfLookupError, code: "ERR_NO_SUCH_ID", details: { value: btf.size } };
    throws(() => dumpRaw(btf, { types: [btf.size] }), expected);
    throws(() => dumpJson(btf, { types: [btf.size] }), expected);
  });

  test("a split's text is its own types, or chosen ones of its base", () => {
    const base = specimen();
    const module = splitOn(base);
    const split = Btf.parse(base.bytes).split(module.bytes);
    const text = dumpRaw(split).text();
    ok(
      text.startsWith(
        `[${module.id.module}] STRUCT 'module' size=104 vlen=2\n\t'id' type_id=${id.int} bits_offset=0\n`,
      ),
      text,
    );
    same(text.match(/^\[/gm).length, 3);
    same(
      dumpRaw(split, { types: [id.int, module.id.ptr] }).text(),
      `${LINES.int}\n[${module.id.ptr}] PTR '(anon)' type_id=${module.id.module}\n`,
    );
  });

  test("text, iteration and pipeTo give the same, more than once", async () => {
    const btf = Btf.parse(largeImage().build());
    const dump = dumpRaw(btf);
    ok(dump instanceof Dump);
    const text = dump.text();
    ok(text.length > 1 << 20, "more than a window of text");
    same(dump.text() === text, true);
    same((await collect(dump)) === text, true);
    let piped = "";
    let closed = false;
    const decoder = new TextDecoder();
    const sink = new WritableStream({
      write: (chunk) => {
        piped += decoder.decode(chunk, { stream: true });
      },
      close: () => {
        closed = true;
      },
    });
    await dump.pipeTo(sink);
    same([piped === text, closed, sink.locked], [true, true, false]);
  });

  test("chunks are the caller's to keep, and the Btf may be used meanwhile", async () => {
    const base = largeImage();
    const split = new ImageBuilder({ base });
    split.ref("ptr", 1);
    const btf = Btf.parse(base.build());
    const expected = dumpRaw(btf).text();
    const chunks = [];
    for await (const chunk of dumpRaw(btf)) {
      chunks.push(chunk);
      ok(btf.find("a_typedef_with_a_name_of_its_own_7", "typedef"));
      same(btf.searchIds("own_19999").length, 1);
      same(btf.split(split.build()).size, btf.size + 1);
    }
    same((await new Blob(chunks).text()) === expected, true);
  });

  test("two dumps of one Btf do not meet", async () => {
    const btf = Btf.parse(largeImage().build());
    const [raw, json] = await Promise.all([collect(dumpRaw(btf)), collect(dumpJson(btf))]);
    same([raw === dumpRaw(btf).text(), json === dumpJson(btf).text()], [true, true]);
  });

  test("a name longer than a window goes out whole", () => {
    const image = new ImageBuilder();
    const name = "n".repeat(600000);
    image.add("fwd", { name });
    same(dumpRaw(Btf.parse(image.build())).text() === `[1] FWD '${name}' fwd_kind=struct\n`, true);
  });

  test("onProgress counts up to all types", async () => {
    const btf = Btf.parse(largeImage().build());
    for (const make of [dumpRaw, dumpJson]) {
      const seen = [];
      await collect(make(btf, { onProgress: (done, total) => seen.push([done, total]) }));
      ok(seen.length > 3, "more than one report");
      ok(
        seen.every(([done, total], i) => total === LARGE + 1 && done >= (seen[i - 1]?.[0] ?? 0)),
        "a rising count",
      );
      same(seen.at(-1)[0], LARGE + 1);
    }
  });

  test("a signal stops a dump before it starts and between two chunks", async () => {
    const btf = Btf.parse(largeImage().build());
    const reason = new Error("enough");
    const early = AbortSignal.abort(reason);
    throws(() => dumpRaw(btf, { signal: early }).text(), { message: "enough" });
    await rejects(collect(dumpRaw(btf, { signal: early })), { message: "enough" });

    const controller = new AbortController();
    let chunks = 0;
    const sink = { aborted: undefined };
    const stream = new WritableStream({
      write: () => {
        chunks++;
        controller.abort(reason);
      },
      abort: (why) => {
        sink.aborted = why;
      },
    });
    await rejects(dumpRaw(btf, { signal: controller.signal }).pipeTo(stream), { message: "enough" });
    same([chunks, sink.aborted], [1, reason]);
    throws(() => dumpJson(btf, { signal: AbortSignal.abort() }).text(), { name: "AbortError" });
    ok(dumpRaw(btf).text().length > 0, "the Btf to be usable after that");
  });

  test("a stream that fails ends pipeTo with its error", async () => {
    const btf = Btf.parse(largeImage().build());
    const stream = new WritableStream({
      write: () => {
        throw new Error("disk full");
      },
    });
    await rejects(dumpRaw(btf).pipeTo(stream), { message: "disk full" });
  });

  test("a reader may leave early", async () => {
    const btf = Btf.parse(largeImage().build());
    for await (const chunk of dumpRaw(btf)) {
      ok(chunk.length > 0);
      break;
    }
    same(dumpRaw(btf, { types: [1] }).text(), `${LINES.int}\n`);
  });

  test("a disposed Btf dumps nothing, not even the rest", async () => {
    const btf = Btf.parse(largeImage().build());
    const expected = { type: BtfError, code: "ERR_DISPOSED" };
    await rejects(
      (async () => {
        for await (const _ of dumpRaw(btf)) btf[Symbol.dispose]();
      })(),
      expected,
    );
    throws(() => dumpJson(btf).text(), expected);
  });
}
