/**
 * Typed access to the structs that host and kernels share. Offsets carry the
 * name of their struct in their type, so that the compiler refuses a field of
 * one struct at the address of another; at run time they are plain numbers.
 * The offsets are made from format/structs.mjs.
 */

declare const struct: unique symbol;
declare const width: unique symbol;

/** Address of a struct in the memory of an arena. */
export type Address<S extends string> = number & { readonly [struct]?: S };

/** Offset of a field of 4 bytes. */
export type Field<S extends string> = number & { readonly [struct]: S; readonly [width]: 32 };

/** Offset of a field of 8 bytes. */
export type Field64<S extends string> = number & { readonly [struct]: S; readonly [width]: 64 };

/** Returns a field, as an unsigned number. */
export function readField<S extends string>(view: DataView, at: Address<S>, field: Field<S>): number {
  return view.getUint32(at + field, true);
}

/** Writes a field. */
export function writeField<S extends string>(view: DataView, at: Address<S>, field: Field<S>, value: number): void {
  view.setUint32(at + field, value, true);
}

/** Writes a field of 8 bytes. */
export function writeField64<S extends string>(view: DataView, at: Address<S>, field: Field64<S>, value: bigint): void {
  view.setBigUint64(at + field, value, true);
}

/** Writes 64 random bits to a seed, so that nobody can craft names or types whose hashes all collide. */
export function writeSeed<S extends string>(view: DataView, at: Address<S>, field: Field64<S>): void {
  for (const half of [0, 4]) view.setUint32(at + field + half, (Math.random() * 2 ** 32) >>> 0, true);
}
