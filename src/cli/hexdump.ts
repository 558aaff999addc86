/** Bytes with the members that they hold beside them. */
import type { Value } from "../data/options.js";
import type { Plan } from "../data/plan.js";
import { printable, styler } from "./style.js";
import { valueJson } from "./value-json.js";

interface Row {
  readonly at: number;
  readonly length: number;
  readonly path: string;
  readonly value: string;
}

/** Bytes on a line. */
const WIDTH = 8;
/** Longer values are cut. */
const VALUE_LENGTH = 60;

/** A line for 8 bytes of a member; what no member holds is padding. */
export function hexdump(plan: Plan, value: Value, bytes: Uint8Array, at: number, color: boolean): string {
  const { bold, dim } = styler(color);
  let text = "";
  let done = at;
  const end = Math.min(bytes.length, at + (plan.isFlexible ? bytes.length : plan.byteSize));
  const lines = (from: number, to: number, label: string): void => {
    for (let line = from; line < to || line === from; line += WIDTH) {
      const part = bytes.subarray(line, Math.min(to, line + WIDTH));
      const hex = Array.from(part, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
      const name = line === from ? label : "";
      text += `${dim(line.toString(16).padStart(8, "0"))}  ${hex.padEnd(WIDTH * 3 - 1)}  ${name}`.trimEnd();
      text += "\n";
    }
  };
  for (const { at: start, length, path, value: shown } of rowsOf(plan, value, at, "")) {
    if (start > done) lines(done, start, dim("(padding)"));
    lines(start, start + length, `${bold(printable(path))}${path ? " = " : ""}${printable(shown)}`);
    done = Math.max(done, start + length);
  }
  if (done < end) lines(done, end, dim("(padding)"));
  return text;
}

function* rowsOf(plan: Plan, value: unknown, at: number, path: string): Generator<Row> {
  if (value === undefined) return;
  if (plan.kind === "record") {
    for (const { name, byteOffset, plan: inner } of plan.fields) {
      const member = (value as Record<string, unknown>)[name];
      yield* rowsOf(inner, member, at + byteOffset, path ? `${path}.${name}` : name);
    }
    return;
  }
  if (plan.kind === "array" && Array.isArray(value)) {
    const { element } = plan;
    for (const [i, each] of value.entries()) yield* rowsOf(element, each, at + i * element.byteSize, `${path}[${i}]`);
    return;
  }
  const json = valueJson(value);
  const shown = json.length > VALUE_LENGTH ? `${json.slice(0, VALUE_LENGTH)}…` : json;
  const length =
    plan.kind === "scalar"
      ? ((plan.shift + plan.width + 7) >> 3) + plan.skip
      : plan.isFlexible && ArrayBuffer.isView(value)
        ? value.byteLength
        : plan.extent;
  yield { at, length, path, value: shown };
}
