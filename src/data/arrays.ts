/** Arrays of numbers as typed arrays. */
import type { NumberArrayName } from "./plan.js";

/** The numbers of one kind, from a view. */
export type ReadNumbers = (view: DataView, at: number, length: number) => InstanceType<NumberArrayClass>;

type NumberArrayClass = (typeof globalThis)[NumberArrayName];

/** Byte order of typed arrays here. */
function hostIsLittle(): boolean {
  return new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
}

/** Up to so many numbers are read by themselves: less work than a view on the bytes. */
const FEW = 32;

/** Reverses each number of a typed array. */
function swapBytes(bytes: Uint8Array, size: number): void {
  for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse();
}

/** Makes typed arrays of their own, or with `shares` on the same bytes where that is possible. */
export function numbersReader(name: NumberArrayName, little: boolean, shares: boolean): ReadNumbers {
  const NumberArray = globalThis[name];
  const size = NumberArray.BYTES_PER_ELEMENT;
  const isNative = size === 1 || little === hostIsLittle();
  const getter = `get${name.replace("Array", "")}` as "getUint32";
  const read: ReadNumbers = (view, at, length) => {
    if (length <= FEW) {
      const numbers = new NumberArray(length);
      for (let i = 0; i < length; i++) numbers[i] = view[getter](at + i * size, little);
      return numbers;
    }
    const numbers = new NumberArray(length);
    const bytes = new Uint8Array(numbers.buffer);
    bytes.set(new Uint8Array(view.buffer, view.byteOffset + at, length * size));
    if (!isNative) swapBytes(bytes, size);
    return numbers;
  };
  if (!shares || !isNative) return read;
  return (view, at, length) => {
    const start = view.byteOffset + at;
    return start % size === 0 ? new NumberArray(view.buffer as ArrayBuffer, start, length) : read(view, at, length);
  };
}
