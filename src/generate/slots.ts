/** A struct as a row of members and gaps, for languages that have no bitfields and are given each gap as bytes. */

import { type Composite, endOf, type Field } from "./model.js";

/** Bytes that nothing uses. */
export interface PaddingSlot {
  readonly kind: "padding";
  readonly byteOffset: number;
  readonly byteSize: number;
}

/** An ordinary member. */
export interface FieldSlot {
  readonly kind: "field";
  readonly byteOffset: number;
  readonly byteSize: number;
  readonly field: Field;
}

/** The bytes that hold one or more bitfields. */
export interface BitsSlot {
  readonly kind: "bits";
  readonly byteOffset: number;
  readonly byteSize: number;
  readonly fields: readonly Field[];
}

export type Slot = PaddingSlot | FieldSlot | BitsSlot;

/** All bytes of a struct, in their order. */
export function slotsOf(composite: Composite): Slot[] {
  const slots: Slot[] = [];
  let end = 0;
  const padTo = (byteOffset: number): void => {
    if (byteOffset > end) slots.push({ kind: "padding", byteOffset: end, byteSize: byteOffset - end });
  };
  const { fields } = composite;
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i]!;
    const byteOffset = Math.floor(field.bitOffset / 8);
    if (field.bitSize === 0) {
      padTo(byteOffset);
      slots.push({ kind: "field", byteOffset, byteSize: field.form.byteSize, field });
      end = byteOffset + field.form.byteSize;
      continue;
    }
    padTo(byteOffset);
    const group = [field];
    let groupEnd = Math.ceil(endOf(field) / 8);
    for (let next = fields[i + 1]; next && next.bitSize > 0 && next.bitOffset <= groupEnd * 8; next = fields[i + 1]) {
      group.push(next);
      groupEnd = Math.ceil(endOf(next) / 8);
      i++;
    }
    slots.push({ kind: "bits", byteOffset, byteSize: groupEnd - byteOffset, fields: group });
    end = groupEnd;
  }
  padTo(composite.byteSize);
  return slots;
}

/** The members of a union, and bytes that make up its size where they do not. */
export function unionSlots(composite: Composite): Slot[] {
  const slots: Slot[] = composite.fields.map((field): Slot => {
    const { form, bitSize } = field;
    if (bitSize > 0) return { kind: "bits", byteOffset: 0, byteSize: Math.ceil(bitSize / 8), fields: [field] };
    return { kind: "field", byteOffset: 0, byteSize: form.byteSize, field };
  });
  const largest = Math.max(0, ...slots.map(({ byteSize }) => byteSize));
  if (largest < composite.byteSize) slots.push({ kind: "padding", byteOffset: 0, byteSize: composite.byteSize });
  return slots;
}
