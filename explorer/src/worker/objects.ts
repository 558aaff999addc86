/** The opened BPF objects, for the matrix of checks. */
import type { BpfObject } from "btfkit/bpf";
import type { ObjectInfo } from "../protocol.js";

export interface OpenObject {
  readonly object: BpfObject;
  readonly info: ObjectInfo;
  readonly hasBtf: boolean;
}

const objects = new Map<number, OpenObject>();
let last = 0;

/** Reads an object. @throws as `readObject` of `btfkit/bpf` */
export async function addObject(name: string, bytes: Uint8Array): Promise<OpenObject> {
  const { readObject } = await import("btfkit/bpf");
  const object = readObject(bytes);
  const info = { object: ++last, name, programs: object.programs.length, byteLength: bytes.length };
  const opened = { object, info, hasBtf: object.hasBtf };
  objects.set(info.object, opened);
  return opened;
}

export function objectOf(object: number): OpenObject {
  const found = objects.get(object);
  if (!found) throw new Error("this object is not open any more");
  return found;
}
