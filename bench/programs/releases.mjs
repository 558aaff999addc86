// Releases of a kernel that never were: each has the one before it changed at the rates of Debian's.
import { KINDS } from "../../format/kinds.mjs";

const HEADER = 24;
const MAGIC = 0xeb9f;
const numberOf = (wanted) => KINDS.findIndex(({ name }) => name === wanted);
const [INT, PTR, STRUCT, UNION, ENUM, FWD, FUNC, FUNC_PROTO, ENUM64] = [
  "int",
  "ptr",
  "struct",
  "union",
  "enum",
  "fwd",
  "func",
  "func_proto",
  "enum64",
].map(numberOf);
/** Roles of a kind's words behind its info: of those that each record has, and of those of an element. */
const ROLES = KINDS.map(({ third = "word", fixed = [], element }) => ({
  first: [third, ...fixed.map(([, role]) => role)],
  element: element?.words.map(([, role]) => role) ?? [],
}));
const UNION_FLAG = 1 << 31;

/**
 * Definitions that are added, removed and changed from one release to the next, of those that there are: the means of
 * Debian's 6.1.0-47, -50, -54, -55 and -56 for amd64's cloud, as `btfkit diff` counts them.
 */
const RATES = {
  struct: { added: 3 / 7330, removed: 0.5 / 7330, changed: 50 / 7330 },
  enum: { added: 1 / 1103, removed: 0, changed: 1.75 / 1103 },
  func: { added: 41 / 41550, removed: 19 / 41550, changed: 220 / 41550 },
};

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
export function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A kernel's types as records that refer to one another. */
export class Kernel {
  /** @param records `{ kind, info, name, words }`, where words are numbers, names `{ name }` and records */
  constructor(records) {
    this.records = records;
  }

  static parse(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const [start, end] = [
      HEADER + view.getUint32(8, true),
      HEADER + view.getUint32(8, true) + view.getUint32(12, true),
    ];
    const strings = HEADER + view.getUint32(16, true);
    const decoder = new TextDecoder();
    const nameAt = (offset) => decoder.decode(bytes.subarray(strings + offset, bytes.indexOf(0, strings + offset)));
    const records = [];
    for (let at = start; at < end; ) {
      const info = view.getUint32(at + 4, true);
      const kind = (info >>> 24) & 0x1f;
      const { first, element } = ROLES[kind];
      const count = first.length + (info & 0xffff) * element.length;
      const words = Array.from({ length: count }, (_, i) => view.getUint32(at + 8 + i * 4, true));
      records.push({
        kind,
        flags: info & 0xff000000,
        vlen: info & 0xffff,
        name: nameAt(view.getUint32(at, true)),
        words,
      });
      at += 8 + count * 4;
    }
    for (const record of records) {
      for (const [i, role] of rolesOf(record)) {
        if (role === "name") record.words[i] = { name: nameAt(record.words[i]) };
        else record.words[i] = record.words[i] === 0 ? 0 : records[record.words[i] - 1];
      }
    }
    return new Kernel(records);
  }

  /** A smaller kernel: what is wanted, with all that it is made of, and declarations of what it points to. */
  part(isWanted) {
    const kept = new Set();
    const declarations = new Map();
    const pending = this.records.filter((record) => record.name !== "" && isWanted(record));
    const wanted = new Set(pending);
    for (let record = pending.pop(); record; record = pending.pop()) {
      if (kept.has(record)) continue;
      kept.add(record);
      for (const [i, role] of rolesOf(record)) {
        const other = record.words[i];
        if (role !== "id" || other === 0) continue;
        const isDeclared =
          record.kind === PTR &&
          other.name !== "" &&
          (other.kind === STRUCT || other.kind === UNION) &&
          !wanted.has(other);
        if (!isDeclared) {
          pending.push(other);
          continue;
        }
        const key = `${other.kind} ${other.name}`;
        const flags = (FWD << 24) | (other.kind === UNION ? UNION_FLAG : 0);
        if (!declarations.has(key)) declarations.set(key, { kind: FWD, flags, vlen: 0, name: other.name, words: [0] });
        record.words[i] = declarations.get(key);
      }
    }
    return new Kernel([...declarations.values(), ...this.records.filter((record) => kept.has(record))]);
  }

