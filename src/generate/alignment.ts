/** How languages that align by themselves, Go and Rust, align what is written in them. */
import { type Composite, type Form, innermost } from "./model.js";

type Number = Extract<Form, { kind: "int" | "float" }>;

/** Tells whether a number is one of these languages; they write others as bytes. */
export function isNative({ kind, byteSize }: Number): boolean {
  return byteSize === 4 || byteSize === 8 || (kind === "int" && (byteSize === 1 || byteSize === 2));
}

/** Alignments in bytes, on the machines that align most; those of structs and unions as they are written. */
export class Alignments {
  readonly #written = new Map<Composite, number>();

  set(composite: Composite, alignment: number): void {
    this.#written.set(composite, alignment);
  }

  of(form: Form): number {
    const inner = innermost(form);
    switch (inner.kind) {
      case "composite":
        return this.#written.get(inner.composite) ?? 1;
      case "int":
      case "float":
        return isNative(inner) ? inner.byteSize : 1;
      case "opaque":
        return 1;
      default:
        return inner.byteSize;
    }
  }
}
