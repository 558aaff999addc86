/** Lists the string offsets and type ids of a `.BTF.ext` section, so that they can follow a Btf that is reshaped. */
import { ERR_BTF_EXT } from "../../errors/edit.js";
import { BtfFormatError } from "../../errors/error.js";
import { MAGIC } from "../build/encode.js";

/** Byte offsets of the fields, in libbpf's order (btf_ext_visit_str_offs, btf_ext_visit_type_ids). */
export interface ExtFields {
  readonly littleEndian: boolean;
  readonly names: readonly number[];
  readonly ids: readonly number[];
}

/** Least record length in bytes, fields that are names, field that is an id (-1: none). */
const SECTIONS: readonly { record: number; names: readonly number[]; id: number }[] = [
  /* func_info */ { record: 8, names: [], id: 4 },
  /* line_info */ { record: 16, names: [4, 8], id: -1 },
  /* core_relo */ { record: 16, names: [8], id: 4 },
];

/** @throws BtfFormatError ERR_BTF_EXT */
export function extFields(bytes: Uint8Array): ExtFields {
  const refuse = (note: string, offset: number): never => {
    throw new BtfFormatError(ERR_BTF_EXT, { note, offset });
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 24) refuse(`${bytes.length} bytes, too few for a header`, 0);
  const littleEndian = view.getUint16(0, true) === MAGIC;
  if (!littleEndian && view.getUint16(0, false) !== MAGIC) refuse("no magic 0xeb9f", 0);
  const word = (at: number): number => view.getUint32(at, littleEndian);
  const headerLength = word(4);
  if (headerLength < 24 || headerLength > bytes.length) refuse(`header length ${headerLength}`, 4);
  const names: number[] = [];
  const ids: number[] = [];
  SECTIONS.forEach(({ record, names: nameFields, id }, i) => {
    const field = 8 + i * 8;
    if (headerLength < field + 8) return;
    const length = word(field + 4);
    if (length === 0) return;
    const start = headerLength + word(field);
    const end = start + length;
    if (start % 4 || end > bytes.length) refuse("a section is not aligned or passes the end", field);
    const size = length < 4 ? 0 : word(start);
    if (size < record || size % 4) refuse(`record size ${size}`, start);
    for (let at = start + 4; at < end; ) {
      if (end - at < 8) refuse("truncated block", at);
      names.push(at);
      const count = word(at + 4);
      const next = at + 8 + count * size;
      if (count === 0 || next > end) refuse(`a block of ${count} records passes the end or is empty`, at + 4);
      for (let record = at + 8; record < next; record += size) {
        for (const name of nameFields) names.push(record + name);
        if (id >= 0) ids.push(record + id);
      }
      at = next;
    }
  });
  return { littleEndian, names, ids };
}
