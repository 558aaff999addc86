/**
 * Shallow identity: what a definition itself says, with named types that it refers to by their names alone. Kernels are
 * compared by it, because a change then shows where it was made and not in each type that leads there.
 */

import type { Btf } from "../btf/btf.js";
import type { Image } from "../btf/image.js";
import type { BtfType } from "../btf/types.js";
import { ERR_BTF_DEPTH, ERR_NO_SUCH_ID, ERR_WORK } from "../errors/btf.js";
import { BtfLimitError, BtfLookupError } from "../errors/error.js";
import * as readAbi from "../memory/generated/abi.js";
import * as abi from "../memory/generated/inspect-abi.js";
import { type Address, readField } from "../memory/struct.js";
import { Workspace } from "./workspace.js";

/**
 * The shallow identities of all types of a Btf.
 *
 * @example
 * const ids = identities(btf);
 * const [list, node] = ["list_head", "llist_node"].map((name) => ids.of(btf.require(name, "struct")));
 * console.log(list === node, list?.length); // false 16
 */
export class Identities {
  readonly #base: Identities | undefined;
  readonly #first: number;
  /** Identities of the own types: low half, high half. @internal */
  readonly own: Int32Array;
  /** Hashes of the own types' names; 0 and 0 for none. @internal */
  readonly names: Int32Array;
  /** What a reference to each type counts as, the base's too, from void on. @internal */
  readonly references: Int32Array;

  /** @internal */
  constructor(image: Image, base: Identities | undefined, workspace: Workspace) {
    this.#base = base;
    this.#first = image.firstId;
    const { arena } = workspace;
    // The copy stays for whoever uses the workspace next.
    workspace.image(image);
    const { mark } = arena;
    const at = hashTypes(image, base, workspace);
    this.own = workspace.words(at.own, image.count * 2);
    this.names = workspace.words(at.names, image.count * 2);
    this.references = workspace.words(at.references, image.idLimit * 2);
    arena.rewind(mark);
  }

  /**
   * Returns a type's identity as 16 hexadecimal digits.
   *
   * @throws BtfLookupError ERR_NO_SUCH_ID, also for void
   */
  of(type: BtfType | number): string {
    const id = typeof type === "number" ? type : type.id;
    const limit = this.references.length / 2 - 1;
    if (!(Number.isInteger(id) && id >= 1 && id <= limit)) {
      throw new BtfLookupError(ERR_NO_SUCH_ID, { value: id, limit });
    }
    if (id < this.#first) return this.#base!.of(id);
    const at = (id - this.#first) * 2;
    return [this.own[at + 1]!, this.own[at]!].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
  }
}

/** Bytes of a hash. */
const HASH = 8;
/** Bytes of strings, and of types, that have an entry in the table of strings' hashes; entries behind the last one. */
const STRINGS_PER_ENTRY = 4;
const TYPES_PER_ENTRY = 8;
const SPARE_ENTRIES = 16;

/** How often all strings may be hashed, and bytes on top: strings may lie inside of one another. */
const READ_LIMIT = 8;
const READ_LEAST = 1 << 20;
/** The kernel counts down in 32 bits. */
const MOST_STEPS = 2 ** 31;

/** Addresses of the columns that the kernel fills. */
interface Columns {
  readonly names: number;
  readonly own: number;
  readonly references: number;
}

/** Has the kernel hash the own types of an image. */
function hashTypes(image: Image, base: Identities | undefined, workspace: Workspace): Columns {
  const { arena } = workspace;
  const { count, idLimit, header } = image;
  const address = workspace.image(image);
  const stringsLength = image.stringsStart + header.stringsLength;
  const entries = Math.min(stringsLength / STRINGS_PER_ENTRY, header.typesLength / TYPES_PER_ENTRY);
  const hashCount = 2 ** Math.ceil(Math.log2(entries + 1));
  const names = workspace.zeroed(count * HASH);
  const own = arena.allocate(count * HASH);
  const references = arena.allocate(idLimit * HASH);
  if (base) workspace.put(base.references, references);
  const subject = workspace.struct<"Subject">(abi.SUBJECT_SIZE, [
    [abi.SUBJECT_IMAGE, address],
    [abi.SUBJECT_NAMES, names],
    [abi.SUBJECT_OWN, own],
    [abi.SUBJECT_REFERENCES, references],
    [abi.SUBJECT_STATES, workspace.zeroed(count)],
    [abi.SUBJECT_HASHES, workspace.zeroed((hashCount + SPARE_ENTRIES) * abi.NAME_HASH_SIZE)],
    [abi.SUBJECT_HASH_MASK, hashCount - 1],
    [abi.SUBJECT_STEPS, Math.min(READ_LIMIT * stringsLength + READ_LEAST, MOST_STEPS)],
  ]);
  const result = arena.run((kernel) => kernel.identify(subject));
  if (result < 0) {
    const typeId = readField(arena.view, arena.kernel.status() as Address<"Status">, readAbi.STATUS_TYPE_ID);
    if (result === -abi.ERR_IDENTITY_DEPTH) {
      throw new BtfLimitError(ERR_BTF_DEPTH, { typeId, limit: abi.IDENTITY_DEPTH });
    }
    throw new BtfLimitError(ERR_WORK, { typeId, note: "has a name that overlaps too many others" });
  }
  return { names, own, references };
}

const known = new WeakMap<Btf, Identities>();

/**
 * Returns the shallow identities of all types: 64 bits that are the same wherever an equal definition stands, whatever
 * its id, its image and the byte order, and stay what they are between versions of this library.
 *
 * An identity counts the kind (an ENUM64 as an ENUM), the name, the size, and what the definition lists: members with
 * name, offset and width; enumerators with name and value; parameters; the target of a typedef. A type that is referred
 * to counts with kind and name if it has one (a declaration as the struct or union), and with all of that if it has
 * none. Not made to withstand somebody who looks for two definitions of one identity. The result is kept, 24 bytes a type.
 *
 * @throws BtfLimitError ERR_BTF_DEPTH for types without names that lead through 512 others, ERR_WORK for names that lie
 *   inside of one another in their thousands
 * @example
 * const ours = identities(btf).of(btf.require("list_head", "struct"));
 * console.log(ours === identities(Btf.parse(bytes)).of(btf.require("list_head", "struct"))); // true
 */
export function identities(btf: Btf): Identities {
  btf.image.check();
  const found = known.get(btf);
  if (found) return found;
  const workspace = new Workspace();
  try {
    return identitiesIn(btf, workspace);
  } finally {
    workspace.release();
  }
}

/** As `identities`, in a workspace that has copies of images. @internal */
export function identitiesIn(btf: Btf, workspace: Workspace): Identities {
  let found = known.get(btf);
  if (!found) {
    found = new Identities(btf.image, btf.base && identitiesIn(btf.base, workspace), workspace);
    known.set(btf, found);
  }
  return found;
}
