/**
 * Decoders as code made with `new Function`: what reader.ts does in calls stands in one function, which engines
 * optimise as if it were written by hand. Only members of structs are written out; other plans keep their closures.
 * Names of hostile types cannot leave their strings: each goes through JSON.stringify.
 */
import { type Field, isLazy, type Plan, type RecordPlan } from "./plan.js";
import { type Read, type ReaderContext, readerOf } from "./reader.js";
import { accessorOf } from "./scalar.js";

/** Structs within structs that are written out; deeper ones are calls. */
const DEPTH = 8;
/** Longer functions are not optimised. */
const FIELDS = 200;

/** Code is made only of structs all of whose members are there, and decoded at once. */
export function canCompile(plan: Plan, { options }: ReaderContext): plan is RecordPlan {
  return plan.kind === "record" && !options.partial && isPlain(plan, 0) && fieldCount(plan) <= FIELDS;
}

function isPlain({ fields }: RecordPlan, depth: number): boolean {
  return depth < DEPTH && new Set(fields.map(({ name }) => name)).size === fields.length && !fields.some(isLazy);
}

function fieldCount({ fields }: RecordPlan): number {
  return fields.reduce((sum, { plan }) => sum + (plan.kind === "record" ? fieldCount(plan) : 1), 0);
}

/** The reader of a struct as a function of its own. @throws EvalError where the host forbids it */
export function compiledReader(plan: RecordPlan, context: ReaderContext): Read {
  const reads: Read[] = [];
  const body = objectCode(plan, 0, 0, context, reads);
  // Readers come in as arguments r0, r1, …: the code is plain calls of known functions.
  const names = reads.map((_, i) => `r${i}`);
  const make = new Function(...names, `return (view, at, end) => (${body});`) as (...reads: Read[]) => Read;
  return make(...reads);
}

function objectCode(plan: RecordPlan, base: number, depth: number, context: ReaderContext, reads: Read[]): string {
  const members = plan.fields.map((field) => {
    // A computed key: `__proto__` is a member as any other.
    const key = field.name === "__proto__" ? '["__proto__"]' : JSON.stringify(field.name);
    return `${key}: ${valueCode(field, base + field.byteOffset, depth, context, reads)}`;
  });
  return `{ ${members.join(", ")} }`;
}

function valueCode({ plan }: Field, at: number, depth: number, context: ReaderContext, reads: Read[]): string {
  const { little, options } = context;
  if (plan.kind === "record" && isPlain(plan, depth + 1)) return objectCode(plan, at, depth + 1, context, reads);
  if (plan.kind === "scalar" && (plan.meaning === "integer" || plan.meaning === "pointer")) {
    const accessor = accessorOf(plan);
    if (accessor && (plan.width <= 32 || options.wide !== "number")) {
      return `view.get${accessor}(at + ${at + plan.skip}${plan.width > 8 ? `, ${little}` : ""})`;
    }
  }
  reads.push(readerOf(plan, context));
  return `r${reads.length - 1}(view, at + ${at}, end)`;
}
