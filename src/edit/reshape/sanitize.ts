/** BTF that an older kernel loads: what it does not know becomes something of the same shape (libbpf's bpf_object__sanitize_btf). */
import { Btf } from "../../btf/btf.js";
import { referredType } from "../../btf/traverse.js";
import { ERR_ARGUMENT } from "../../errors/btf.js";
import { BtfError } from "../../errors/error.js";
import { releaseOf } from "../../format/kernel-version.js";
import * as abi from "../../memory/generated/edit-abi.js";
import { Draft, stringsOf } from "../build/draft.js";
import { assemble } from "../build/encode.js";
import { kindOf, rewriteRecords } from "../build/record.js";
import { encodeName, type StringTable } from "../build/string-table.js";
import { type ProgressOptions, steps } from "../progress.js";
import { recordOf } from "./distill.js";
import { identifier } from "./identifier.js";
import { checkKinds } from "./transfer.js";

/** Features that a kernel may lack, with the release that added each (major × 1000 + minor). */
const SINCE = {
  func: 5000,
  datasec: 5002,
  func_global: 5006,
  empty_datasec: 5012,
  float: 5013,
  decl_tag: 5016,
  type_tag: 5017,
  enum64: 6000,
  qmark_datasec: 6010,
  attributes: 6015,
  layout: Number.POSITIVE_INFINITY,
} as const;

/** A feature of BTF that later releases added. */
export type BtfFeature = keyof typeof SINCE;

/** The kernel, or what it knows. */
export interface SanitizeOptions extends ProgressOptions {
  /** Version of the kernel that has to load it, such as `"5.4"`. */
  readonly kernel?: string;
  /** The features that the kernel knows, in place of its version. */
  readonly features?: readonly BtfFeature[];
  /**
   * `true` replaces names that every kernel refuses, such as those of Rust and
   * Zig: other characters than letters, digits and `_` become `_` (default
   * `false`). Names of types that become another kind are replaced in any case.
   */
  readonly names?: boolean;
}

/** BTF that an older kernel accepts. */
export interface SanitizeResult {
  readonly btf: Btf;
  /** Types that were replaced or changed. Ids stay; one may be added behind them. */
  readonly changed: readonly number[];
}

/**
 * Features in the order in which they came.
 *
 * @example
 * console.log(BTF_FEATURES.includes("enum64")); // true
 */
export const BTF_FEATURES: readonly BtfFeature[] = /* @__PURE__ */ Object.keys(SINCE) as BtfFeature[];

function known({ kernel, features }: SanitizeOptions): ReadonlySet<BtfFeature> {
  if ((kernel === undefined) === (features === undefined)) {
    throw new BtfError(ERR_ARGUMENT, { note: "give either the version of a kernel or the features that it has" });
  }
  for (const feature of features ?? []) {
    if (!Object.hasOwn(SINCE, feature))
      throw new BtfError(ERR_ARGUMENT, { note: `"${feature}" is no feature: ${BTF_FEATURES.join(", ")}` });
  }
  if (features) return new Set(features);
  const release = releaseOf(kernel!);
  return new Set(BTF_FEATURES.filter((feature) => release >= SINCE[feature]));
}

const info = (kind: number, vlen: number): number => ((kind << abi.KIND_SHIFT) | vlen) >>> 0;
const INT_OF_A_BYTE = 8;

const DOT = 0x2e;
const QUESTION_MARK = 0x3f;
const UNDERSCORE = 0x5f;

/**
 * Takes the strings of `btf` into `strings` with its sections renamed where
 * their names stand, as libbpf does; a name whose bytes something else uses too
 * is added anew. Returns the new offset of each old one.
 */
