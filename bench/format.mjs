/** Figures as people read them. */

/** At most three significant digits, without an exponent. */
const digits = (value) =>
  Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(Math.abs(value) < 1 ? 2 : 3)));

/** A figure with its unit; milliseconds below 0.1 turn into µs or ns. */
export function quantity(value, unit) {
  if (value === undefined) return "";
  if (unit !== "ms" || Math.abs(value) >= 0.1) return `${digits(value)} ${unit}`;
  if (Math.abs(value) >= 1e-3) return `${digits(value * 1e3)} µs`;
  return `${digits(value * 1e6)} ns`;
}

export function ratio(value) {
  if (value === undefined) return "";
  return value >= 0.1 ? value.toFixed(2) : String(Number(value.toPrecision(1)));
}

/** What a row has to stay below. */
export function target({ target: limit, unit }) {
  if (!limit) return "";
  return limit.ratio === undefined ? `≤ ${quantity(limit.ours, unit)}` : `≤ ${limit.ratio} ×`;
}
