/** A host that refuses WebAssembly: the error says what helps, and importing beside `btfkit/js` does. */
import { Btf, BtfEnvironmentError, init } from "btfkit";
import { verify } from "btfkit/edit";
import { rejects, same, throws } from "../suite/assert.js";
import { run } from "../suite/run.js";
import { specimen } from "../suite/specimen.js";

export async function main({ read, print }) {
  const { bytes, image } = specimen();
  const expected = {
    type: BtfEnvironmentError,
    code: "ERR_WASM",
    message: /script-src 'wasm-unsafe-eval'.* btfkit\/js/,
  };
  const wasm = await read("node_modules/btfkit/dist/kernel.wasm");
  await run((test) => {
    test("opening says what helps", () => throws(() => Btf.parse(bytes), expected));
    test("editing says what helps", () => throws(() => verify(bytes), expected));
    test("init says what helps", async () => {
      await rejects(init(), expected);
      await rejects(init(wasm), expected);
    });
    test("btfkit/js helps, also whom it is imported beside", async () => {
      const lib = await import("btfkit/js");
      same(lib.Btf === Btf, true);
      same(Btf.parse(bytes).size, image.nextId);
      await import("btfkit/js/edit");
      same(verify(bytes).ok, false);
    });
  }, print);
}
