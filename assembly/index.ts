// The exports of the WebAssembly module.
export { status } from "./format/status";
export { swap32 } from "./read/swap";
export { fill, open, scan, tally } from "./read/scan";
export { buildNames, findName } from "./read/names";
export { collectMarked, markMatches } from "./read/search";
export { emitRaw } from "./text/raw";
export { emitJson } from "./text/json";
export { declareC, emitC, prepareC, sortC } from "./text/c/index";
export { heapBase } from "./read/heap";
