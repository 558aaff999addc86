/** Predicts the verdict of a kernel on BTF (BPF_BTF_LOAD). */
import { Btf } from "../../btf/btf.js";
import type { Image } from "../../btf/image.js";
import { isModifierKind } from "../../btf/traverse.js";
import { kernelRules } from "../../format/kernel-version.js";
import { KINDS } from "../../format/kind.js";
import * as abi from "../../memory/generated/edit-abi.js";
import { type Address, type Field, readField, writeField } from "../../memory/struct.js";
import { encode, swapWords } from "../build/encode.js";
import { editArena } from "../dedup/workspace.js";
import type { ProgressOptions } from "../progress.js";
import { FieldCheck } from "./fields.js";
import { checkHeader, type Layout } from "./header.js";
import { TYPE_RULES, type VerifyRule } from "./rules.js";

/** Options of `verify`. */
export interface VerifyOptions extends ProgressOptions {
  /** The base of raw bytes that are split BTF. */
  readonly base?: Btf;
  /** Size of the kernel's pointers in bytes (default: that of a Btf, 8 for bytes). */
  readonly pointerSize?: 4 | 8;
  /** Version of the kernel, such as `"6.12"`: which kinds and flags it knows (default: 6.18). */
  readonly kernel?: string;
  /** At most this many findings (default 100). */
  readonly limit?: number;
}

/** A rule that is broken, and where. */
export interface Finding {
  /** Stable name of the rule. */
  readonly rule: string;
  /** The type; 0 for the header. */
  readonly typeId: number;
  /** Name of the type, "" if it has none. */
  readonly name: string;
  /** Rule, type, member and byte in words; it ends with what the kernel's log says. */
  readonly message: string;
  /** Offset in bytes from the start of the image. */
  readonly offset: number;
  /** Explains the kernel's words where they leave the reason open: the type that a member leads to. */
  readonly explanation?: string;
}

/** The verdict of a kernel. */
export interface VerifyResult {
  /** True if a kernel loads it. */
  readonly ok: boolean;
  /** 0, or the error number that BPF_BTF_LOAD returns: that of the first finding. */
  readonly errno: number;
  /** The first is the one that a kernel tells, which stops there. */
  readonly findings: readonly Finding[];
}

const LIMIT = 100;
/** Rules that are broken because of the type that another one leads to. */
const LEADS_TO_TYPE = ["member-type", "array-element", "array-index", "variable-type", "return-type"];
/** Types that are followed to explain a finding. */
const EXPLAINED_DEPTH = 32;

/** An image and its bases, the lowest first. */
function chainOf(image: Image | undefined): Image[] {
  return image ? [...chainOf(image.base), image] : [];
}

/**
 * Checks BTF by the rules that a kernel applies when it is loaded: header,
 * sections, records, references, depths. Takes bytes that `Btf.parse` refuses,
 * too. An image of the other byte order is judged as by a kernel of that order.
 *
 * The kernel stops at the first finding. Here records are all looked at, then,
 * if they are well-formed, all references.
 *
 * Fields of structs that mean something to the verifier of programs (locks,
 * list heads, kernel pointers and the like) are checked for 6.15 and later; the
 * kernel's log has no words for them. Not checked: whether a kernel has a
 * destructor for what a `kptr` points to, and privileges.
 *
 * @throws BtfError ERR_ARGUMENT for a version that is none; BtfLimitError
 *   ERR_MEMORY; the reason of `signal`. Source: btf_parse in kernel/bpf/btf.c, Linux 6.18.
 * @example
 * console.log(verify(btf, { kernel: "6.1" }).ok); // true
 * console.log(verify(bytes.subarray(0, 100)).findings[0]?.message);
 * // header, section-length: Total section length too long (at byte 12)
 */
