/** Opens the BPF object OBJ of a command. */

import { basename } from "node:path";
import { type BpfObject, readObject } from "../bpf/object/object.js";
import { readBytes } from "../node/file.js";
import { inputError } from "./input-error.js";

export function openObjectInput(file: string): BpfObject {
  try {
    return readObject(readBytes(file === "-" ? 0 : file));
  } catch (cause) {
    throw inputError(file, cause);
  }
}

/** Tells whether a name of an object, which may be hostile, is the name of a file in a folder. */
export function isFileName(name: string): boolean {
  return !/^\.{0,2}$|\//.test(name);
}

/** The name that an object goes by: that of its file without endings. */
export function objectName(file: string): string {
  return (file === "-" ? "" : basename(file).split(".")[0]) || "object";
}
