// Sizes, natural alignments, members and what is free between them: the rules
// of src/inspect/layout/shapes.ts where it follows pahole.
import { kindFlag } from "../format/image";
import {
  after,
  cacheline,
  compatible,
  countOf,
  fail,
  failed,
  infoOf,
  isEnum,
  isStruct,
  kindAt,
  knownOf,
  named,
  pointerSize,
  recordAt,
  take,
  targetOf,
  wordOf,
} from "./state";

const DEPTH_LIMIT: u32 = 200;
let depth: u32 = 0;

@unmanaged
export class Field {
  name: u32;
  typeId: u32;
  bitOffset: u32;
  byteOffset: u32;
  byteSize: u32;
  alignment: u32;
  hole: i32;
  bitfieldBits: u8;
  bitfieldOffset: u8;
  bitHole: u8;
  unused: u8;
}

@unmanaged
export class Composite {
  id: u32;
  size: u32;
  alignment: u32;
  count: u32;
  fields: usize;
  holes: u32;
  bitHoles: u32;
  preHole: u32;
  preBitHole: u32;
  padding: u32;
  bitPadding: u32;
  /** 0: not looked for; 1: no; 2: yes. */
  endsFlexible: u8;
  embedsFlexible: u8;
  holesFound: u8;
  packedKnown: u8;
  packed: u8;
  isStruct: u8;
}

// @ts-ignore: decorator
@inline
export function fieldAt(composite: Composite, index: u32): Field {
  return changetype<Field>(composite.fields + index * offsetof<Field>());
}

/** Without typedefs and qualifiers. */
export function strip(id: u32): u32 {
  if (!id) return 0;
  const known = knownOf(id);
  if (known.stripped) return known.stripped - 1;
  let at = id;
  for (let steps: u32 = 0; ; steps++) {
    const kind = kindAt(at);
    if ((kind < 8 || kind > 11) && (compatible || kind != 18)) break;
    if (steps == DEPTH_LIMIT) {
      fail();
      return 0;
    }
    at = targetOf(at);
  }
  known.stripped = at + 1;
  return at;
}

export function sizeOf(id: u32): u32 {
  if (!id) return 0;
  const known = knownOf(id);
  if (known.size) return known.size - 1;
  let size: u64 = 0;
  switch (kindAt(id)) {
    case 2:
    case 13:
      size = pointerSize;
      break;
    case 1:
      size = (after(id, 0) & 0xff) >> 3;
      if (!compatible && size != wordOf(id)) fail();
      break;
    case 16:
      size = wordOf(id);
      break;
    case 6:
    case 19:
      size = wordOf(id) || 4;
      break;
    case 4:
    case 5:
      size = wordOf(id) == 1 && !countOf(id) ? 0 : wordOf(id);
      break;
    case 7:
      break;
    default:
      if (++depth > DEPTH_LIMIT) fail();
      else {
        size = sizeOf(targetOf(id));
        if (kindAt(id) == 3) size *= after(id, 2);
      }
      depth--;
  }
  // What does not fit the host's numbers is left to the host.
  if (size > 0x0fffffff) {
    fail();
    return 0;
  }
  known.size = <u32>size + 1;
  return <u32>size;
}

/** Alignment that a stripped type has by itself, at least 1. */
export function naturalOf(id: u32): u32 {
  if (!id) return 1;
  const known = knownOf(id);
  if (known.natural) {
    if (known.natural == u32.MAX_VALUE) {
      fail();
      return 1;
    }
    return known.natural;
  }
  let natural: u32 = 1;
  switch (kindAt(id)) {
    case 1:
    case 2:
    case 6:
    case 16:
    case 19:
      natural = sizeOf(id);
      break;
    case 4:
    case 5:
      if (++depth > DEPTH_LIMIT) fail();
      else {
        known.natural = u32.MAX_VALUE;
        natural = 0;
        const record = recordAt(id);
        for (let i: u32 = 0, count = countOf(id); i < count && !failed; i++) {
          const member = load<u32>(record + 12 + i * 12, 4);
          const stripped = strip(kindAt(member) ? member : 0);
          if (stripped) natural = max(natural, naturalOf(stripped));
        }
      }
      depth--;
      break;
    case 3:
      if (++depth > DEPTH_LIMIT) fail();
      else natural = naturalOf(strip(targetOf(id)));
      depth--;
      break;
  }
  known.natural = natural || 1;
  return known.natural;
}

