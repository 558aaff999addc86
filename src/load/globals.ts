/** Values of global variables that a user sets before an object is loaded. */

import { sizeOf } from "../btf/query/resolve.js";
import { ERR_ARGUMENT } from "../errors/btf.js";
import { BtfError } from "../errors/error.js";
import type { DraftMap } from "./maps.js";
import { skipModifiers } from "./modifiers.js";
import type { ObjectTypes } from "./types.js";

/** By name: a number, a bigint or a bool for an integer or enum, a text for an array of char, or bytes for anything. */
export type GlobalValues = Readonly<Record<string, number | bigint | boolean | string | Uint8Array>>;

/** @throws BtfError ERR_ARGUMENT for a variable that the object does not have, or a value that does not fit it */
export function setGlobals(values: GlobalValues, types: ObjectTypes, maps: readonly DraftMap[]): void {
  const names = Object.keys(values);
  if (names.length === 0) return;
  const places = new Map<string, { map: DraftMap; byteOffset: number; byteSize: number; typeId: number }>();
  for (const map of maps) {
    if (!map.section || !map.initial || map.origin === "kconfig") continue;
    const section = types.btf.find(map.section, "datasec");
    if (section?.kind !== "datasec") continue;
    for (const { typeId, byteOffset, byteSize } of types.entries(section.id)) {
      const variable = types.btf.get(typeId)!;
      if (variable.kind === "var") places.set(variable.name, { map, byteOffset, byteSize, typeId: variable.typeId });
    }
  }
  for (const name of names) {
    const place = places.get(name);
    if (!place) {
      const known = [...places.keys()].slice(0, 20).join(", ") || "none";
      throw new BtfError(ERR_ARGUMENT, { note: `the object has no global variable "${name}"; it has ${known}` });
    }
    const type = types.btf.get(place.typeId)!;
    const size = place.byteSize || sizeOf(type) || 0;
    const bytes = bytesOf(values[name]!, skipModifiers(type), size, name);
    if (place.byteOffset + bytes.length > place.map.initial!.length)
      throw new BtfError(ERR_ARGUMENT, {
        note: `global variable "${name}" lies outside of section ${place.map.section}`,
      });
    place.map.initial!.set(bytes, place.byteOffset);
  }
}

function bytesOf(
  value: GlobalValues[string],
  type: ReturnType<typeof skipModifiers>,
  size: number,
  name: string,
): Uint8Array {
  const refuse = (note: string): never => {
    throw new BtfError(ERR_ARGUMENT, { note: `global variable "${name}" ${note}` });
  };
  if (value instanceof Uint8Array)
    return value.length === size ? value : refuse(`has ${size} bytes, the value ${value.length}`);
  if (typeof value === "string") {
    if (type.kind !== "array") return refuse(`is a ${type.kind}: a text fits an array of char`);
    const text = new TextEncoder().encode(value);
    if (text.length >= size) return refuse(`has ${size} bytes, too few for a text of ${text.length} and its NUL`);
    const bytes = new Uint8Array(size);
    bytes.set(text);
    return bytes;
  }
  if (type.kind !== "int" && type.kind !== "enum" && type.kind !== "enum64" && type.kind !== "ptr")
    return refuse(`is a ${type.kind}: give it as bytes`);
  if (typeof value === "number" && !Number.isInteger(value)) return refuse(`cannot be ${value}`);
  if (size < 1 || size > 16) return refuse(`has ${size} bytes: give it as bytes`);
  const number = BigInt(value);
  const bits = BigInt(size * 8);
  if (number >= 1n << bits || number < -(1n << (bits - 1n))) return refuse(`has ${size} bytes, too few for ${number}`);
  return Uint8Array.from({ length: size }, (_, i) => Number((number >> BigInt(i * 8)) & 0xffn));
}