export function verify(input: Btf | Uint8Array, options: VerifyOptions = {}): VerifyResult {
  const base = input instanceof Btf ? input.base : options.base;
  const bytes = input instanceof Btf ? encode(input) : input;
  const { maxKind, features, knowsLayout } = kernelRules(options.kernel);
  const header = checkHeader(bytes, base !== undefined, knowsLayout);
  if ("rule" in header) {
    const { rule, offset } = header;
    const message = `header, ${rule.rule}: ${rule.text} (at byte ${offset})`;
    return { ok: false, errno: rule.errno, findings: [{ rule: rule.rule, typeId: 0, name: "", message, offset }] };
  }
  const pointerSize = options.pointerSize ?? (input instanceof Btf ? input.pointerSize : 8);
  return new Verification(bytes, header, base, options.limit ?? LIMIT).run(maxKind, features, pointerSize, options);
}

interface Found {
  readonly rule: VerifyRule;
  readonly finding: Finding;
}

class Verification {
  readonly #arena = editArena();
  readonly #at: Address<"Verify">;
  readonly #header: Layout;
  readonly #firstId: number;
  readonly #types: number;
  readonly #ownStart: number;
  readonly #strings: number;
  readonly #stringsLength: number;
  readonly #findings: number;
  readonly #limit: number;

