/** `bpftool gen min_core_btf`. */
import { readFileSync } from "node:fs";
import { Minimizer } from "../../bpf/core-relocation/minimize.js";
import { readObject } from "../../bpf/object/object.js";
import { BtfError } from "../../errors/error.js";
import { openFile } from "../../node/file.js";
import { openOutput } from "../output.js";
import { type Arguments, ToolError } from "./session.js";

/** Writes the smallest BTF that objects need on a kernel. */
export async function minimizeFile(args: Arguments): Promise<void> {
  args.require(3);
  const [input, path, ...objects] = args.rest() as [string, string, ...string[]];
  try {
    const minimizer = new Minimizer(openFile(input));
    for (const object of objects) minimizer.add(readObject(readFileSync(object)));
    const output = openOutput(path, 1);
    await output.write(minimizer.toBytes());
    await output.commit();
  } catch (error) {
    if (error instanceof BtfError || (error as NodeJS.ErrnoException).code) {
      throw new ToolError((error as Error).message);
    }
    throw error;
  }
}
