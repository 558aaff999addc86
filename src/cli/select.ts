/** The types that `-t` asks for: an id, a name, or KIND:name. */
import type { Btf } from "../btf.js";
import { BtfLookupError } from "../errors.js";
import { KINDS, type Kind } from "../model/kind.js";
import { ERR_NO_SUCH_ID } from "../rules.js";

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
  if (kind !== undefined && name !== undefined) return found(btf, name, kind);
  return found(btf, text, undefined);
}

function found(btf: Btf, name: string, kind: Kind | undefined): number[] {
  const types = btf.findAll(name, kind);
  return types.length > 0 ? types.map(({ id }) => id) : [btf.require(name, kind).id];
}
