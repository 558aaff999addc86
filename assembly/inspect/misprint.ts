// Whether pahole 1.31 writes what C would read as another type: the rules of
// src/inspect/layout/declarator.ts.
import { after, countOf, fail, failed, isDefinition, kindAt, knownOf, nameOf, targetOf } from "./state";

const DEPTH_LIMIT: u32 = 60;
let depth: u32 = 0;

export function isMisprinted(id: u32): bool {
  const known = knownOf(id);
  if (known.misprinted) return known.misprinted == 2;
  known.misprinted = 1;
  if (++depth > DEPTH_LIMIT) fail();
  else if (!failed && judge(id)) known.misprinted = 2;
  depth--;
  return known.misprinted == 2;
}

/** Without qualifiers and type tags. */
function unqualified(id: u32): u32 {
  for (let steps: u32 = 0; steps < DEPTH_LIMIT; steps++) {
    const kind = kindAt(id);
    if (kind != 9 && kind != 10 && kind != 11 && kind != 18) return id;
    id = targetOf(id);
  }
  fail();
  return id;
}

function leadsToFunction(pointer: u32): bool {
  return kindAt(unqualified(targetOf(pointer))) == 13;
}

function judge(id: u32): bool {
  const kind = kindAt(id);
  if (kind == 16) return true;
  if (kind < 2 || (kind > 3 && kind < 9) || kind == 19) return false;
  const target = targetOf(id);
  switch (kind) {
    case 2:
      return target != 0 && judgePointee(target);
    case 3: {
      const element = unqualified(target);
      if (!element) return false;
      if (kindAt(element) == 3 || (kindAt(element) == 2 && leadsToFunction(element))) return true;
      return isMisprinted(target);
    }
    case 9:
    case 10:
      if (!target) return false;
      if (kindAt(unqualified(target)) == 2) return true;
      return (isDefinition(target) && !nameOf(target)) || isMisprinted(target);
    case 11:
    case 18:
      return target != 0 && isMisprinted(target);
    case 13:
      break;
    default:
      return false;
  }
  if (target) {
    const returned = unqualified(target);
    if (isMisprinted(target) || (kindAt(returned) == 2 && leadsToFunction(returned))) return true;
  }
  let named = false;
  let isVariadic = false;
  for (let i: u32 = 0, count = countOf(id); i < count && !failed; i++) {
    const type = after(id, i * 2 + 1);
    if (!type) isVariadic = true;
    else {
      named = true;
      if (kindAt(type) && isMisprinted(type)) return true;
    }
  }
  return isVariadic && !named;
}

function judgePointee(pointee: u32): bool {
  switch (kindAt(pointee)) {
    case 3:
      return true;
    case 10: {
      const next = targetOf(pointee);
      if (kindAt(next) == 2) return isMisprinted(next) || leadsToFunction(next);
      return isMisprinted(pointee);
    }
    case 2:
      return leadsToFunction(pointee) || isMisprinted(pointee);
    case 4:
    case 5:
    case 6:
    case 19:
      return false;
    default:
      return isMisprinted(pointee);
  }
}
