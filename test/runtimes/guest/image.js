/** `btfkit/image`: what packs kernels, unpacked by the installed package. */
import * as lib from "btfkit/image";
import { containers } from "../suite/containers.js";
import { run } from "../suite/run.js";

export async function main({ print }) {
  await run((test) => containers({ lib, test }), print);
}
