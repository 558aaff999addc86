import { type BpfObject, readObject } from "../../bpf/object/object.js";
import type { PlanOptions } from "../../load/plan.js";
import { planObject } from "../../load/plan-object.js";
import type { Kernel } from "../kernel.js";
import type { BpfMap } from "../map.js";
import { create } from "./create.js";
import { type AnyApp, type AppShape, LoadedObject } from "./loaded-object.js";
import { runningTarget } from "./target.js";

/** What may be set before an object is loaded. */
export interface LoadOptions extends PlanOptions {
  /** Open maps that are used in place of new ones, by the object's names for them. They stay open. Source: bpf_map__reuse_fd. */
  readonly reuse?: Readonly<Record<string, BpfMap>>;
}

/**
 * Loads an object into the running kernel.
 *
 * @param source the object's file, its bytes, or the object
 * @throws BtfLoadError where no kernel like this one takes it; BtfVerifierError; BtfSystemError; as `readObject`
 */
export function loadObject<A extends AppShape = AnyApp>(
  kernel: Kernel,
  source: string | Uint8Array | BpfObject,
  { reuse = {}, ...options }: LoadOptions,
): LoadedObject<A> {
  const { readFileSync } = process.getBuiltinModule("node:fs");
  const { basename } = process.getBuiltinModule("node:path");
  const object =
    typeof source === "string"
      ? readObject(readFileSync(source))
      : source instanceof Uint8Array
        ? readObject(source)
        : source;
  const target = runningTarget(kernel, object);
  const name = typeof source === "string" ? basename(source).split(".")[0] : undefined;
  const plan = planObject(object, target, { ...(name && { name }), ...options });
  if (plan.error) throw plan.error;
  return new LoadedObject<A>(kernel, object, plan, create(kernel, plan, target.modules, reuse));
}