/** The alignment that something at `offset` must have asked for, 0 where its natural one explains the gap. */
function inferAlignment(offset: u32, natural: u32, earliest: u32): u32 {
  const gap = <i32>(offset - earliest);
  if (gap <= 0 || offset & 1) return 0;
  const alignment: u32 = 1 << (32 - clz(<u32>gap));
  if (alignment <= natural || alignment == 1) return 0;
  return alignment < cacheline && cacheline % alignment == 0 && offset % cacheline == 0 ? cacheline : alignment;
}

export function compositeOf(id: u32): Composite {
  const known = knownOf(id);
  if (known.composite) return changetype<Composite>(known.composite);
  const isDefined = kindAt(id) != 7;
  const count = isDefined ? countOf(id) : 0;
  const composite = changetype<Composite>(take(offsetof<Composite>()));
  const fields = take(<usize>count * offsetof<Field>());
  known.composite = changetype<usize>(composite);
  composite.id = id;
  composite.isStruct = isStruct(id) ? 1 : 0;
  composite.size = isDefined ? wordOf(id) : 0;
  composite.fields = fields;
  if (failed || composite.size > 0x0fffffff) {
    fail();
    return composite;
  }
  composite.count = count;
  const isFlagged = isDefined && kindFlag(infoOf(id));
  let earliest: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const at = recordAt(id) + 12 + i * 12;
    const field = fieldAt(composite, i);
    const offset = load<u32>(at, 8);
    const typeId = load<u32>(at, 4);
    field.name = named(load<u32>(at));
    field.typeId = kindAt(typeId) ? typeId : 0;
    const bitOffset = isFlagged ? offset & 0xffffff : offset;
    const bits = isFlagged ? offset >> 24 : 0;
    if (bitOffset > 0x7fffffff || !field.typeId) fail();
    field.bitOffset = bitOffset;
    field.bitfieldBits = <u8>bits;
    let byteOffset = bitOffset >> 3;
    const type = strip(field.typeId);
    if (type) {
      const size = sizeOf(type);
      const kind = kindAt(type);
      if (bits && size && (kind == 1 || kind == 16 || isEnum(type))) {
        const unit = size << 3;
        byteOffset = (bitOffset / unit) * size;
        field.bitfieldOffset = <u8>(bitOffset - (byteOffset << 3));
      }
      field.byteSize = size;
      field.alignment = inferAlignment(byteOffset, naturalOf(type), earliest);
      if (size) earliest = byteOffset + (bits ? (<u32>field.bitfieldOffset + bits + 7) >> 3 : size);
    }
    field.byteOffset = byteOffset;
  }
  if (isDefined) composite.alignment = inferAlignment(composite.size, naturalOf(id), earliest);
  return composite;
}

export function findHoles(composite: Composite): void {
  if (composite.holesFound || !composite.isStruct) return;
  composite.holesFound = 1;
  let last = changetype<Field>(0);
  let unitEnd: i32 = composite.size << 3;
  let unitBits: i32 = 0;
  let seen: i32 = 0;
  let inBitfield = false;
  for (let i: u32 = 0; i < composite.count; i++) {
    const field = fieldAt(composite, i);
    const start: i32 = field.bitOffset;
    const width: i32 = field.bitfieldBits ? <i32>field.bitfieldBits : field.byteSize << 3;
    const end = start + width;
    let bitHole: i32 = 0;
    let hole: i32 = 0;
    if (inBitfield) {
      const bitfieldEnd = min(start, unitEnd);
      bitHole = bitfieldEnd - seen;
      seen = bitfieldEnd;
    }
    if (field.bitfieldBits) {
      const unitStart: i32 = field.byteOffset << 3;
      if (seen < unitStart && unitStart <= start) {
        hole = field.byteOffset - (seen >> 3);
        seen = unitStart;
      }
      bitHole += start - seen;
    } else hole = (start >> 3) - (seen >> 3);
    seen = end;
    if (field.bitfieldBits) {
      inBitfield = true;
      const bits: i32 = field.byteSize << 3;
      if (end > unitEnd || bits > unitBits) {
        unitBits = bits;
        unitEnd = (field.byteOffset << 3) + unitBits;
        if (end > unitEnd) unitEnd += unitBits;
      }
    } else {
      inBitfield = false;
      unitBits = 0;
      unitEnd = end;
    }
    if (changetype<usize>(last)) {
      last.hole = hole;
      last.bitHole = <u8>bitHole;
    } else {
      composite.preHole = hole & 0xffff;
      composite.preBitHole = bitHole & 0xff;
    }
    if (!compatible && (bitHole < 0 || bitHole > 0xff || (!changetype<usize>(last) && hole > 0xffff))) fail();
    if (bitHole) composite.bitHoles = (composite.bitHoles + 1) & 0xff;
    if (hole > 0) composite.holes = (composite.holes + 1) & 0xff;
    last = field;
  }
  if (inBitfield) {
    const bitfieldEnd = min<i32>(composite.size << 3, unitEnd);
    composite.bitPadding = (bitfieldEnd - seen) & 0xff;
    seen = bitfieldEnd;
  }
  composite.padding = (composite.size - (seen >> 3)) & 0xffff;
  if (compatible) return;
  // pahole keeps these in 8 and 16 bits: numbers that do not fit are the host's.
  const padding: i32 = composite.size - (seen >> 3);
  if (padding < 0 || padding > 0xffff || composite.count > 250) checkWidths(composite);
  if (padding < 0 || padding > 0xffff) fail();
}

