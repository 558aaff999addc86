/**
 * xz's filters for machine code ("BCJ"): before packing they made the targets
 * of calls and jumps absolute, here they become relative again. Source: the
 * `.xz` file format 5.3.2, and xz-embedded's xz_dec_bcj.c.
 */
import type { Chunks } from "./reader.js";

/** Turns back what it can of the bytes, which lie at `position` of the code; returns how many are done. */
type Filter = (bytes: Uint8Array, view: DataView, position: number) => number;

function x86(): Filter {
  // Of the last bytes, which were opcodes or high bytes of an address.
  let mask = 0;
  const ALLOWED = [true, true, true, false, true, false, false, false];
  const BIT = [0, 1, 2, 2, 3, 3, 3, 3];
  const isHigh = (byte: number): boolean => byte === 0 || byte === 0xff;
  return (bytes, view, position) => {
    if (bytes.length <= 4) return 0;
    const size = bytes.length - 4;
    let before = -1;
    let i = 0;
    for (; i < size; i++) {
      if ((bytes[i]! & 0xfe) !== 0xe8) continue;
      const distance = i - before;
      if (distance > 3) mask = 0;
      else {
        mask = (mask << (distance - 1)) & 7;
        if (mask !== 0 && (!ALLOWED[mask] || isHigh(bytes[i + 4 - BIT[mask]!]!))) {
          before = i;
          mask = (mask << 1) | 1;
          continue;
        }
      }
      before = i;
      if (isHigh(bytes[i + 4]!)) {
        let source = view.getUint32(i + 1, true);
        let target: number;
        for (;;) {
          target = (source - (position + i + 5)) >>> 0;
          if (mask === 0) break;
          const shift = BIT[mask]! * 8;
          if (!isHigh((target >>> (24 - shift)) & 0xff)) break;
          source = (target ^ (2 ** (32 - shift) - 1)) >>> 0;
        }
        target = (target & 0x01ffffff) | -(target & 0x01000000);
        view.setInt32(i + 1, target, true);
        i += 4;
      } else mask = (mask << 1) | 1;
    }
    const distance = i - before;
    mask = distance > 3 ? 0 : (mask << (distance - 1)) & 7;
    return i;
  };
}

/** Instructions of four bytes, aligned. */
function words(turn: (view: DataView, at: number, position: number) => void): () => Filter {
  return () => (bytes, view, position) => {
    const size = bytes.length & ~3;
    for (let at = 0; at < size; at += 4) turn(view, at, position + at);
    return size;
  };
}

const powerpc = words((view, at, position) => {
  const word = view.getUint32(at);
  if ((word & 0xfc000003) >>> 0 !== 0x48000001) return;
  view.setUint32(at, 0x48000001 | (((word & 0x03fffffc) - position) & 0x03fffffc));
});

const arm = words((view, at, position) => {
  if (view.getUint8(at + 3) !== 0xeb) return;
  const word = view.getUint32(at, true);
  const address = ((word & 0xffffff) << 2) - (position + 8);
  view.setUint32(at, 0xeb000000 | ((address >>> 2) & 0xffffff), true);
});

const sparc = words((view, at, position) => {
  const word = view.getUint32(at);
  if (word >>> 22 !== 0x100 && word >>> 22 !== 0x1ff) return;
  const address = ((word << 2) - position) >>> 2;
  view.setUint32(at, ((0x40000000 - (address & 0x400000)) | 0x40000000 | (address & 0x3fffff)) >>> 0);
});

const arm64 = words((view, at, position) => {
  const word = view.getUint32(at, true);
  if (word >>> 26 === 0x25) {
    view.setUint32(at, 0x94000000 | ((word - (position >>> 2)) & 0x03ffffff), true);
  } else if ((word & 0x9f000000) >>> 0 === 0x90000000) {
    const address = ((word >>> 29) & 3) | ((word >>> 3) & 0x1ffffc);
    // Only addresses within 512 MiB were changed.
    if (((address + 0x020000) & 0x1c0000) !== 0) return;
    const target = address - (position >>> 12);
    const low = (target & 3) << 29;
    const high = (target & 0x03fffc) << 3;
    view.setUint32(at, ((word & 0x9000001f) | low | high | (-(target & 0x020000) & 0xe00000)) >>> 0, true);
  }
});

const armThumb = (): Filter => (bytes, view, position) => {
  let at = 0;
  for (; at + 4 <= bytes.length; at += 2) {
    if ((bytes[at + 1]! & 0xf8) !== 0xf0 || (bytes[at + 3]! & 0xf8) !== 0xf8) continue;
    const [first, second] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
    const address = ((((first & 0x7ff) << 11) | (second & 0x7ff)) << 1) - (position + at + 4);
    view.setUint16(at, 0xf000 | ((address >>> 12) & 0x7ff), true);
    view.setUint16(at + 2, 0xf800 | ((address >>> 1) & 0x7ff), true);
    at += 2;
  }
  return at;
};

/** By filter id. */
const FILTERS: Readonly<Record<number, readonly [name: string, make: () => Filter]>> = {
  4: ["x86", x86],
  5: ["PowerPC", powerpc],
  7: ["ARM", arm],
  8: ["ARM-Thumb", armThumb],
  9: ["SPARC", sparc],
  10: ["ARM64", arm64],
};

export const FILTER_NAMES = Object.values(FILTERS).map(([name]) => name);

/**
 * A filter over chunks, or `undefined` for an unknown one.
 *
 * @param start address of the first byte, as the block's header has it
 */
export function filterOf(id: number, start: number): ((chunks: Chunks) => Chunks) | undefined {
  const make = FILTERS[id]?.[1];
  if (!make) return undefined;
  return async function* (chunks) {
    const filter = make();
    let position = start;
    // An instruction may lie across two chunks: its first bytes wait.
    let waiting = new Uint8Array(0);
    for await (const chunk of chunks) {
      const bytes = new Uint8Array(waiting.length + chunk.length);
      bytes.set(waiting);
      bytes.set(chunk, waiting.length);
      const done = filter(bytes, new DataView(bytes.buffer), position);
      position += done;
      waiting = bytes.slice(done);
      if (done > 0) yield bytes.subarray(0, done);
    }
    if (waiting.length > 0) yield waiting;
  };
}
