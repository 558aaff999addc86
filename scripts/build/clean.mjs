// What an earlier build left must not be published.
import { rmSync } from "node:fs";

for (const folder of ["dist", "build/js"]) rmSync(folder, { recursive: true, force: true });
