/**
 * The classes of errors. Each error has a stable `code` and a text, both from
 * the files of codes beside this one; `offset` (bytes) and `typeId` tell the
 * place, if the code has one.
 */

import type * as archiveRules from "./archive.js";
import type * as objectRules from "./bpf.js";
import type * as rules from "./btf.js";
import type * as dataRules from "./data.js";
import type * as editRules from "./edit.js";
import type * as imageRules from "./image.js";
import type * as liveRules from "./live.js";
import type * as loadRules from "./load.js";
import type { ErrorDetails, Rule } from "./rule.js";

export type { ErrorDetails, Rule };

type Rules = typeof rules &
  typeof objectRules &
  typeof dataRules &
  typeof editRules &
  typeof imageRules &
  typeof liveRules &
  typeof loadRules &
  typeof archiveRules;

/** The stable name of an error. */
export type ErrorCode = Rules[keyof Rules]["code"];

/**
 * The base class of all errors of this library.
 *
 * @example
 * try {
 *   Btf.parse(new Uint8Array(7));
 * } catch (error) {
 *   if (error instanceof BtfError) console.log(error.code); // ERR_BTF_MAGIC
 * }
 */
export class BtfError extends Error {
  /** Stable: compare the code, not the text. */
  readonly code: ErrorCode;
  /** The place in bytes, if the rule has one. */
  declare readonly offset?: number;
  /** The type at fault, if there is one. */
  declare readonly typeId?: number;
  /** The facts behind the text. */
  declare readonly details: ErrorDetails;

  /** @internal */
  constructor(rule: Rule, details: ErrorDetails = {}, options?: ErrorOptions) {
    const at = details.offset === undefined ? "" : ` (at byte ${details.offset})`;
    super(rule.text(details) + at, options);
    this.code = rule.code as ErrorCode;
    if (details.offset !== undefined) this.offset = details.offset;
    if (details.typeId !== undefined) this.typeId = details.typeId;
    // Not enumerable, so that consoles do not print them.
    Object.defineProperty(this, "details", { value: details });
  }

  // Spelled out: minifiers rename classes.
  override get name(): string {
    return "BtfError";
  }
}

/**
 * The input is malformed BTF or ELF.
 *
 * @example
 * try {
 *   Btf.parse(bytes.subarray(0, 100));
 * } catch (error) {
 *   if (error instanceof BtfFormatError) console.log(error.code, error.details.value); // ERR_BTF_STRINGS_BOUNDS 4111222
 * }
 */
export class BtfFormatError extends BtfError {
  override get name(): string {
    return "BtfFormatError";
  }
}

/**
 * A lookup found nothing, or its question is malformed.
 *
 * @example
 * try {
 *   btf.require("task_strcut");
 * } catch (error) {
 *   if (error instanceof BtfLookupError) console.log(error.details.nearest?.[0]); // task_struct
 * }
 */
export class BtfLookupError extends BtfError {
  override get name(): string {
    return "BtfLookupError";
  }
}

/**
 * A limit of memory, length or depth was exceeded.
 *
 * @example
 * try {
 *   btf.search("a".repeat(2e6));
 * } catch (error) {
 *   if (error instanceof BtfLimitError) console.log(error.code); // ERR_PATTERN_LENGTH
 * }
 */
export class BtfLimitError extends BtfError {
  override get name(): string {
    return "BtfLimitError";
  }
}

/**
 * The host lacks something: WebAssembly, a file, a decompressor.
 *
 * @example
 * try {
 *   openFile("missing.btf");
 * } catch (error) {
 *   if (error instanceof BtfEnvironmentError) console.log(error.message); // missing.btf: no such file
 * }
 */
export class BtfEnvironmentError extends BtfError {
  override get name(): string {
    return "BtfEnvironmentError";
  }
}

/**
 * A bug of this library.
 *
 * @example
 * try {
 *   Btf.parse(bytes);
 * } catch (error) {
 *   if (error instanceof BtfInternalError) console.error("please report it", error);
 * }
 * console.log(BtfInternalError.prototype instanceof BtfError); // true
 */
export class BtfInternalError extends BtfError {
  override get name(): string {
    return "BtfInternalError";
  }
}
