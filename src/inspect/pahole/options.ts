/** pahole's own arguments. */

/** What is listed of a struct in place of its definition. */
export type Listing = "definition" | "sizes" | "members" | "name-length" | "name" | "none";

/** What pahole's arguments ask for. */
export interface PaholeArguments {
  files: string[];
  /** -C, -i or -f: the last counts. */
  className?: string;
  isContainers?: boolean;
  isPointers?: boolean;
  enumerator?: string;
  listing: Listing;
  statistics?: "definitions" | "methods";
  separator: string;
  cachelineBytes?: number;
  base?: string;
  format?: string;
  anonymous?: boolean;
  nestedAnonymous?: boolean;
  excludePrefix?: string;
  includePrefix?: string;
  excludeFiles?: string;
  excludeDeclarations?: boolean;
  minHoles: number;
  minBitHoles: number;
  minHoleSize: number;
  minPadding: number;
  packable?: boolean;
  flexible?: boolean;
  embedsFlexible?: boolean;
  justUnions?: boolean;
  justStructs?: boolean;
  justPacked?: boolean;
  isRecursive?: boolean;
  isVerbose?: boolean;
  isSorted?: boolean;
  isReorganized?: boolean;
  showsSteps?: boolean;
  showsFile?: boolean;
  skipsMissing?: boolean;
  showsOrigin?: boolean;
  wordSize?: number;
  expand?: boolean;
  hex?: boolean;
  relative?: boolean;
  quiet?: boolean;
  noAligned?: boolean;
  noPacked?: boolean;
  widest?: boolean;
  /** Prints a version and does nothing else. */
  version?: "text" | "number";
}

/** An option that pahole does not know, that is incomplete, or that is not supported here. */
export class PaholeUsage extends Error {}

/** What an option sets, given its value and what is set already. */
type Apply = (value: string, known: PaholeArguments) => Partial<PaholeArguments>;

interface Known {
  readonly name: string;
  readonly key?: string;
  readonly takes?: "required" | "optional";
  /** Without: pahole has it, this toolkit has not. */
  readonly apply?: Apply;
}

/** As C's atoi. */
function number(text: string): number {
  return Number(/^\s*[+-]?\d+/.exec(text)?.[0] ?? 0) | 0;
}
const u16 = (text: string): number => number(text) & 0xffff;
/** Options that matter to other debugging formats, to BTF being made, or to speed. */
const nothing: Apply = () => ({});

const flag = (name: string, key: string | undefined, apply?: Apply): Known => ({
  name,
  ...(key && { key }),
  ...(apply && { apply }),
});
const valued = (name: string, key: string | undefined, apply?: Apply): Known => ({
  ...flag(name, key, apply),
  takes: "required",
});

