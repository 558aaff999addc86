// What the WebAssembly module exports, a line each.
export { status } from "./status";
export { swap32 } from "./swap";
export { fill, open, scan, tally } from "./scan";
export { buildNames, findName } from "./names";
export { collectMarked, markMatches } from "./search";
export { emitRaw } from "./emit/raw";
export { emitJson } from "./emit/json";
export { oddNames } from "./c/identifiers";
export { declareC, emitC, prepareC, sortC } from "./c/index";
export { heapBase } from "./heap";
