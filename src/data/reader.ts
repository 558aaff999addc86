/** Decoders as closures: one for each type, made once. No code is made from text. */
import { numbersReader, type ReadNumbers } from "./arrays.js";
import { textAt, textLength } from "./chars.js";
import type { DecodeOptions, Value } from "./options.js";
import { type ArrayPlan, type Field, isLazy, type Plan, type RecordPlan } from "./plan.js";
import { floatReader, scalarReader } from "./scalar.js";

/** Reads a value at a byte of a view whose data ends at `end`. `undefined`: it does not fit (only with `partial`). */
export type Read = (view: DataView, at: number, end: number) => Value | undefined;

/** What readers are made with. */
export interface ReaderContext {
  readonly little: boolean;
  readonly options: DecodeOptions;
  readonly known: Map<Plan, Read>;
}

/** The reader of a plan; plans that occur twice share one. */
export function readerOf(plan: Plan, context: ReaderContext): Read {
  const known = context.known.get(plan);
  if (known) return known;
  const read = made(plan, context);
  const checked =
    context.options.partial && plan.kind !== "record" && plan.kind !== "array" ? fitting(plan, read) : read;
  context.known.set(plan, checked);
  return checked;
}

function made(plan: Plan, context: ReaderContext): Read {
  const { little, options } = context;
  switch (plan.kind) {
    case "scalar":
      return scalarReader(plan, little, options);
    case "float":
      return floatReader(plan, little, options);
    case "array":
      return arrayReader(plan, context);
    case "record":
      return recordReader(plan, context);
  }
}

/** With `partial`: nothing for what passes the end. */
function fitting({ extent }: Plan, read: Read): Read {
  return (view, at, end) => (at + extent <= end ? read(view, at, end) : undefined);
}

type Count = (at: number, end: number) => number;

/** How many elements of an array there are. */
function countOf(plan: ArrayPlan, { partial, flexibleCount }: DecodeOptions): Count {
  const { element, length, isFlexible } = plan;
  const size = element.byteSize;
  const held: Count = (at, end) => Math.max(0, Math.floor((end - at) / size));
  if (isFlexible) return flexibleCount === undefined ? held : (at, end) => Math.min(flexibleCount, held(at, end));
  return partial && size > 0 ? (at, end) => Math.min(length, held(at, end)) : () => length;
}

function arrayReader(plan: ArrayPlan, context: ReaderContext): Read {
  const { strings = "nul", arrays = "typed", wide = "bigint" } = context.options;
  const count = countOf(plan, context.options);
  if (plan.isText && strings !== "raw") {
    return strings === "nul"
      ? (view, at, end) => textAt(view, at, textLength(view, at, count(at, end)))
      : (view, at, end) => textAt(view, at, count(at, end));
  }
  const isNumber = plan.numbers?.startsWith("Big") && wide === "number";
  if (plan.numbers && (plan.isText || (arrays !== "plain" && !isNumber))) {
    // A signed `char` is a byte all the same.
    const read: ReadNumbers = numbersReader(
      plan.isText ? "Uint8Array" : plan.numbers,
      context.little,
      arrays === "view",
    );
    return (view, at, end) => read(view, at, count(at, end));
  }
  const read = readerOf(plan.element, context);
  const stride = plan.element.byteSize;
  return (view, at, end) => {
    const length = count(at, end);
    const values: Value[] = [];
    for (let i = 0; i < length; i++) values.push(read(view, at + i * stride, end)!);
    return values;
  };
}

/** Defines members that assignment would not: `__proto__` sets the prototype instead. */
function define(record: object, name: string, value: unknown): void {
  Object.defineProperty(record, name, { value, enumerable: true, configurable: true, writable: true });
}

function recordReader(plan: RecordPlan, context: ReaderContext): Read {
  const { fields } = plan;
  const rare = fields.some((field) => isLazy(field) || field.name === "__proto__");
  if (rare || context.options.partial) return carefulReader(plan, context);
  const names = fields.map(({ name }) => name);
  const offsets = fields.map(({ byteOffset }) => byteOffset);
  const reads = fields.map((field) => readerOf(field.plan, context));
  const count = fields.length;
  return (view, at, end) => {
    const record: { [member: string]: Value } = {};
    for (let i = 0; i < count; i++) record[names[i]!] = reads[i]!(view, at + offsets[i]!, end)!;
    return record;
  };
}

/** A record with views that are made when they are asked for, or with members that may not fit. */
function carefulReader({ fields, byteSize }: RecordPlan, context: ReaderContext): Read {
  const members = fields.map((field) => ({ field, read: readerOf(field.plan, context) }));
  const shares = context.options.arrays === "view";
  return (view, at, end) => {
    const record: { [member: string]: Value } = {};
    let kept: DataView | undefined;
    for (const { field, read } of members) {
      const { name, byteOffset } = field;
      const start = at + byteOffset;
      // Nothing of it is there; an empty one at the end is.
      if (context.options.partial && (start > end || (start === end && field.plan.extent > 0))) continue;
      if (isLazy(field)) {
        kept ??= shares
          ? within(view, at, end)
          : copied(view, at, Math.min(end, field.plan.isFlexible ? end : at + byteSize));
        defineLazily(record, field, read, kept);
      } else {
        const value = read(view, start, end);
        if (value !== undefined) define(record, name, value);
      }
    }
    return record;
  };
}

function within(view: DataView, at: number, end: number): DataView {
  return new DataView(view.buffer, view.byteOffset + at, end - at);
}

function copied(view: DataView, at: number, end: number): DataView {
  const bytes = new Uint8Array(end - at);
  bytes.set(new Uint8Array(view.buffer, view.byteOffset + at, end - at));
  return new DataView(bytes.buffer);
}

/** A member that is decoded when it is read first; then, and when it is set, it is as any other. */
function defineLazily(record: object, { name, byteOffset }: Field, read: Read, view: DataView): void {
  Object.defineProperty(record, name, {
    enumerable: true,
    configurable: true,
    get() {
      const value = read(view, byteOffset, view.byteLength);
      define(record, name, value);
      return value;
    },
    set(value: unknown) {
      define(record, name, value);
    },
  });
}
