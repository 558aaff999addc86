// The definitions of two sides, each a kernel with its modules, put side by
// side by kind and name. What differs comes out in the order in which it is
// listed.
import { bytesAt, zeroBytes } from "../format/bytes";
import { stringAt, typeAt } from "../format/image";
import {
  Definition, DEFINITION_SIZE, Differing, DIFFERING_SIZE, Row, ROW_SIZE, Subject, Table,
} from "../format/generated/inspect-abi"; // prettier-ignore

/** Definitions of one name and side that are looked at one after the other; if there are more, they stand in the slots. */
const FEW: u32 = 16;

/** Marks a slot of a definition. */
const DEFINES: u32 = 1;

// @ts-ignore: decorator
@inline
function firstSlot(table: Table, low: u32, high: u32, salt: u32): u32 {
  const mixed = ((<u64>high << 32) | low) * (table.seed | 1);
  return (<u32>(mixed >> 32) ^ (salt * 0x9e3779b1)) & table.slotMask;
}

// @ts-ignore: decorator
@inline
function slotAt(table: Table, slot: u32): usize {
  return table.slots + (<usize>slot << 2);
}

function rowOf(table: Table, kind: u32, low: u32, high: u32): Row {
  let slot = firstSlot(table, low, high, kind);
  while (true) {
    const found = load<u32>(slotAt(table, slot));
    if (!found) {
      const row = changetype<Row>(table.rows + <usize>(table.rowCount++) * ROW_SIZE);
      memory.fill(changetype<usize>(row), 0, ROW_SIZE);
      row.kind = kind;
      row.low = low;
      row.high = high;
      store<u32>(slotAt(table, slot), <u32>changetype<usize>(row));
      return row;
    }
    if (!(found & DEFINES)) {
      const row = changetype<Row>(found);
      if (row.low == low && row.high == high && row.kind == kind) return row;
    }
    slot = (slot + 1) & table.slotMask;
  }
}

// @ts-ignore: decorator
@inline
function lastOf(row: Row, side: u32): usize {
  return side ? row.now : row.old;
}

// @ts-ignore: decorator
@inline
function countOf(row: Row, side: u32): u32 {
  return side ? row.nowCount : row.oldCount;
}

/** The slot of a definition, or a free one. */
function definitionSlot(table: Table, row: Row, side: u32, low: u32, high: u32): usize {
  let slot = firstSlot(table, low, high, <u32>changetype<usize>(row) + side);
  while (true) {
    const at = slotAt(table, slot);
    const found = load<u32>(at);
    if (!found) return at;
    if (found & DEFINES) {
      const known = changetype<Definition>(found & ~DEFINES);
      if (known.low == low && known.high == high && known.side == side && known.row == changetype<usize>(row)) return at;
    }
    slot = (slot + 1) & table.slotMask;
  }
}

/** Tells whether a side of a row has a definition of that identity. */
function has(table: Table, row: Row, side: u32, low: u32, high: u32): bool {
  if (countOf(row, side) > FEW) return load<u32>(definitionSlot(table, row, side, low, high)) != 0;
  for (let at = lastOf(row, side); at; at = changetype<Definition>(at).next) {
    const known = changetype<Definition>(at);
    if (known.low == low && known.high == high) return true;
  }
  return false;
}

function keep(table: Table, definition: Definition): void {
  const row = changetype<Row>(definition.row);
  const slot = definitionSlot(table, row, definition.side, definition.low, definition.high);
  store<u32>(slot, <u32>changetype<usize>(definition) | DEFINES);
}

/** Adds a definition to its row, unless the side has an equal one. */
function insert(table: Table, row: Row, side: u32, subject: u32, id: u32, low: u32, high: u32): void {
  if (has(table, row, side, low, high)) return;
  const definition = changetype<Definition>(table.definitions + <usize>(table.definitionCount++) * DEFINITION_SIZE);
  definition.low = low;
  definition.high = high;
  definition.next = lastOf(row, side);
  definition.subject = subject;
  definition.id = id;
  definition.side = side;
  definition.row = changetype<usize>(row);
  if (side) {
    row.now = changetype<usize>(definition);
    row.nowCount++;
  } else {
    row.old = changetype<usize>(definition);
    row.oldCount++;
  }
  const count = countOf(row, side);
  if (count == FEW + 1) {
    for (let at = lastOf(row, side); at; at = changetype<Definition>(at).next) keep(table, changetype<Definition>(at));
  } else if (count > FEW) keep(table, definition);
}

