/** The opened kernels: their Btfs, which this thread alone can read, and what is derived of them once. */
import { type Btf, type BtfType, tally } from "btfkit";
import { type Relations, relations } from "btfkit/inspect";
import type { KernelInfo, TypeRef } from "../protocol.js";
import { identityOf } from "./identity.js";

export interface Image {
  readonly name: string;
  readonly btf: Btf;
}

export type Origin = Pick<KernelInfo, "name" | "release" | "architecture" | "steps">;

export class OpenKernel {
  readonly kernel: number;
  readonly origin: Origin;
  readonly images: Image[];
  readonly skipped: string[] = [];
  readonly identity: string;
  milliseconds = 0;
  #relations: Relations | undefined;

  constructor(kernel: number, origin: Origin, btf: Btf) {
    this.kernel = kernel;
    this.origin = origin;
    this.images = [{ name: origin.name, btf }];
    this.identity = identityOf(btf);
  }

  get btf(): Btf {
    return this.images[0]!.btf;
  }

  get btfs(): Btf[] {
    return this.images.map(({ btf }) => btf);
  }

  /** Who holds what, in the kernel and its modules; made with the first question. */
  get relations(): Relations {
    this.#relations ??= relations(this.btfs);
    return this.#relations;
  }

  /** Adds a module whose base is this kernel. */
  add(image: Image): void {
    this.images.push(image);
    this.#relations = undefined;
  }

  info(): KernelInfo {
    const { kernel, origin, images, skipped, identity, milliseconds, btf } = this;
    return {
      ...origin,
      kernel,
      identity,
      types: images.reduce((sum, image) => sum + image.btf.size - image.btf.firstId, 0),
      byteLength: images.reduce((sum, image) => sum + image.btf.byteLength, 0),
      endian: btf.endian,
      pointerSize: btf.pointerSize,
      kinds: tally(btf),
      images: images.map(({ name }) => name),
      skipped,
      milliseconds,
    };
  }

  refOf(type: BtfType): TypeRef {
    return { kernel: this.kernel, image: Math.max(0, this.btfs.indexOf(type.btf)), id: type.id };
  }
}

const opened = new Map<number, OpenKernel>();
let last = 0;

export function addKernel(origin: Origin, btf: Btf): OpenKernel {
  const kernel = new OpenKernel(++last, origin, btf);
  opened.set(kernel.kernel, kernel);
  return kernel;
}

export function kernelOf(kernel: number): OpenKernel {
  const found = opened.get(kernel);
  if (!found) throw new Error("this kernel is not open any more");
  return found;
}

export function closeKernel(kernel: number): void {
  opened.get(kernel)?.btf[Symbol.dispose]();
  opened.delete(kernel);
}

/** Returns the kernel and the type that a reference means. */
export function typeOf({ kernel, image, id }: TypeRef): { readonly kernel: OpenKernel; readonly type: BtfType } {
  const found = kernelOf(kernel);
  const type = found.images[image]?.btf.get(id);
  if (!type) throw new Error(`${found.origin.name} has no type ${id}`);
  return { kernel: found, type };
}