const OPTIONS: readonly Known[] = [
  valued("bit_holes", "B", (value) => ({ minBitHoles: u16(value) })),
  valued("cacheline_size", "c", (value) => ({ cachelineBytes: u16(value) })),
  valued("class_name", "C", (value) => ({ className: value })),
  valued("count", undefined),
  valued("skip", undefined),
  valued("seek_bytes", undefined),
  valued("size_bytes", undefined),
  valued("range", undefined),
  valued("header_type", undefined),
  valued("find_pointers_to", "f", (value) => ({ isPointers: true, className: value })),
  valued("format_path", "F", (value) => ({ format: value })),
  valued("contains", "i", (value) => ({ isContainers: true, className: value })),
  valued("contains_enumerator", undefined, (value) => ({ enumerator: value })),
  flag("show_decl_info", "I", () => ({ showsOrigin: true })),
  valued("holes", "H", (value) => ({ minHoles: u16(value) })),
  valued("padding_ge", undefined, (value) => ({ minPadding: u16(value) })),
  valued("hole_size_ge", "z", (value, { isVerbose }) => ({
    minHoleSize: u16(value),
    ...(!isVerbose && { listing: "name" }),
  })),
  flag("packable", "P", () => ({ packable: true })),
  flag("with_flexible_array", undefined, () => ({ flexible: true })),
  flag("with_embedded_flexible_array", undefined, () => ({ justStructs: true, embedsFlexible: true })),
  flag("expand_types", "E", () => ({ expand: true })),
  flag("nr_members", "n", () => ({ listing: "members" })),
  flag("rel_offset", "r", () => ({ relative: true })),
  flag("recursive", "d", () => ({ isRecursive: true })),
  flag("reorganize", "R", () => ({ isReorganized: true })),
  flag("show_reorg_steps", "S", () => ({ showsSteps: true })),
  flag("class_name_len", "N", () => ({ listing: "name-length" })),
  flag("show_first_biggest_size_base_type_member", "l", () => ({ widest: true })),
  flag("nr_methods", "m", () => ({ statistics: "methods" })),
  flag("show_only_data_members", "M", nothing),
  flag("expand_pointers", "p"),
  flag("sizes", "s", () => ({ listing: "sizes" })),
  valued("separator", "t", (value) => ({ separator: value.slice(0, 1) || "\0" })),
  flag("nr_definitions", "T", () => ({ statistics: "definitions", listing: "none" })),
  valued("decl_exclude", "D", () => ({ excludeDeclarations: true })),
  valued("exclude", "x", (value) => ({ excludePrefix: value })),
  valued("prefix_filter", "y", (value) => ({ includePrefix: value })),
  valued("cu_exclude", "X", (value) => ({ excludeFiles: value })),
  flag("anon_include", "a", () => ({ anonymous: true })),
  flag("nested_anon_include", "A", () => ({ nestedAnonymous: true })),
  flag("quiet", "q", () => ({ quiet: true })),
  flag("defined_in", "u", () => ({ showsFile: true })),
  flag("verbose", "V", () => ({ isVerbose: true })),
  valued("word_size", "w", (value) => ({ wordSize: number(value) & 0xff })),
  flag("ctf_encode", "Z"),
  // An array of BTF has one dimension: flat as it is.
  flag("flat_arrays", undefined, nothing),
  flag("suppress_aligned_attribute", undefined, () => ({ noAligned: true })),
  flag("suppress_force_paddings", undefined, nothing),
  flag("suppress_packed", undefined, () => ({ noPacked: true })),
  flag("show_private_classes", undefined, nothing),
  flag("fixup_silly_bitfields", undefined, nothing),
  flag("first_obj_only", undefined, nothing),
  flag("classes_as_structs", undefined, nothing),
  flag("hex", undefined, () => ({ hex: true })),
  valued("btf_base", undefined, (value) => ({ base: value })),
  valued("kabi_prefix", undefined, nothing),
  { name: "jobs", key: "j", takes: "optional", apply: nothing },
  flag("btf_encode", "J"),
  valued("btf_encode_detached", undefined),
  flag("skip_encoding_btf_vars", undefined, nothing),
  flag("btf_encode_force", undefined, nothing),
  flag("btf_gen_floats", undefined, nothing),
  flag("btf_gen_all", undefined, nothing),
  flag("compile", undefined),
  flag("structs", undefined, () => ({ justStructs: true })),
  flag("unions", undefined, () => ({ justUnions: true })),
  flag("packed", undefined, () => ({ justStructs: true, justPacked: true })),
  flag("numeric_version", undefined, () => ({ version: "number" })),
  flag("sort", undefined, () => ({ isSorted: true })),
  valued("prettify", undefined),
  valued("hashbits", undefined, (value) => {
    const bits = number(value) & 0xff;
    if (bits > 31) throw new PaholeUsage(`option --hashbits takes less than 32, not ${bits}`);
    return {};
  }),
  flag("ptr_table_stats", undefined),
  flag("skip_encoding_btf_decl_tag", undefined, nothing),
  flag("skip_missing", undefined, () => ({ skipsMissing: true })),
  flag("skip_encoding_btf_type_tag", undefined, nothing),
  valued("lang", undefined),
  valued("lang_exclude", undefined),
  flag("skip_encoding_btf_enum64", undefined, nothing),
  flag("skip_emitting_atomic_typedefs", undefined, nothing),
  flag("btf_gen_optimized", undefined, nothing),
  flag("skip_encoding_btf_inconsistent_proto", undefined, nothing),
  valued("btf_features", undefined, nothing),
  flag("supported_btf_features", undefined),
  valued("btf_features_strict", undefined),
  flag("reproducible_build", undefined, nothing),
  flag("running_kernel_vmlinux", undefined),
  flag("btf_attributes", undefined, nothing),
  flag("help", "?"),
  flag("usage", undefined),
  flag("version", undefined, () => ({ version: "text" })),
];

/**
 * Reads pahole's arguments as GNU's argp does: options and files in any order,
 * short options together, long ones cut short as long as they stay unique.
 *
 * @throws PaholeUsage that names the option
 */
export function parsePaholeArguments(args: readonly string[]): PaholeArguments {
  const parsed: PaholeArguments = {
    files: [],
    listing: "definition",
    separator: "\t",
    minHoles: 0,
    minBitHoles: 0,
    minHoleSize: 0,
    minPadding: 0,
  };
  const rest = [...args];
  const next = (spelled: string): string => {
    const value = rest.shift();
    if (value === undefined) throw new PaholeUsage(`option ${spelled} requires an argument`);
    return value;
  };
  const apply = (known: Known, spelled: string, value = ""): void => {
    if (!known.apply) throw new PaholeUsage(`option ${spelled} of pahole is not supported`);
    Object.assign(parsed, known.apply(value, parsed));
  };
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === "--") {
      parsed.files.push(...rest);
      break;
    }
    if (arg.startsWith("--")) {
      const equals = arg.indexOf("=");
      const spelled = equals < 0 ? arg : arg.slice(0, equals);
      const known = findLong(spelled);
      if (equals >= 0 && !known.takes) throw new PaholeUsage(`option --${known.name} takes no argument`);
      const value = equals >= 0 ? arg.slice(equals + 1) : known.takes === "required" ? next(`--${known.name}`) : "";
      apply(known, `--${known.name}`, value);
    } else if (arg.startsWith("-") && arg !== "-") {
      for (let at = 1; at < arg.length; at++) {
        const spelled = `-${arg[at]}`;
        const known = OPTIONS.find(({ key }) => key === arg[at]);
        if (!known) throw new PaholeUsage(`pahole has no option ${spelled}`);
        if (!known.takes) {
          apply(known, spelled);
          continue;
        }
        const attached = arg.slice(at + 1);
        apply(known, spelled, attached || known.takes === "optional" ? attached : next(spelled));
        break;
      }
    } else {
      parsed.files.push(arg);
    }
  }
  return parsed;
}

function findLong(spelled: string): Known {
  const name = spelled.slice(2);
  const exact = OPTIONS.find((option) => option.name === name);
  if (exact) return exact;
  const [first, ...others] = OPTIONS.filter((option) => option.name.startsWith(name));
  if (!first || name === "") throw new PaholeUsage(`pahole has no option ${spelled}`);
  if (others.length > 0) {
    const names = [first, ...others].map((option) => `--${option.name}`).join(", ");
    throw new PaholeUsage(`option ${spelled} may be any of ${names}`);
  }
  return first;
}
