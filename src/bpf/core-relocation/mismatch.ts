/** Where a local spec and a candidate part: found while matching, told to whoever explains. */
import type { ArrayType, BtfType, Member } from "../../btf/types.js";
import type { Accessor } from "./spec.js";

/** Why a candidate does not match. */
export type Mismatch =
  /** The types have other shapes: kinds that ask about a type. */
  | { readonly kind: "shape" }
  /** The candidate is no enum, or lacks the enumerator. */
  | { readonly kind: "enumerator"; readonly type: BtfType; readonly accessor: Accessor }
  /** A member, or what an index is to point into, is missing at the end of the path so far. */
  | (BrokenPath & { readonly kind: "member" })
  /** The member is there, and its type cannot be read as the local one. */
  | (BrokenPath & { readonly kind: "member-type"; readonly member: Member })
  /** The roots cannot stand for each other. */
  | { readonly kind: "root"; readonly type: BtfType }
  | (BrokenPath & { readonly kind: "array" })
  | (BrokenPath & { readonly kind: "element"; readonly array: ArrayType });

/** A path that ends before the local one does. */
export interface BrokenPath {
  /** The accessors that match. */
  readonly walked: readonly Accessor[];
  /** The target's type at their end. */
  readonly at: BtfType;
  /** The local accessor that has no match. */
  readonly accessor: Accessor;
}

/** What matching returns: the target's spec, or where it parts from the local one. */
export type Matched<T> =
  | { readonly spec: T; readonly mismatch?: never }
  | { readonly spec?: never; readonly mismatch: Mismatch };