/** Fails where a struct may have more holes than 8 bits hold. */
function checkWidths(composite: Composite): void {
  let holes: u32 = 0;
  let bitHoles: u32 = 0;
  for (let i: u32 = 0; i < composite.count; i++) {
    const field = fieldAt(composite, i);
    if (field.hole > 0) holes++;
    if (field.bitHole) bitHoles++;
  }
  if (holes > 250 || bitHoles > 250) fail();
}

function mark(id: u32): void {
  const inner = compositeOf(id);
  inner.packed = 1;
  inner.packedKnown = 1;
}

export function inferPacked(composite: Composite): void {
  if (!composite.isStruct || composite.packedKnown) return;
  findHoles(composite);
  composite.packed = 0;
  if (composite.padding || composite.holes) {
    for (let i: u32 = 0; i < composite.count; i++) {
      const field = fieldAt(composite, i);
      const type = strip(field.typeId);
      if (type && isStruct(type) && field.byteOffset % naturalOf(type)) mark(type);
    }
  } else {
    let widest: u32 = 1;
    let i: u32 = 0;
    for (; i < composite.count; i++) {
      const field = fieldAt(composite, i);
      const natural = naturalOf(strip(field.typeId));
      if (natural == 1) continue;
      widest = max(widest, natural);
      if (field.byteOffset % natural) break;
    }
    composite.packed = i < composite.count || composite.size % widest ? 1 : 0;
  }
  composite.packedKnown = 1;
}

export function inferPackedInUnion(union: Composite): void {
  if (union.packedKnown) return;
  for (let i: u32 = 0; i < union.count; i++) {
    const type = strip(fieldAt(union, i).typeId);
    if (type && isStruct(type) && union.size % naturalOf(type)) mark(type);
  }
  union.packedKnown = 1;
}

export function endsInFlexibleArray(composite: Composite): bool {
  if (!composite.endsFlexible) {
    let ends = false;
    if (composite.count && kindAt(composite.id) == 4) {
      const last = fieldAt(composite, composite.count - 1).typeId;
      ends = kindAt(last) == 3 && after(last, 2) == 0;
    }
    composite.endsFlexible = ends ? 2 : 1;
  }
  return composite.endsFlexible == 2;
}

export function embedsFlexibleArray(composite: Composite): bool {
  if (!composite.isStruct) return false;
  if (composite.embedsFlexible) return composite.embedsFlexible == 2;
  composite.embedsFlexible = 1;
  if (++depth > DEPTH_LIMIT) fail();
  else {
    for (let i: u32 = 0; i < composite.count; i++) {
      const type = strip(fieldAt(composite, i).typeId);
      if (!type || !isStruct(type)) continue;
      const inner = compositeOf(type);
      if (endsInFlexibleArray(inner) || (type != composite.id && embedsFlexibleArray(inner))) {
        composite.embedsFlexible = 2;
        break;
      }
    }
  }
  depth--;
  return composite.embedsFlexible == 2;
}