  /** Changes the kernel into the next release. @param number goes into the names of what is new */
  change(number, random) {
    const pick = (list) => list[Math.floor(random() * list.length)];
    const times = (mean) => Math.floor(mean + random());
    const insert = (record) => this.records.splice(Math.floor(random() * this.records.length), 0, record);
    const named = (...kinds) => this.records.filter(({ kind, name }) => kinds.includes(kind) && name !== "");
    const structs = named(STRUCT).filter(({ flags, vlen }) => flags >>> 31 === 0 && vlen > 1);
    const word = this.records.find(({ name }) => name === "long unsigned int") ?? named(INT)[0];
    const pointers = this.records.filter(({ kind }) => kind === PTR);
    for (let i = times(RATES.struct.changed * structs.length); i > 0; i--)
      changeStruct(pick(structs), number, random, word, pointers, pick);
    for (let i = times(RATES.struct.added * structs.length); i > 0; i--) {
      const words = [16, { name: "first" }, word, 0, { name: "second" }, pick(pointers), 64];
      insert({ kind: STRUCT, flags: STRUCT << 24, vlen: 2, name: `new_struct_${number}_${i}`, words });
    }
    const enums = named(ENUM, ENUM64);
    for (let i = times(RATES.enum.changed * enums.length); i > 0; i--) {
      const one = pick(enums);
      one.words.push({ name: `NEW_VALUE_${number}_${i}` }, one.vlen + 1000, ...(one.kind === ENUM64 ? [0] : []));
      one.vlen++;
    }
    const functions = named(FUNC);
    const prototypes = this.records.filter(({ kind }) => kind === FUNC_PROTO);
    for (let i = times(RATES.func.changed * functions.length); i > 0; i--) pick(functions).words[0] = pick(prototypes);
    for (let i = times(RATES.func.removed * functions.length); i > 0; i--) pick(functions).name += "_v2";
    for (let i = times((RATES.func.added - RATES.func.removed) * functions.length); i > 0; i--)
      insert({
        kind: FUNC,
        flags: FUNC << 24,
        vlen: 0,
        name: `new_function_${number}_${i}`,
        words: [pick(prototypes)],
      });
  }

  toBytes() {
    const ids = new Map(this.records.map((record, i) => [record, i + 1]));
    const offsets = new Map([["", 0]]);
    let length = 1;
    const offsetOf = (name) => {
      let offset = offsets.get(name);
      if (offset === undefined) {
        offset = length;
        offsets.set(name, offset);
        length += Buffer.byteLength(name) + 1;
      }
      return offset;
    };
    const words = [];
    for (const { flags, vlen, name, words: own } of this.records) {
      words.push(offsetOf(name), (flags | vlen) >>> 0);
      for (const one of own) words.push(typeof one === "number" ? one : (ids.get(one) ?? offsetOf(one.name)));
    }
    const header = Uint32Array.of(MAGIC | (1 << 16), HEADER, 0, words.length * 4, words.length * 4, length);
    return Buffer.concat([
      Buffer.from(header.buffer),
      Buffer.from(Uint32Array.from(words).buffer),
      Buffer.from([...offsets.keys()].map((name) => `${name}\0`).join("")),
    ]);
  }
}

function changeStruct(struct, number, random, word, pointers, pick) {
  const { words } = struct;
  const member = Math.floor(random() * struct.vlen);
  const at = 1 + member * 3;
  const kind = random();
  if (kind < 0.6) {
    // A member more, and those behind it move.
    const offset = Math.ceil(words[at + 2] / 64) * 64;
    for (let i = at; i < words.length; i += 3) words[i + 2] += 64;
    words.splice(at, 0, { name: `new_member_${number}` }, word, offset);
    words[0] += 8;
    struct.vlen++;
  } else if (kind < 0.8) words[at] = { name: `renamed_${number}` };
  else if (words[at + 1].kind === PTR) words[at + 1] = pick(pointers);
}

/** Yields the indexes of words that are names or ids. */
function* rolesOf({ kind, words }) {
  const { first, element } = ROLES[kind];
  for (let i = 0; i < words.length; i++) {
    const role = first[i] ?? element[(i - first.length) % element.length];
    if (role !== "word") yield [i, role];
  }
}
