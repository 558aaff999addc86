/** Attaches programs to static probes (USDT). Source: libbpf's usdt.c and usdt.bpf.h. */
import { BtfLookupError } from "../../errors/error.js";
import { ERR_LIVE_ATTACH } from "../../errors/live.js";
import type { BpfMap } from "../map.js";
import type { System } from "../system.js";
import { SPEC_SIZE, usdtSpec } from "./usdt-arguments.js";
import type { UsdtProbe } from "./usdt-probes.js";

/** The map of usdt.bpf.h that has a spec of arguments at each index. */
export const USDT_SPECS = "__bpf_usdt_specs";

/** Specs of arguments in an object's map: each attached probe has the number of one as its cookie. */
export class UsdtSpecs {
  readonly #map: BpfMap;
  readonly #free: number[] = [];
  #next = 0;

  constructor(map: BpfMap) {
    this.#map = map;
  }

  /**
   * Puts the specs of probes in place, one for those whose arguments are at the same places.
   *
   * @returns their numbers, probe by probe
   * @throws BtfLookupError ERR_LIVE_ATTACH for arguments that programs cannot read, or too many
   */
  place(program: string, probes: readonly UsdtProbe[], cookie: bigint): UsdtPlaces {
    const refuse = (note: string, cause?: unknown): never => {
      throw new BtfLookupError(ERR_LIVE_ATTACH, { name: program, note }, { cause });
    };
    const { maxEntries, valueByteSize } = this.#map.info;
    if (valueByteSize !== SPEC_SIZE)
      refuse(`map "${USDT_SPECS}" has values of ${valueByteSize} bytes instead of ${SPEC_SIZE}`);
    const system: System = this.#map.system;
    const specs = new Map<string, Uint8Array>();
    try {
      for (const probe of probes) {
        if (!specs.has(probe.arguments))
          specs.set(probe.arguments, usdtSpec(probe.arguments, cookie, system.architecture));
      }
    } catch (cause) {
      if (cause instanceof RangeError) refuse(cause.message, cause);
      throw cause;
    }
    const taken = new Map<string, number>();
    const release = (): void => void this.#free.push(...taken.values());
    for (const [text, spec] of specs) {
      const id = this.#free.pop() ?? this.#next++;
      taken.set(text, id);
      if (id < maxEntries) {
        this.#map.set(new Uint8Array(Uint32Array.of(id).buffer), spec);
        continue;
      }
      taken.delete(text);
      this.#next--;
      release();
      refuse(`map "${USDT_SPECS}" has room for ${maxEntries} probes: give it more entries`);
    }
    return { ids: probes.map((probe) => BigInt(taken.get(probe.arguments)!)), [Symbol.dispose]: release };
  }
}

/** Specs that attached probes use, until they are disposed of. */
export interface UsdtPlaces extends Disposable {
  readonly ids: readonly bigint[];
}
