/** What the suite asserts with: runs wherever the library runs. */

const typed = Object.getPrototypeOf(Uint8Array);

function isPlain(value) {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function isList(value) {
  return Array.isArray(value) || value instanceof typed;
}

/** Lists and plain objects by what they hold, all else (views among them) by identity. */
function alike(a, b) {
  if (Object.is(a, b)) return true;
  if (isList(a) && isList(b)) {
    return a.constructor === b.constructor && a.length === b.length && a.every((value, i) => alike(value, b[i]));
  }
  if (!isPlain(a) || !isPlain(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && alike(a[key], b[key]));
}

function show(value) {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "string") return JSON.stringify(value);
  if (isList(value)) return `[${Array.from(value.slice(0, 20), show).join(", ")}${value.length > 20 ? ", …" : ""}]`;
  if (isPlain(value))
    return `{ ${Object.entries(value)
      .map(([key, field]) => `${key}: ${show(field)}`)
      .join(", ")} }`;
  if (typeof value === "object" && value !== null && "id" in value)
    return `view [${value.id}] ${value.kind} "${value.name}"`;
  return String(value);
}

export function ok(value, what = "a true value") {
  if (!value) throw new Error(`expected ${what}`);
}

export function same(actual, expected, what = "") {
  if (!alike(actual, expected))
    throw new Error(`${what && `${what}: `}expected ${show(expected)}, got ${show(actual)}`);
}

/** Each field of `expected` is that of `actual`. */
export function fields(actual, expected, what = "") {
  for (const [name, value] of Object.entries(expected)) same(actual[name], value, `${what}.${name}`);
}

function refusal(error, expected, thrown) {
  if (!thrown) throw new Error(`expected ${show(expected)} to be thrown, nothing was`);
  for (const [name, value] of Object.entries(expected)) {
    if (name === "type") ok(error instanceof value, `a ${value.name}, got ${error}`);
    else if (name === "details") fields(error.details, value, "details");
    else if (value instanceof RegExp) ok(value.test(error[name]), `${name} like ${value}, got ${show(error[name])}`);
    else same(error[name], value, `${error}: ${name}`);
  }
  return error;
}

/** `act` throws an error with these fields; `type` is its class. Returns it. */
export function throws(act, expected) {
  let error;
  let thrown = false;
  try {
    act();
  } catch (caught) {
    error = caught;
    thrown = true;
  }
  return refusal(error, expected, thrown);
}

/** As `throws`, for a promise. */
export async function rejects(promise, expected) {
  let error;
  let thrown = false;
  try {
    await promise;
  } catch (caught) {
    error = caught;
    thrown = true;
  }
  return refusal(error, expected, thrown);
}
