/** Kernel images and packages: each decoder, loaded where it is met, in every runtime. */
import { rejects, same } from "./assert.js";
import { PACKED } from "./packed.js";
import { specimen, splitOn } from "./specimen.js";
import { tar } from "./tar.js";

const bytesOf = (base64) => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));

/** @param lib what `btfkit/image` exports */
export function containers({ lib: { extractBtf, openImage, openModules }, test }) {
  for (const [kind, base64] of Object.entries(PACKED)) {
    test(`unpacks ${kind}`, async () => {
      const { bytes, steps } = await extractBtf(bytesOf(base64));
      same(
        steps.map((step) => step.kind),
        [kind.split(",")[0], "BTF"],
      );
      same(Array.from(bytes), Array.from(specimen().bytes));
    });

    test(`tells where ${kind} breaks off`, async () => {
      const whole = bytesOf(base64);
      const half = whole.length >> 1;
      await rejects(openImage(whole.slice(0, half)), { code: "ERR_IMAGE_TRUNCATED", offset: half });
    });
  }

  test("opens a package with its modules, from a stream", async () => {
    const base = specimen();
    const module = splitOn(base);
    const files = {
      "boot/vmlinuz": base.bytes,
      "lib/modules/a-b.ko": module.bytes,
      "lib/modules/bad.ko": new Uint8Array(9),
    };
    const image = await openImage(new Blob([tar(files)]).stream(), { modules: true });
    same([image.btf.size, image.steps.map(({ kind }) => kind)], [base.image.nextId, ["tar", "BTF"]]);
    const { modules, skipped } = await openModules(image);
    same([modules.map(({ name }) => name), modules[0].btf.find("module").id], [["a_b"], module.id.module]);
    same(
      skipped.map(({ name, error }) => [name, error.code]),
      [["bad", "ERR_IMAGE_UNKNOWN"]],
    );
    const chosen = await openImage(tar(files), { member: "a-b" });
    same(chosen.btf.base.size, base.image.nextId);
  });
}