function renameSections(btf: Btf, has: ReadonlySet<BtfFeature>, strings: StringTable): Map<number, number> {
  const { image } = btf;
  const start = image.stringsStart;
  const section = stringsOf(image).content.slice();
  const endOf = (offset: number): number => section.indexOf(0, offset - start);
  const isRefused = (byte: number, i: number): boolean =>
    has.has("datasec") ? i === 0 && byte === QUESTION_MARK : byte === DOT || byte === QUESTION_MARK;
  /** Names that this kernel refuses, NUL included, as they become. */
  const names = new Map<number, Uint8Array>();
  if (!has.has("datasec") || !has.has("qmark_datasec")) {
    for (const { id } of btf.ofKind("datasec", { own: true })) {
      const offset = recordOf(image, id)[0]!;
      const bytes =
        offset >= start ? section.slice(offset - start, endOf(offset) + 1) : encodeName(`${image.string(offset)}\0`);
      if (bytes.some(isRefused))
        names.set(
          offset,
          bytes.map((byte, i) => (isRefused(byte, i) ? UNDERSCORE : byte)),
        );
    }
  }
  // Strings that end at one place share bytes.
  const ends = new Set<number>();
  const note = (offset: number): number => {
    if (offset >= start) ends.add(endOf(offset));
    return offset;
  };
  for (let id = btf.firstId; names.size > 0 && id < btf.size; id++) {
    const record = recordOf(image, id);
    if (kindOf(record[1]!) !== abi.KIND_DATASEC) rewriteRecords(record, 0, record.length, note, (to) => to);
  }
  const isShared = (offset: number): boolean => offset < start || ends.has(endOf(offset));
  for (const [offset, name] of names) if (!isShared(offset)) section.set(name, offset - start);
  strings.adopt(section);
  return new Map([...names].map(([offset, name]) => [offset, isShared(offset) ? strings.addBytes(name, 0) : offset]));
}

/** Kinds whose names, and whose members' names, kernels compare with C's identifiers. */
const NAMED: readonly number[] = [
  abi.KIND_STRUCT,
  abi.KIND_UNION,
  abi.KIND_ENUM,
  abi.KIND_ENUM64,
  abi.KIND_TYPEDEF,
  abi.KIND_FWD,
  abi.KIND_FUNC,
  abi.KIND_FUNC_PROTO,
  abi.KIND_VAR,
];

/** Kinds that may lead to a FUNC in kernels from 5.17 on. */
const REFERENCES: readonly number[] = [
  abi.KIND_PTR,
  abi.KIND_TYPEDEF,
  abi.KIND_VOLATILE,
  abi.KIND_CONST,
  abi.KIND_RESTRICT,
  abi.KIND_TYPE_TAG,
];
const FUNC_TARGET_SINCE = 5017;

/** Gives the enumerators of what was a FUNC_PROTO names where its parameters have none: kernels refuse them unnamed. */
function nameEnumerators(record: Uint32Array, strings: StringTable): void {
  for (let at = 3, number = 1; at < record.length; at += 2, number++) {
    if (record[at] === 0) record[at] = strings.add(`param${number}`);
  }
}

/**
 * Replaces what a kernel does not know: VAR and DECL_TAG by an INT of a byte,
 * DATASEC by a STRUCT of its variables, FUNC_PROTO by an ENUM of its parameters,
 * FUNC by a TYPEDEF, FLOAT by an empty STRUCT, TYPE_TAG by a CONST, ENUM64 by a
 * UNION; clears flags and linkages; drops the layout section. The result has
 * pointers of 8 bytes and a header of 24.
 *
 * Besides libbpf's rules, kind_flag of tags (attributes) is cleared for kernels
 * before 6.15, which refuse it; what leads to a FUNC leads to its FUNC_PROTO for kernels before 5.17; a DATASEC without variables becomes a STRUCT for
 * kernels before 5.12; parameters without a name get one where they
 * become enumerators; and names of what becomes another kind are identifiers.
 *
 * @throws BtfError ERR_ARGUMENT for a version or feature that is none;
 *   BtfEnvironmentError ERR_UNSUPPORTED for a kind unknown to us; the reason of `signal`
 * @example
 * const { btf: older, changed } = sanitize(btf, { kernel: "5.4" });
 * console.log(changed.length > 0, [...older.types()].some(({ kind }) => kind === "enum64")); // true false
 */
