/** The types that `-t` asks for: an id, a name, a glob, or KIND: and one of these. */
import type { Btf } from "../btf/btf.js";
import { ERR_NO_SUCH_ID } from "../errors/btf.js";
import { BtfLookupError } from "../errors/error.js";
import { KINDS, type Kind } from "../format/kind.js";
import { globExpression, isGlob } from "./pattern.js";

/** Ids of the chosen types, in the order of the options, none twice. */
export function selectTypes(btf: Btf, wanted: readonly string[]): number[] {
  return [...new Set(wanted.flatMap((text) => idsOf(btf, text)))];
}

function idsOf(btf: Btf, text: string): number[] {
  if (/^\d+$/.test(text)) {
    const id = Number(text);
    if (!btf.has(id)) throw new BtfLookupError(ERR_NO_SUCH_ID, { value: id, limit: btf.size - 1 });
    return [id];
  }
  const [, prefix, name] = /^(\w+):(.*)$/.exec(text) ?? [];
  const kind = KINDS.find((one) => one === prefix?.toLowerCase());
  return kind !== undefined && name !== undefined ? found(btf, name, kind) : found(btf, text, undefined);
}

function found(btf: Btf, name: string, kind: Kind | undefined): number[] {
  if (isGlob(name)) {
    const wanted = globExpression(name);
    const ids = Array.from(btf.searchIds("", kind ? { kind } : {})).filter((id) => wanted.test(btf.nameAt(id)));
    if (ids.length > 0) return ids;
  }
  const types = btf.findAll(name, kind);
  return types.length > 0 ? types.map(({ id }) => id) : [btf.require(name, kind).id];
}
