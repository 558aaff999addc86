/** What an image is made of. */
import type { Btf } from "../btf.js";
import { KINDS, type Kind, kindName } from "../model/kind.js";
import { KIND_COUNT } from "../wasm/abi.js";

/** Own types of one kind. */
export interface KindTally {
  readonly kind: Kind;
  readonly count: number;
  /** Bytes that their records take in the type section. */
  readonly bytes: number;
}

/** Own types and their bytes by kind, in the order of the kinds' numbers; kinds that do not occur are left out. */
export function tally(btf: Btf): KindTally[] {
  const { image } = btf;
  image.check();
  const { arena } = image;
  const mark = arena.mark;
  try {
    const out = arena.allocate(KIND_COUNT * 8);
    arena.run((kernel) => kernel.tally(image.address, out));
    const tallies = new Map<Kind, { count: number; bytes: number }>();
    for (let number = 0; number < KIND_COUNT; number++) {
      const count = arena.view.getUint32(out + number * 4, true);
      if (count === 0) continue;
      const bytes = arena.view.getUint32(out + (KIND_COUNT + number) * 4, true);
      const kind = kindName(number);
      const sum = tallies.get(kind) ?? { count: 0, bytes: 0 };
      tallies.set(kind, { count: sum.count + count, bytes: sum.bytes + bytes });
    }
    const order = [...KINDS, "unknown"] as Kind[];
    return [...tallies]
      .map(([kind, sum]) => ({ kind, ...sum }))
      .sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
  } finally {
    arena.rewind(mark);
  }
}