function addAll(table: Table, index: u32): void {
  const subject = changetype<Subject>(load<u32>(table.subjects + (<usize>index << 2)));
  const image = subject.image!;
  const side = u32(index >= table.oldCount);
  for (let i: u32 = 0; i < image.count; i++) {
    const kind: u32 = load<u8>(table.kinds + load<u8>(image.kinds + i));
    const name = subject.names + (<usize>i << 3);
    // The first half of a name's hash is never 0.
    if (!kind || !load<u32>(name)) continue;
    const row = rowOf(table, kind, load<u32>(name), load<u32>(name, 4));
    if (!row.name) row.name = stringAt(image, typeAt(image, image.firstId + i).nameOff);
    const own = subject.own + (<usize>i << 3);
    insert(table, row, side, index, image.firstId + i, load<u32>(own), load<u32>(own, 4));
  }
}

/** Lists the definitions of a side that the other one lacks, the last first; returns their number. */
export function lacking(table: Table, row: Row, side: u32, out: usize): u32 {
  let count: u32 = 0;
  for (let at = lastOf(row, side); at; at = changetype<Definition>(at).next) {
    const known = changetype<Definition>(at);
    if (!has(table, row, 1 - side, known.low, known.high)) store<u32>(out + (<usize>(count++) << 2), <u32>at);
  }
  return count;
}

/** Tells whether both sides have the same set of definitions. */
function isSame(table: Table, row: Row): bool {
  // Equal ones are there once: as many, and each of them on the other side.
  if (row.oldCount != row.nowCount) return false;
  for (let at = row.old; at; at = changetype<Definition>(at).next) {
    const known = changetype<Definition>(at);
    if (!has(table, row, 1, known.low, known.high)) return false;
  }
  return true;
}

/** Tells whether one row comes before another: by kind, then by the bytes of the name. */
function comesBefore(a: Row, b: Row): bool {
  if (a.kind != b.kind) return a.kind < b.kind;
  let left = a.name;
  let right = b.name;
  while (bytesAt(left) == bytesAt(right) && !zeroBytes(bytesAt(left))) {
    left += 8;
    right += 8;
  }
  while (load<u8>(left) == load<u8>(right) && load<u8>(left)) {
    left++;
    right++;
  }
  return load<u8>(left) < load<u8>(right);
}

/** Sorts `count` addresses of rows, with as much room behind them: runs of twice the length in each round. */
function sort(rows: usize, count: usize): void {
  let from = rows;
  let to = rows + (count << 2);
  for (let run: usize = 1; run < count; run <<= 1) {
    for (let start: usize = 0; start < count; start += run << 1) {
      const middle = min(start + run, count);
      const end = min(middle + run, count);
      let left = start;
      let right = middle;
      for (let at = start; at < end; at++) {
        const next = from + (left << 2);
        const other = from + (right << 2);
        const isLeft =
          right == end || (left < middle && !comesBefore(changetype<Row>(load<u32>(other)), changetype<Row>(load<u32>(next))));
        store<u32>(to + (at << 2), load<u32>(isLeft ? next : other));
        if (isLeft) left++;
        else right++;
      }
    }
    const other = from;
    from = to;
    to = other;
  }
  if (from != rows) memory.copy(rows, from, count << 2);
}

/** Fills the table; returns the number of rows that differ. */
export function tabulate(table: Table): u32 {
  for (let i: u32 = 0; i < table.count; i++) addAll(table, i);
  let count: u32 = 0;
  for (let i: u32 = 0; i < table.rowCount; i++) {
    const row = changetype<Row>(table.rows + <usize>i * ROW_SIZE);
    const counts = table.counts + ((<usize>row.kind) << 3);
    if (row.old) store<u32>(counts, load<u32>(counts) + 1);
    if (row.now) store<u32>(counts, load<u32>(counts, 4) + 1, 4);
    if (!isSame(table, row)) store<u32>(table.order + (<usize>(count++) << 2), <u32>changetype<usize>(row));
  }
  sort(table.order, count);
  return count;
}

/** Writes a `Differing` for each of the first `count` rows that differ. */
export function listDiffering(table: Table, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const row = changetype<Row>(load<u32>(table.order + (<usize>i << 2)));
    const differing = changetype<Differing>(out + <usize>i * DIFFERING_SIZE);
    differing.kind = row.kind;
    differing.oldCount = row.oldCount;
    differing.nowCount = row.nowCount;
    differing.oldSubject = row.old ? changetype<Definition>(row.old).subject : 0;
    differing.oldId = row.old ? changetype<Definition>(row.old).id : 0;
    differing.nowSubject = row.now ? changetype<Definition>(row.now).subject : 0;
    differing.nowId = row.now ? changetype<Definition>(row.now).id : 0;
    differing.row = changetype<usize>(row);
  }
}

/** Writes the names of `count` rows, a NUL behind each, as far as there is room; returns how many. */
export function writeNames(rows: usize, count: u32, out: usize, length: usize): u32 {
  const end = out + length;
  for (let i: u32 = 0; i < count; i++) {
    let at = changetype<Row>(load<u32>(rows + (<usize>i << 2))).name;
    let to = out;
    do {
      if (to == end) return i;
      store<u8>(to++, load<u8>(at));
    } while (load<u8>(at++));
    out = to;
  }
  return count;
}
