/** Errors about an input: its name, what is wrong with it, and what to do. */
import { BtfError } from "../errors/error.js";
import { InputError } from "./exit.js";

/** Codes that a split BTF opened without its base commonly gives. */
const BASE_MISSING: readonly string[] = [
  "ERR_BTF_STRINGS_START",
  "ERR_BTF_STRINGS_EMPTY",
  "ERR_BTF_NAME_OFFSET",
  "ERR_BTF_TYPE_ID",
  "ERR_BTF_FUNC_PROTO",
];

/** Reports whether an error is one that a split BTF commonly gives where it is opened without its base. */
export function lacksBase(error: BtfError): boolean {
  return BASE_MISSING.includes(error.code);
}

/** What is thrown about an input, with the input's name in front. */
export function inputError(file: string, cause: unknown, hint: (error: BtfError) => string = () => ""): unknown {
  if (!(cause instanceof BtfError) || cause.code === "ERR_INTERNAL") return cause;
  const what = cause.code === "ERR_FILE" ? cause.details.note : cause.message;
  return new InputError(`${file === "-" ? "standard input" : file}: ${what}${hint(cause)}`, { cause });
}