  constructor(bytes: Uint8Array, header: Layout, base: Btf | undefined, limit: number) {
    const arena = this.#arena;
    const below = chainOf(base?.image);
    const ownStart = below.reduce((sum, image) => sum + image.header.typesLength, 0);
    const typesLength = ownStart + header.typesLength;
    const stringsBelow = below.reduce((sum, image) => sum + image.header.stringsLength, 0);
    const ids = Math.floor(typesLength / abi.TYPE_SIZE) + 2;
    this.#header = header;
    this.#firstId = base?.size ?? 1;
    this.#ownStart = ownStart;
    this.#stringsLength = stringsBelow + header.stringsLength;
    this.#limit = Math.max(1, limit);
    try {
      this.#at = arena.allocate(abi.VERIFY_SIZE) as Address<"Verify">;
      this.#types = arena.allocate(typesLength);
      this.#strings = arena.allocate(this.#stringsLength + 16);
      const offsets = arena.allocate(ids * 4);
      const states = arena.allocate(ids);
      const resolved = arena.allocate(ids * 4);
      const sizes = arena.allocate(ids * 4);
      this.#findings = arena.allocate(this.#limit * abi.FINDING_SIZE);
      let types = this.#types;
      let strings = this.#strings;
      for (const image of below) {
        const { memory } = image;
        arena.bytes.set(memory.subarray(image.types, image.types + image.header.typesLength), types);
        arena.bytes.set(memory.subarray(image.strings, image.strings + image.header.stringsLength), strings);
        types += image.header.typesLength;
        strings += image.header.stringsLength;
      }
      const ownTypes = bytes.subarray(header.types, header.types + header.typesLength);
      arena.bytes.set(ownTypes, types);
      if (header.endian === "big") swapWords(arena.bytes.subarray(types, types + header.typesLength));
      arena.bytes.set(bytes.subarray(header.strings, header.strings + header.stringsLength), strings);
      arena.bytes.fill(0, strings + header.stringsLength, strings + header.stringsLength + 16);
      arena.bytes.fill(0, states, states + ids);
      arena.bytes.fill(0, this.#at, this.#at + abi.VERIFY_SIZE);
      this.#set(abi.VERIFY_TYPES, this.#types);
      this.#set(abi.VERIFY_TYPES_LENGTH, typesLength);
      this.#set(abi.VERIFY_STRINGS, this.#strings);
      this.#set(abi.VERIFY_STRINGS_LENGTH, this.#stringsLength);
      this.#set(abi.VERIFY_FIRST_ID, this.#firstId);
      this.#set(abi.VERIFY_OWN_START, ownStart);
      this.#set(abi.VERIFY_OFFSETS, offsets);
      this.#set(abi.VERIFY_STATES, states);
      this.#set(abi.VERIFY_IDS, resolved);
      this.#set(abi.VERIFY_SIZES, sizes);
      this.#set(abi.VERIFY_FINDINGS, this.#findings);
      this.#set(abi.VERIFY_ROOM, this.#limit);
    } catch (cause) {
      arena.release();
      throw cause;
    }
  }

  run(maxKind: number, features: number, pointerSize: number, { signal, onProgress }: ProgressOptions): VerifyResult {
    const arena = this.#arena;
    // Shares of the time, roughly.
    const step = (share: number): void => {
      signal?.throwIfAborted();
      const total = this.#get(abi.VERIFY_ID_LIMIT);
      onProgress?.(Math.floor(total * share), total);
    };
    try {
      this.#set(abi.VERIFY_MAX_KIND, maxKind);
      this.#set(abi.VERIFY_FEATURES, features);
      this.#set(abi.VERIFY_POINTER, pointerSize);
      signal?.throwIfAborted();
      arena.run((kernel) => kernel.checkRecords(this.#at));
      step(0.4);
      if (this.#count === 0) arena.run((kernel) => kernel.checkReferences(this.#at));
      if (this.#count === 0) arena.run((kernel) => kernel.checkTags(this.#at));
      step(0.9);
      // A module's types are not looked through for such fields.
      const hasFields = this.#count === 0 && this.#firstId === 1 && (features & abi.FEATURE_FIELDS) !== 0;
      const found = hasFields
        ? this.#checkFields()
        : Array.from({ length: Math.min(this.#count, this.#limit) }, (_, i) => this.#finding(i));
      const { rule } = found[0] ?? {};
      return { ok: !rule, errno: rule?.errno ?? 0, findings: found.map(({ finding }) => finding) };
    } finally {
      arena.release();
    }
  }

  #get(field: Field<"Verify">): number {
    return readField(this.#arena.view, this.#at, field);
  }

  #set(field: Field<"Verify">, value: number): void {
    writeField(this.#arena.view, this.#at, field, value);
  }

  get #count(): number {
    return this.#get(abi.VERIFY_COUNT);
  }

  #name(offset: number): string {
    if (offset >= this.#stringsLength) return "";
    const { bytes } = this.#arena;
    const start = this.#strings + offset;
    return new TextDecoder().decode(bytes.subarray(start, bytes.indexOf(0, start)));
  }

  #finding(index: number): Found {
    const { view } = this.#arena;
    const at = (this.#findings + index * abi.FINDING_SIZE) as Address<"Finding">;
    return this.#describe(
      TYPE_RULES[readField(view, at, abi.FINDING_RULE)]!,
      readField(view, at, abi.FINDING_TYPE_ID),
      readField(view, at, abi.FINDING_OFFSET),
      readField(view, at, abi.FINDING_ELEMENT),
      readField(view, at, abi.FINDING_VALUE),
    );
  }

  /** Fields with a meaning to the verifier of programs. Records and references are as they should be. */
  #checkFields(): Found[] {
    const arena = this.#arena;
    const list = (count: number): number[] =>
      Array.from({ length: count }, (_, i) => arena.view.getUint32(this.#get(abi.VERIFY_IDS) + i * 4, true));
    const candidates = list(arena.run((kernel) => kernel.listFieldTypes(this.#at)));
    const text = new TextDecoder("latin1");
    const record = (id: number): number =>
      this.#types + arena.view.getUint32(this.#get(abi.VERIFY_OFFSETS) + id * 4, true);
    const check = new FieldCheck({
      view: arena.view,
      idLimit: this.#get(abi.VERIFY_ID_LIMIT),
      record,
      text: (offset) => {
        const start = this.#strings + offset;
        return text.decode(arena.bytes.subarray(start, arena.bytes.indexOf(0, start)));
      },
    });
    const types = check.fieldTypes(candidates);
    if (types.length === 0) return [];
    for (const id of types) arena.bytes[this.#get(abi.VERIFY_STATES) + id] = abi.FIELD_TYPE;
    const broken = check.check(list(arena.run((kernel) => kernel.listFieldHolders(this.#at))));
    return broken.slice(0, this.#limit).map(({ rule, typeId, member }) => {
      const offset = record(typeId) - this.#types + (member < 0 ? 0 : abi.TYPE_SIZE + member * abi.MEMBER_SIZE);
      return this.#describe(rule, typeId, offset, member < 0 ? abi.NO_ELEMENT : member, 0);
    });
  }

  #describe(rule: VerifyRule, typeId: number, offset: number, element: number, value: number): Found {
    const { view } = this.#arena;
    const column = this.#get(abi.VERIFY_OFFSETS);
    const record = this.#types + view.getUint32(column + typeId * 4, true);
    const isWhole = record + abi.TYPE_SIZE_OR_ID <= this.#types + this.#ownStart + this.#header.typesLength;
    const kind = isWhole
      ? (KINDS[(view.getUint32(record + abi.TYPE_INFO, true) >>> abi.KIND_SHIFT) & abi.LINUX_KIND_MASK] ?? "")
      : "";
    const name = isWhole ? this.#name(view.getUint32(record + abi.TYPE_NAME, true)) : "";
    const byte = this.#header.types + offset;
    const type = `type [${typeId}]${kind && ` ${kind.toUpperCase()}`}${name && ` ${JSON.stringify(name)}`}`;
    const number = rule === TYPE_RULES[abi.RULE_ARGUMENT] ? element + 1 : value;
    const text = rule.text.replace("%", String(number));
    const place = rule === TYPE_RULES[abi.RULE_TRUNCATED] ? "" : this.#place(kind, record, element);
    const message = `${type}${place}, ${rule.rule}: ${text} (at byte ${byte})`;
    const explanation = LEADS_TO_TYPE.includes(rule.rule) ? this.#explain(kind, record, element) : undefined;
    const finding = { rule: rule.rule, typeId, name, message, offset: byte, ...(explanation && { explanation }) };
    return { rule, finding };
  }

  /** Says what the type of a member, an element or a variable is below its typedefs and modifiers. */
  #explain(kind: string, record: number, element: number): string | undefined {
    const { view } = this.#arena;
    const isMember = kind === "struct" || kind === "union";
    if (isMember && element === abi.NO_ELEMENT) return undefined;
    const member = abi.TYPE_SIZE + element * abi.MEMBER_SIZE;
    const word = isMember ? member + abi.MEMBER_TYPE : kind === "array" ? abi.ARRAY_ELEMENT : abi.TYPE_SIZE_OR_ID;
    let id = view.getUint32(record + word, true);
    const column = this.#get(abi.VERIFY_OFFSETS);
    const passed: string[] = [];
    for (let depth = 0; depth < EXPLAINED_DEPTH; depth++) {
      if (id === 0) return `${passed.join("")}void has no size`;
      if (id >= this.#get(abi.VERIFY_ID_LIMIT)) return undefined;
      const at = this.#types + view.getUint32(column + id * 4, true);
      const name = this.#name(view.getUint32(at + abi.TYPE_NAME, true));
      const found = KINDS[(view.getUint32(at + abi.TYPE_INFO, true) >>> abi.KIND_SHIFT) & abi.LINUX_KIND_MASK] ?? "";
      const shown = `${found.toUpperCase()} [${id}]${name && ` ${JSON.stringify(name)}`}`;
      if (found && isModifierKind(found)) {
        passed.push(`${shown} leads to `);
        id = view.getUint32(at + abi.TYPE_SIZE_OR_ID, true);
        continue;
      }
      switch (found) {
        case "array":
          passed.push(`${shown} holds `);
          id = view.getUint32(at + abi.ARRAY_ELEMENT, true);
          break;
        case "fwd":
          return `${passed.join("")}${shown}, a declaration without a definition: it has no size; define the type, or use a pointer to it`;
        case "func":
        case "func_proto":
        case "datasec":
        case "var":
        case "decl_tag":
          return `${passed.join("")}${shown}, which cannot be the type of data`;
        default:
          return passed.length > 0 ? `${passed.join("")}${shown}` : undefined;
      }
    }
    return undefined;
  }

  /** Returns the words for a member, value, parameter or variable. */
  #place(kind: string, record: number, element: number): string {
    if (element === abi.NO_ELEMENT) return "";
    const { view } = this.#arena;
    if (kind === "struct" || kind === "union") {
      const name = this.#name(
        view.getUint32(record + abi.TYPE_SIZE + element * abi.MEMBER_SIZE + abi.MEMBER_NAME, true),
      );
      return `, member ${element}${name && ` ${JSON.stringify(name)}`}`;
    }
    if (kind === "enum" || kind === "enum64") return `, value ${element}`;
    if (kind === "datasec") return `, variable ${element}`;
    return `, parameter ${element + 1}`;
  }
}
