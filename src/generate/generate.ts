/** Code in a language, from the types of a kernel or of a BPF object. */

import type { BpfObject } from "../bpf/object/object.js";
import type { Btf } from "../btf/btf.js";
import { nearest } from "../btf/query/nearest.js";
import type { BtfType } from "../btf/types.js";
import { ERR_ARGUMENT } from "../errors/btf.js";
import { BtfError } from "../errors/error.js";
import { generateC } from "./c.js";
import { generateGo } from "./go.js";
import { generateIsf } from "./isf.js";
import { type Form, type Model, ModelBuilder } from "./model.js";
import { addObject } from "./object.js";
import { generatePython } from "./python.js";
import { generateRust } from "./rust.js";
import { namedTypes } from "./select.js";
import { generateTypeScript } from "./typescript.js";

const GENERATORS = {
  ts: generateTypeScript,
  c: generateC,
  rust: generateRust,
  go: generateGo,
  python: generatePython,
  isf: generateIsf,
};

/** A language that code can be generated in. */
export type Language = keyof typeof GENERATORS;

/**
 * The languages: TypeScript, C, Rust, Go, Python (ctypes), and volatility's symbols.
 *
 * @example
 * console.log(LANGUAGES.includes("ts")); // true
 */
export const LANGUAGES: readonly Language[] = /* @__PURE__ */ Object.keys(GENERATORS) as Language[];

/** What is generated. */
export interface GenerateOptions {
  /**
   * These types, with all that they hold by value (default: all structs, unions and enums with a name; of a BPF
   * object what its maps, global variables, externs and events need).
   */
  readonly types?: Iterable<BtfType>;
  /**
   * Types of a BPF object's events, as `TYPE` or `MAP=TYPE`; those of the maps that are not named are found by how
   * the programs use them.
   */
  readonly events?: readonly string[];
  /** Only the types of a split BTF, none of its base but those that they hold (default false). */
  readonly own?: boolean;
  /** `isf`: the text of the kernel's `System.map`, for addresses. */
  readonly systemMap?: string;
  /** `isf`: what /proc/version says of the kernel: volatility finds the symbols of an image by it. */
  readonly banner?: string;
}

/**
 * Code with the definitions of types in a language. It has the layout of the kernel or object, whatever compiles it,
 * and assertions of it. What a type cannot be in the language is a comment with the reason.
 *
 * @param source a Btf; or a BPF object, of which the code has what a program beside it needs
 * @throws BtfError ERR_ARGUMENT for an unknown language or a type of another Btf; BtfLookupError ERR_NOT_FOUND for an
 *   unknown type of events; BtfLimitError ERR_WORK for anonymous types that hold each other without end
 * @example
 * const header = generate(btf, "c", { types: [btf.require("list_head", "struct")] });
 * console.log(header.includes("_Static_assert(sizeof(struct list_head) == 16")); // true
 */
export function generate(
  source: Btf | BpfObject,
  language: Language,
  { types, events = [], own = false, systemMap, banner }: GenerateOptions = {},
): string {
  const generator = generatorOf(language);
  const object = "programs" in source ? source : undefined;
  const btf = "programs" in source ? source.btf : source;
  if (language !== "isf" && (systemMap !== undefined || banner !== undefined)) {
    throw new BtfError(ERR_ARGUMENT, { note: "System.map and banner belong to isf; code has no addresses" });
  }
  if (!object && events.length > 0) {
    throw new BtfError(ERR_ARGUMENT, { note: "events belong to BPF objects; this is BTF alone" });
  }
  const builder = new ModelBuilder(btf);
  const read = object && addObject(object, events, builder);
  if (types || !object) {
    for (const type of types ?? namedTypes(btf, own)) {
      if (btf.get(type.id) !== type) {
        throw new BtfError(ERR_ARGUMENT, { note: `type [${type.id}] "${type.name}" belongs to another Btf` });
      }
      builder.add(type);
    }
  }
  if (language === "ts") return generateTypeScript(builder.build(), read);
  if (language !== "isf") return generator(builder.build());
  const variables = systemMap === undefined ? undefined : variablesOf(btf, builder);
  return generateIsf(builder.build(), {
    ...(systemMap !== undefined && { systemMap }),
    ...(banner !== undefined && { banner }),
    ...(variables && { variables }),
  });
}

/** The types of a kernel's variables, which are added. */
function variablesOf(btf: Btf, builder: ModelBuilder): Map<string, Form> {
  const found = new Map<string, Form>();
  for (const { name, type } of btf.ofKind("var")) if (!found.has(name)) found.set(name, builder.form(type));
  return found;
}

function generatorOf(language: string): (model: Model) => string {
  if (Object.hasOwn(GENERATORS, language)) return GENERATORS[language as Language];
  const near = nearest(language, LANGUAGES);
  const hint = near.length > 0 ? `did you mean ${near.join(", ")}?` : `there are ${LANGUAGES.join(", ")}`;
  throw new BtfError(ERR_ARGUMENT, { note: `no language "${language}"; ${hint}` });
}
