// An asc transform: of the header that static strings have, kernels read the
// length alone. What else stands in it is for a collector that is not there; as
// zeros it takes no room in the module.
import { Transform } from "assemblyscript/transform";

/** A block's header: its size, two links, its class, its length in bytes, a word each. */
const HEADER = 20;
const CLASS_AT = 12;
const LENGTH_AT = 16;
const STRING = 2;

function isString(data) {
  if (data.length < HEADER) return false;
  const word = (at) => new DataView(data.buffer, data.byteOffset).getUint32(at, true);
  const length = word(LENGTH_AT);
  return (
    word(0) >= length && word(4) === 0 && word(8) === 0 && word(CLASS_AT) === STRING && data.length >= HEADER + length
  );
}

export default class BareLiterals extends Transform {
  afterCompile(module) {
    const segments = Array.from({ length: module.getNumDataSegments() }, (_, i) => {
      const { offset, data } = module.getDataSegmentInfo(module.getDataSegmentByIndex(i));
      const bytes = new Uint8Array(data);
      if (isString(bytes)) bytes.fill(0, 0, LENGTH_AT);
      return { offset: module.i32.const(offset), data: bytes };
    });
    const { initial, max = -1 } = module.getMemoryInfo("0");
    module.setMemory(initial, max, null, segments, false, false, "0");
  }
}
