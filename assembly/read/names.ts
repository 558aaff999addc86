// The name table: chains of ids by seeded hash of their name, built on the
// first lookup. Anonymous types are in no chain.
import { hashString, sameString } from "../format/bytes";
import { Image, stringAt, Type, typeAt } from "../format/image";

/**
 * Fills `nameHeads` (nameMask + 1 ids, zeroed by the host) and `nameChain`
 * (one id per own type: the next with the same hash). Ids go in from the last
 * to the first, so that a chain ascends: the first hit is libbpf's.
 */
export function buildNames(image: Image): void {
  const heads = image.nameHeads;
  const chain = image.nameChain;
  const first = image.firstId;
  for (let i = image.count; i-- > 0; ) {
    const type = changetype<Type>(image.types + load<u32>(image.offsets + (i << 2)));
    if (type.nameOff == 0) continue;
    const name = stringAt(image, type.nameOff);
    if (!load<u8>(name)) continue;
    const head = heads + ((<u32>hashString(name, image.seed) & image.nameMask) << 2);
    store<u32>(chain + (i << 2), load<u32>(head));
    store<u32>(head, first + i);
  }
}

/**
 * The first own type after `after` (an id, or 0) with the NUL-terminated name
 * at `key`, which 16 spare bytes follow; 0 where there is none.
 */
export function findName(image: Image, key: usize, after: u32): u32 {
  const first = image.firstId;
  let id = after
    ? load<u32>(image.nameChain + ((after - first) << 2))
    : load<u32>(image.nameHeads + ((<u32>hashString(key, image.seed) & image.nameMask) << 2));
  while (id) {
    if (sameString(key, stringAt(image, typeAt(image, id).nameOff))) return id;
    id = load<u32>(image.nameChain + ((id - first) << 2));
  }
  return 0;
}
