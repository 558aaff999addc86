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

type Apply = (to: PaholeArguments, value: string) => void;

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
const nothing: Apply = () => {};

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
  valued("bit_holes", "B", (to, value) => void (to.minBitHoles = u16(value))),
  valued("cacheline_size", "c", (to, value) => void (to.cachelineBytes = u16(value))),
  valued("class_name", "C", (to, value) => void (to.className = value)),
  valued("count", undefined),
  valued("skip", undefined),
  valued("seek_bytes", undefined),
  valued("size_bytes", undefined),
  valued("range", undefined),
  valued("header_type", undefined),
  valued("find_pointers_to", "f", (to, value) => {
    to.isPointers = true;
    to.className = value;
  }),
  valued("format_path", "F", (to, value) => void (to.format = value)),
  valued("contains", "i", (to, value) => {
    to.isContainers = true;
    to.className = value;
  }),
  valued("contains_enumerator", undefined, (to, value) => void (to.enumerator = value)),
  flag("show_decl_info", "I", (to) => void (to.showsOrigin = true)),
  valued("holes", "H", (to, value) => void (to.minHoles = u16(value))),
  valued("padding_ge", undefined, (to, value) => void (to.minPadding = u16(value))),
  valued("hole_size_ge", "z", (to, value) => {
    to.minHoleSize = u16(value);
    if (!to.isVerbose) to.listing = "name";
  }),
  flag("packable", "P", (to) => void (to.packable = true)),
  flag("with_flexible_array", undefined, (to) => void (to.flexible = true)),
  flag("with_embedded_flexible_array", undefined, (to) => {
    to.justStructs = true;
    to.embedsFlexible = true;
  }),
  flag("expand_types", "E", (to) => void (to.expand = true)),
  flag("nr_members", "n", (to) => void (to.listing = "members")),
  flag("rel_offset", "r", (to) => void (to.relative = true)),
  flag("recursive", "d", (to) => void (to.isRecursive = true)),
  flag("reorganize", "R", (to) => void (to.isReorganized = true)),
  flag("show_reorg_steps", "S", (to) => void (to.showsSteps = true)),
  flag("class_name_len", "N", (to) => void (to.listing = "name-length")),
  flag("show_first_biggest_size_base_type_member", "l", (to) => void (to.widest = true)),
  flag("nr_methods", "m", (to) => void (to.statistics = "methods")),
  flag("show_only_data_members", "M", nothing),
  flag("expand_pointers", "p"),
  flag("sizes", "s", (to) => void (to.listing = "sizes")),
  valued("separator", "t", (to, value) => void (to.separator = value.slice(0, 1) || "\0")),
  flag("nr_definitions", "T", (to) => {
    to.statistics = "definitions";
    to.listing = "none";
  }),
  valued("decl_exclude", "D", (to) => void (to.excludeDeclarations = true)),
  valued("exclude", "x", (to, value) => void (to.excludePrefix = value)),
  valued("prefix_filter", "y", (to, value) => void (to.includePrefix = value)),
  valued("cu_exclude", "X", (to, value) => void (to.excludeFiles = value)),
  flag("anon_include", "a", (to) => void (to.anonymous = true)),
  flag("nested_anon_include", "A", (to) => void (to.nestedAnonymous = true)),
  flag("quiet", "q", (to) => void (to.quiet = true)),
  flag("defined_in", "u", (to) => void (to.showsFile = true)),
  flag("verbose", "V", (to) => void (to.isVerbose = true)),
  valued("word_size", "w", (to, value) => void (to.wordSize = number(value) & 0xff)),
  flag("ctf_encode", "Z"),
  // An array of BTF has one dimension: flat as it is.
  flag("flat_arrays", undefined, nothing),
  flag("suppress_aligned_attribute", undefined, (to) => void (to.noAligned = true)),
  flag("suppress_force_paddings", undefined, nothing),
  flag("suppress_packed", undefined, (to) => void (to.noPacked = true)),
  flag("show_private_classes", undefined, nothing),
  flag("fixup_silly_bitfields", undefined, nothing),
  flag("first_obj_only", undefined, nothing),
  flag("classes_as_structs", undefined, nothing),
  flag("hex", undefined, (to) => void (to.hex = true)),
  valued("btf_base", undefined, (to, value) => void (to.base = value)),
  valued("kabi_prefix", undefined, nothing),
  { name: "jobs", key: "j", takes: "optional", apply: nothing },
  flag("btf_encode", "J"),
  valued("btf_encode_detached", undefined),
  flag("skip_encoding_btf_vars", undefined, nothing),
  flag("btf_encode_force", undefined, nothing),
  flag("btf_gen_floats", undefined, nothing),
  flag("btf_gen_all", undefined, nothing),
  flag("compile", undefined),
  flag("structs", undefined, (to) => void (to.justStructs = true)),
  flag("unions", undefined, (to) => void (to.justUnions = true)),
  flag("packed", undefined, (to) => {
    to.justStructs = true;
    to.justPacked = true;
  }),
  flag("numeric_version", undefined, (to) => void (to.version ??= "number")),
  flag("sort", undefined, (to) => void (to.isSorted = true)),
  valued("prettify", undefined),
  valued("hashbits", undefined, (_, value) => {
    if ((number(value) & 0xff) > 31) {
      throw new PaholeUsage(`Invalid --hashbits value (${number(value) & 0xff}) should be less than 32`);
    }
  }),
  flag("ptr_table_stats", undefined),
  flag("skip_encoding_btf_decl_tag", undefined, nothing),
  flag("skip_missing", undefined, (to) => void (to.skipsMissing = true)),
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
  flag("version", undefined, (to) => void (to.version = "text")),
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
    known.apply(parsed, value);
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
