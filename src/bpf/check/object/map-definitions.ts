/** Finds map definitions that every kernel refuses. Source: map_alloc_check of each map type. */

import { MAP_TYPES } from "../../object/map-types.js";
import type { BpfObject } from "../../object/object.js";
import type { ObjectFinding } from "./finding.js";

const EINVAL = 22;

/** Map types that need entries; libbpf gives perf event arrays one for each CPU. */
const WITH_ENTRIES = /* @__PURE__ */ new Set(
  /* @__PURE__ */ (
    "hash array prog_array percpu_hash percpu_array stack_trace cgroup_array lru_hash lru_percpu_hash lpm_trie " +
    "array_of_maps hash_of_maps devmap sockmap cpumap xskmap sockhash reuseport_sockarray queue stack devmap_hash " +
    "ringbuf bloom_filter user_ringbuf arena"
  ).split(" "),
);

/** Map types whose keys need a size. */
const WITH_KEYS = /* @__PURE__ */ new Set(
  /* @__PURE__ */ "hash percpu_hash lru_hash lru_percpu_hash hash_of_maps array percpu_array".split(" "),
);

/** Map types whose values need a size. */
const WITH_VALUES = /* @__PURE__ */ new Set(
  /* @__PURE__ */ "hash percpu_hash lru_hash lru_percpu_hash array percpu_array lpm_trie".split(" "),
);

/** Yields the maps that lack what their type needs. A tool may set it before it loads the object. */
export function* refusedMaps(object: BpfObject): Generator<ObjectFinding> {
  for (const { name, definition, type, maxEntries = 0, keySize = 0, valueSize = 0 } of object.maps) {
    if (definition !== "btf" || type === undefined) continue;
    const typeName = MAP_TYPES[type] ?? "";
    const lacks = (what: string): ObjectFinding => ({
      rule: "map-definition",
      severity: "breaks",
      subject: name,
      errno: EINVAL,
      reason: `a map of type ${typeName} needs ${what}: define it, or let the loader set it before it loads the object`,
    });
    if (WITH_ENTRIES.has(typeName) && maxEntries === 0) yield lacks("max_entries");
    else if (WITH_KEYS.has(typeName) && keySize === 0) yield lacks("a key");
    else if (WITH_VALUES.has(typeName) && valueSize === 0) yield lacks("a value");
  }
}