export function sanitize(btf: Btf, options: SanitizeOptions): SanitizeResult {
  const has = known(options);
  checkKinds(btf.image);
  const draft = new Draft(btf.base);
  // Existing offsets stay.
  const sectionNames = renameSections(btf, has, draft.strings);
  const step = steps(options, btf.size - btf.firstId);
  const changed: number[] = [];
  // A kernel that cannot resolve a FUNC (btf_func_resolve) is told what it would resolve to.
  const leadsToFunc = options.kernel === undefined || releaseOf(options.kernel) >= FUNC_TARGET_SINCE;
  /** Where the strings of the image end: those behind it are added here, and are identifiers. */
  const end = btf.image.stringsStart + stringsOf(btf.image).content.length;
  const placeholder = btf.size;
  let needsPlaceholder = false;
  for (let id = btf.firstId; id < btf.size; id++) {
    step(id - btf.firstId + 1);
    const record = recordOf(btf.image, id);
    const before = record.join();
    let isRenamed = false;
    const vlen = record[1]! & abi.VLEN_MASK;
    switch (kindOf(record[1]!)) {
      case abi.KIND_VAR:
        if (!has.has("datasec")) record.set([info(abi.KIND_INT, 0), 1, INT_OF_A_BYTE], 1);
        break;
      case abi.KIND_DECL_TAG:
        if (!has.has("decl_tag")) record.set([info(abi.KIND_INT, 0), 1, INT_OF_A_BYTE], 1);
        else if (!has.has("attributes")) record[1]! &= 0x7fffffff;
        break;
      case abi.KIND_DATASEC:
        if (!has.has("datasec") || (vlen === 0 && !has.has("empty_datasec"))) {
          record[1] = info(abi.KIND_STRUCT, vlen);
          for (let at = 3; at < record.length; at += 3) {
            const [type, offset] = [record[at]!, record[at + 1]!];
            // A variable of a section may not exist: opening does not follow it, as libbpf does not.
            referredType(btf, id, type);
            record.set([recordOf(btf.image, type)[0]!, type, offset * 8], at);
          }
        }
        isRenamed = sectionNames.has(record[0]!);
        record[0] = sectionNames.get(record[0]!) ?? record[0]!;
        break;
      case abi.KIND_FUNC_PROTO:
        if (!has.has("func")) record.set([info(abi.KIND_ENUM, vlen), 4], 1);
        break;
      case abi.KIND_FUNC:
        if (!has.has("func")) record[1] = info(abi.KIND_TYPEDEF, 0);
        else if (!has.has("func_global")) record[1] = info(abi.KIND_FUNC, 0);
        break;
      case abi.KIND_FLOAT:
        if (!has.has("float")) record.set([0, info(abi.KIND_STRUCT, 0)]);
        break;
      case abi.KIND_TYPE_TAG:
        if (!has.has("type_tag")) record.set([0, info(abi.KIND_CONST, 0)]);
        else if (!has.has("attributes")) record[1]! &= 0x7fffffff;
        break;
      case abi.KIND_ENUM:
        if (!has.has("enum64")) record[1]! &= 0x7fffffff;
        break;
      case abi.KIND_ENUM64:
        if (!has.has("enum64")) {
          needsPlaceholder = true;
          record[1] = info(abi.KIND_UNION, vlen);
          for (let at = 3; at < record.length; at += 3) record.set([placeholder, 0], at + 1);
        }
        break;
    }
    if (!leadsToFunc && REFERENCES.includes(kindOf(record[1]!))) {
      const target = btf.get(record[2]!);
      if (target?.kind === "func") record[2] = target.protoId;
    }
    const isOther = kindOf(record[1]!) !== kindOf(recordOf(btf.image, id)[1]!);
    if (isOther && kindOf(record[1]!) === abi.KIND_ENUM) nameEnumerators(record, draft.strings);
    if ((isOther || options.names) && NAMED.includes(kindOf(record[1]!))) {
      const rename = (offset: number): number => {
        if (offset === 0 || sectionNames.has(offset)) return offset;
        const name = offset < end ? btf.image.string(offset) : undefined;
        const plain = name === undefined ? undefined : identifier(name);
        return plain === undefined || plain === name ? offset : draft.strings.add(plain);
      };
      rewriteRecords(record, 0, record.length, rename, (to) => to);
    }
    if (isRenamed || record.join() !== before) changed.push(id);
    draft.addRecords(new Uint8Array(record.buffer), 1, 0);
  }
  if (needsPlaceholder) draft.add(draft.strings.add("enum64_placeholder"), info(abi.KIND_INT, 0), 1, INT_OF_A_BYTE);
  const bytes = assemble(draft.sections, 24, undefined, btf.endian);
  const made = btf.base ? btf.base.split(bytes) : Btf.parse(bytes);
  made.pointerSize = 8;
  return { btf: made, changed };
}
