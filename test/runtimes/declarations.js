/** The package's declarations, as a strict TypeScript project sees them. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { output } from "./process.js";
import { check } from "./report.js";

const tsc = fileURLToPath(new URL("../../node_modules/.bin/tsc", import.meta.url));

/** How projects find modules: as Node does, and as bundlers do. */
const RESOLUTIONS = { nodenext: "nodenext", bundler: "esnext" };

export async function checkDeclarations(folder, print) {
  for (const [resolution, module] of Object.entries(RESOLUTIONS)) {
    await check(print, `declarations compile with moduleResolution ${resolution}`, async () => {
      const options = {
        target: "es2022",
        lib: "es2022,dom,dom.asynciterable",
        types: "",
        module,
        moduleResolution: resolution,
      };
      const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
      const command = [tsc, "--noEmit", "--strict", ...flags, join(folder, "guest/types.ts")];
      const { code, stdout } = await output(command, { cwd: folder });
      if (code !== 0) throw new Error(stdout.toString());
    });
  }
}
