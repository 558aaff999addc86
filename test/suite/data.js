/** `btfkit/data` and `btfkit/generate`: the same values and code in every runtime. What they are is tested elsewhere, against other tools. */
import { ok, same, throws } from "./assert.js";
import { specimen } from "./specimen.js";

/** The types whose codecs `generated` has: `btfkit generate ts` writes them. */
export const GENERATED_TYPES = ["struct:node", "flags", "packed"];

/** Bytes that look random, the same ones for a seed. */
function noise(length, seed) {
  let state = seed >>> 0;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

/** The specimen's struct node with a text, the integers of its union, and a tail of two elements. */
function nodeBytes(isLittle) {
  const bytes = new Uint8Array(84);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, -7, isLittle);
  view.setBigUint64(8, 0xffff888000000010n, isLittle);
  view.setBigUint64(16, 0x0102030405060708n, isLittle);
  bytes.set(new TextEncoder().encode("vmlinux"), 24);
  view.setInt32(72, 0x7fffffff, isLittle);
  view.setInt32(76, 1, isLittle);
  view.setInt32(80, -1, isLittle);
  return bytes;
}

export function dataAndCode({ lib, data, generate, generated, test }) {
  const { Btf } = lib;

  for (const endian of ["little", "big"]) {
    const { bytes: image, id } = specimen({ endian });
    const btf = Btf.parse(image);
    const bytes = nodeBytes(endian === "little");

    test(`decodes ${endian}-endian bytes, and encodes them again`, () => {
      const value = data.decode(btf.get(id.node), bytes);
      same([value.id, value.next, value.wide, value.größe], [-7, 0xffff888000000010n, 0x0102030405060708n, 0x7fffffff]);
      same(value.word, endian === "little" ? 0x05060708 : 0x01020304);
      same(value.names, ["vmlinux", "", ""]);
      same([...value.tail], [1, -1]);
      same([...data.encode(btf.get(id.node), value)], [...bytes]);
    });

    test(`random ${endian}-endian bytes are encoded as they were decoded`, () => {
      for (const name of ["packed", "color", "signedColor", "mask", "signedMask", "float", "long"]) {
        const decoder = data.decoderOf(btf.get(id[name]));
        const encoder = data.encoderOf(btf.get(id[name]));
        for (let seed = 1; seed <= 20; seed++) {
          const random = noise(decoder.byteSize, seed);
          // Which NaN a double is does not survive in every engine.
          if (name === "float") random[endian === "little" ? 7 : 0] = 0x40;
          same([...encoder(decoder(random))], [...random], `${name}, seed ${seed}`);
        }
      }
    });
  }

  const { bytes: image, id } = specimen();
  const btf = Btf.parse(image);

  test("writes values as libbpf and bpftool do", () => {
    const { text } = data.formatData(btf.get(id.packed), Uint8Array.of(65, 1, 0, 0, 0), { compact: true });
    same(text, "(struct packed){.tag = (char)65,.value = (int)1,}");
    const json = data.formatJson(btf.get(id.flags), Uint8Array.of(0x2d, 0x42, 0, 0));
    same(JSON.parse(json), { low: "0x5", high: "0x5", rest: "B" });
  });

  test("names the member at which the data ends", () => {
    throws(() => data.decode(btf.get(id.packed), new Uint8Array(3)), {
      type: data.BtfDataError,
      code: "ERR_DATA_SHORT",
      path: "value",
    });
  });

  test("writes code in every language", () => {
    for (const language of generate.LANGUAGES) {
      const code = generate.generate(btf, language, { types: [btf.get(id.packed)] });
      ok(/\bpacked\b/i.test(code), language);
    }
  });

  if (!generated) return;

  test("generated codecs give the values that the library gives", () => {
    const node = { decode: generated.decodeNode, encode: generated.encodeNode };
    const flags = { decode: generated.decodeFlags, encode: generated.encodeFlags };
    const packed = { decode: generated.decodePacked, encode: generated.encodePacked };
    const bytes = nodeBytes(true);
    const value = data.decode(btf.get(id.node), bytes);
    const own = node.decode(bytes);
    for (const name of ["id", "next", "word", "wide", "größe"]) same(own[name], value[name], name);
    same([own.names, [...own.tail]], [value.names, [...value.tail]]);
    same([...node.encode(own)], [...bytes]);
    for (let seed = 1; seed <= 20; seed++) {
      for (const [codec, type, size] of [
        [flags, id.flags, 4],
        [packed, id.packed, 5],
      ]) {
        const random = noise(size, seed);
        // Bits that no member of flags has.
        if (codec === flags) random.fill(0, 2);
        same(codec.decode(random), data.decode(btf.get(type), random), `seed ${seed}`);
        same([...codec.encode(codec.decode(random))], [...random], `seed ${seed}`);
      }
    }
  });
}
