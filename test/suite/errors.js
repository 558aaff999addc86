/** What is refused, and what the error says. */
import { ok, same, throws } from "./assert.js";
import { ImageBuilder, SIGNED } from "./image.js";
import { specimen } from "./specimen.js";

/** A copy of an image with the 32-bit field at `offset` set. */
function withField(bytes, offset, value) {
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint32(offset, value, true);
  return copy;
}

export function errors({ lib, test }) {
  const { Btf, BtfEnvironmentError, BtfError, BtfFormatError, BtfInternalError, BtfLimitError, BtfLookupError } = lib;
  const { bytes } = specimen();
  const typesLength = Btf.parse(bytes).header.typesLength;
  const at = 24;

  /** An image of `add`'s types; sizes of the strings and types as they come out. */
  const image = (add) => {
    const builder = new ImageBuilder();
    add(builder);
    return builder.build();
  };

  const refused = {
    ERR_BTF_EMPTY: [new Uint8Array(0)],
    ERR_BTF_MAGIC: [new Uint8Array(100), { offset: 0, message: /0x0/ }],
    ERR_BTF_HEADER_TRUNCATED: [bytes.slice(0, 20), { offset: 0, details: { value: 20, limit: 24 } }],
    ERR_BTF_STRINGS_BOUNDS: [bytes.slice(0, -1), { offset: 16 }],
    ERR_BTF_TYPES_BOUNDS: [withField(bytes, 12, typesLength + 4), { offset: 8 }],
    ERR_BTF_TYPES_ALIGNMENT: [
      withField(withField(bytes, 8, 2), 12, typesLength - 4),
      { offset: 8, details: { value: 2 } },
    ],
    ERR_BTF_STRINGS_EMPTY: [withField(bytes, 20, 0), { offset: 20 }],
    ERR_BTF_STRINGS_END: [withField(bytes, 20, 3)],
    ERR_BTF_STRINGS_START: [withField(withField(bytes, 16, typesLength + 1), 20, 4), { offset: at + typesLength + 1 }],
    ERR_BTF_KIND: [image((to) => to.add(20, { name: "x" })), { offset: at, typeId: 1, details: { value: 20 } }],
    ERR_BTF_TYPE_TRUNCATED: [image((to) => to.add("struct", { vlen: 2 }, [0, 0, 0])), { offset: at, typeId: 1 }],
    ERR_BTF_TYPE_TRAILING: [
      image((to) => to.add("ptr", {}, [0, 0])),
      { offset: at + 12, typeId: 2, details: { value: 8 } },
    ],
    ERR_BTF_NAME_OFFSET: [
      withField(
        image((to) => to.int("int", 4, SIGNED)),
        at,
        99,
      ),
      { offset: at, typeId: 1, details: { value: 99 } },
    ],
    ERR_BTF_TYPE_ID: [image((to) => to.ref("ptr", 2)), { offset: at + 8, typeId: 1, details: { value: 2, limit: 1 } }],
    ERR_BTF_FUNC_PROTO: [
      image((to) => to.func("f", to.int("int", 4, SIGNED), 1)),
      { offset: at + 16 + 8, typeId: 2, details: { value: 1 } },
    ],
    ERR_ELF_TRUNCATED: [new Uint8Array([0x7f, 0x45, 0x4c, 0x46])],
    ERR_ELF_HEADER: [new Uint8Array(64).fill(0x7f, 0, 1).map((byte, i) => [0x7f, 0x45, 0x4c, 0x46, 3][i] ?? byte)],
    ERR_ELF_NO_BTF: [new Uint8Array(64).map((_, i) => [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1][i] ?? 0)],
  };
  for (const [code, [input, expected = {}]] of Object.entries(refused)) {
    test(`refuses with ${code}`, () => {
      const error = throws(() => Btf.parse(input), { type: BtfFormatError, code, name: "BtfFormatError", ...expected });
      ok(error instanceof BtfError && error instanceof Error);
      ok(error.message.length > 10 && !error.message.includes("undefined"), `a text, got ${error.message}`);
      if (error.offset !== undefined) ok(error.message.endsWith(`(at byte ${error.offset})`), error.message);
      same(Object.keys(error).includes("details"), false);
    });
  }

  test("refuses an unknown kind in the other byte order", () => {
    const builder = new ImageBuilder({ endian: "big" });
    builder.add(20, { name: "x" });
    throws(() => Btf.parse(builder.build()), { type: BtfFormatError, code: "ERR_BTF_KIND", message: /byte order/ });
  });

  test("each class of errors is a BtfError with its own name", () => {
    for (const [name, type] of Object.entries({
      BtfEnvironmentError,
      BtfFormatError,
      BtfInternalError,
      BtfLimitError,
      BtfLookupError,
    })) {
      const error = new type({ code: "ERR_INTERNAL", text: ({ note }) => note }, { note: "test" }, { cause: 1 });
      ok(error instanceof BtfError);
      same([error.name, error.code, error.cause], [name, "ERR_INTERNAL", 1]);
      ok(String(error).startsWith(`${name}: `), String(error));
    }
    same(new BtfError({ code: "ERR_DISPOSED", text: () => "" }).name, "BtfError");
  });

  test("no mutation of an image gets past BtfError", () => {
    // A small linear generator: the same mutations everywhere.
    let state = 1;
    const random = (limit) => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
    for (let i = 0; i < 1000; i++) {
      const mutant = bytes.slice();
      for (let j = random(4); j >= 0; j--) mutant[random(mutant.length)] = random(256);
      try {
        const btf = Btf.parse(mutant);
        lib.dumpRaw(btf).text();
        for (const type of btf) type.toJSON();
      } catch (error) {
        ok(
          error instanceof BtfError && !(error instanceof BtfInternalError),
          `mutation ${i} to be refused, got ${error}`,
        );
      }
    }
  });
}
