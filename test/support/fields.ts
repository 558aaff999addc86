// Images with what the verifier of programs looks for in structs: locks, lists,
// trees, kernel pointers; mostly as they should be, and wrong in one place or another.
import * as image from "./image.js";
import { Image } from "./image.js";
import type { Random } from "./random.js";

const SIZES: Readonly<Record<string, number>> = {
  bpf_spin_lock: 4,
  bpf_res_spin_lock: 4,
  bpf_list_head: 16,
  bpf_list_node: 24,
  bpf_rb_root: 16,
  bpf_rb_node: 32,
  bpf_refcount: 4,
  bpf_timer: 16,
};
const TAGS = ["kptr", "kptr", "kptr_untrusted", "percpu_kptr", "uptr", "user", "kptr_ref"];

/** A type that structs may have as a field, and its size. */
interface Candidate {
  readonly id: number;
  readonly size: number;
  readonly name: string;
  /** Whether a lock lies in it, by itself or deeper. */
  readonly hasLock: boolean;
}

/** A lock in a struct with a field in structs inside each other, `levels` of them; a pointer or nothing in the innermost. */
export function nestedFields(levels: number, isArray: boolean, isPlain: boolean): Image {
  const to = new Image();
  const int = to.int("int", 4, 1);
  const lock = to.composite(image.STRUCT, "bpf_spin_lock", 4, []);
  const tag = to.ref(image.TYPE_TAG, to.composite(image.STRUCT, "own_target", 8, []), "kptr");
  let inner = isPlain ? to.int("u64", 8) : to.ref(image.PTR, tag);
  for (let i = 0; i < levels; i++) {
    inner = isArray ? to.array(inner, int, 1) : to.composite(image.STRUCT, `n${i}`, 8, [["m", inner, 0]]);
  }
  to.composite(image.STRUCT, "outer", 16, [
    ["lock", lock, 0],
    ["m", inner, 64],
  ]);
  return to;
}

export function withFields(random: Random): Image {
  const to = new Image();
  const int = to.int("int", 4, 1);
  const pick = <T>(from: readonly T[]): T => from[random(from.length)]!;
  const candidates: Candidate[] = [{ id: int, size: 4, name: "int", hasLock: false }];
  const isLock = (name: string): boolean => name.endsWith("spin_lock");
  for (const [name, right] of Object.entries(SIZES)) {
    if (!random(6)) continue;
    const size = random(12) ? right : 8;
    const kind = random(20) ? image.STRUCT : image.UNION;
    candidates.push({ id: to.composite(kind, name, size, []), size, name, hasLock: isLock(name) });
    if (!random(9))
      candidates.push({ id: to.composite(image.STRUCT, name, size, []), size, name, hasLock: isLock(name) });
  }
  const targets = [int, to.composite(image.STRUCT, "own_target", 8, []), to.ref(image.FWD, 0, "own_forward")];
  if (!random(8)) targets.push(to.composite(image.STRUCT, "", 8, []));
  for (let i = random(4); i > 0; i--) {
    let target = random(9) ? targets[1]! : pick(targets);
    if (!random(3)) target = to.ref(image.CONST, target);
    let tag = to.ref(image.TYPE_TAG, target, pick(TAGS), random(12) === 0);
    if (!random(12)) tag = to.ref(image.TYPE_TAG, tag, "kptr");
    let pointer = to.ref(image.PTR, tag);
    if (!random(4)) pointer = to.ref(random(4) ? image.VOLATILE : image.CONST, pointer);
    candidates.push({ id: pointer, size: 8, name: "kptr", hasLock: false });
  }
  const structs = 1 + random(random(2) ? 2 : 6);
  const nodes: string[] = [];
  for (let s = 0; s < structs; s++) {
    const name = `s${s}`;
    const flag = random(5) === 0;
    const members: [string, number, number, number?][] = [];
    const tags: [string, number][] = [];
    let offset = 0;
    let locks = 0;
    let hasLock = false;
    for (let i = 0, count = 1 + random(random(5) ? 5 : 14); i < count; i++) {
      // A lock beside one in a struct inside makes the kernel warn.
      const choice = pick(candidates.filter((one) => !one.hasLock || (locks === 0 && !hasLock)));
      if (choice.hasLock) {
        hasLock = true;
        locks++;
      }
      let { id, size } = choice;
      if (!random(7)) {
        const count = random(4);
        id = to.array(id, int, count);
        size *= count;
      } else if (!random(15)) id = to.ref(image.CONST, id);
      if (random(12)) offset = (offset + 63) & ~63;
      if (flag && !random(6)) {
        members.push([`m${i}`, int, offset + (random(2) ? 0 : 3), 3]);
        offset += 8;
        continue;
      }
      offset = (offset + 7) & ~7;
      members.push([random(25) ? `m${i}` : "m0", id, offset]);
      if (choice.name.endsWith("_node")) nodes.push(`${name}:m${i}`);
      if (choice.name === "bpf_list_head" || choice.name === "bpf_rb_root") {
        const later = `s${random(structs)}:m${random(4)}`;
        const value =
          random(4) && nodes.length > 0 ? pick(nodes) : random(3) ? later : pick(["", ":", "s0", "s0:", "none:m0"]);
        if (random(12)) tags.push([`contains:${value}`, i]);
        if (!random(15)) tags.push([`contains:${later}`, random(20) ? i : 0]);
      }
      offset += random(20) ? size * 8 : 0;
    }
    // As often as not with the lock that lists and trees want.
    const lock = candidates.find((one) => one.name === "bpf_spin_lock");
    const other = candidates.find((one) => one.name === "bpf_res_spin_lock");
    if (lock && !hasLock && random(3)) {
      if (other && !random(12)) {
        offset = (offset + 31) & ~31;
        members.push(["other", other.id, offset]);
        offset += 64;
      }
      offset = (offset + 31) & ~31;
      members.push(["lock", lock.id, offset]);
      if (!random(12)) members.push(["lock2", lock.id, offset + 32]);
      offset += 64;
      hasLock = true;
    }
    const size = Math.ceil(offset / 8) + 64;
    const id = to.composite(image.STRUCT, random(20) ? name : "s0", size, members, flag);
    for (const [value, member] of tags) to.declTag(value, id, member);
    if (random(3)) candidates.push({ id, size, name, hasLock });
  }
  return to;
}
