/** Ids of types that are being built. */

declare const BUILT: unique symbol;

/**
 * The id of a type in a builder: what its methods return. Other numbers, such as
 * lengths and sizes, are none; `BtfBuilder.id` makes one of a number.
 */
export type TypeId = number & { readonly [BUILT]: true };
