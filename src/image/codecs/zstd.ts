/**
 * zstd: the reference decoder as WebAssembly, out of the package zstddec. A
 * decoder in JavaScript takes five times as long for a kernel, and moves its
 * window for every block. The package's own wrapper fetches the module from a
 * `data:` address, which strict pages forbid, and does not see errors.
 */
import { damaged } from "./damaged.js";
import { ZSTD } from "./generated/inline-zstd.js";
import { instantiate } from "./module.js";
import type { Reader } from "./reader.js";

interface Exports {
  readonly memory: WebAssembly.Memory;
  malloc(length: number): number;
  ZSTD_createDCtx(): number;
  ZSTD_DStreamInSize(): number;
  ZSTD_DStreamOutSize(): number;
  /** How much more it wants, 0 at the end of a frame, or minus an error code. */
  ZSTD_decompressStream(context: number, output: number, input: number): number;
}

/** Of a ZSTD_inBuffer and a ZSTD_outBuffer: address, size, position. */
const BUFFER_SIZE = 12;
/** ZSTD_error_frameParameter_windowTooLarge */
const WINDOW_TOO_LARGE = 16;

function isFrame(head: Uint8Array): boolean {
  if (head.length < 4) return false;
  const magic = new DataView(head.buffer, head.byteOffset).getUint32(0, true);
  return magic === 0xfd2fb528 || (magic & 0xfffffff0) >>> 0 === 0x184d2a50;
}

export async function* unzstd(input: Reader): AsyncGenerator<Uint8Array> {
  const zstd = instantiate<Exports>("zstd", ZSTD, { env: { emscripten_notify_memory_growth: () => {} } });
  const inputSize = zstd.ZSTD_DStreamInSize();
  const outputSize = zstd.ZSTD_DStreamOutSize();
  const [source, target, buffers] = [zstd.malloc(inputSize), zstd.malloc(outputSize), zstd.malloc(2 * BUFFER_SIZE)];
  const context = zstd.ZSTD_createDCtx();
  for (;;) {
    let chunk = await input.chunk();
    if (!chunk) throw input.truncated("zstd data");
    if (chunk.length > inputSize) {
      input.unread(chunk.subarray(inputSize));
      chunk = chunk.subarray(0, inputSize);
    }
    new Uint8Array(zstd.memory.buffer).set(chunk, source);
    for (let done = 0; ; ) {
      let fields = new Uint32Array(zstd.memory.buffer, buffers, 6);
      fields.set([source, chunk.length, done, target, outputSize, 0]);
      const wanted = zstd.ZSTD_decompressStream(context, buffers + BUFFER_SIZE, buffers);
      // Memory may have grown, and with it moved.
      fields = new Uint32Array(zstd.memory.buffer, buffers, 6);
      done = fields[2]!;
      if (wanted < 0 && wanted > -256) {
        input.unread(chunk.subarray(done));
        throw damaged(input, "zstd data", -wanted === WINDOW_TOO_LARGE ? "a window above 128 MiB" : `error ${-wanted}`);
      }
      if (fields[5]! > 0) yield new Uint8Array(zstd.memory.buffer, target, fields[5]!);
      if (wanted === 0) {
        input.unread(chunk.subarray(done));
        if (!isFrame(await input.peek(4))) return;
        break;
      }
      if (done === chunk.length && fields[5]! < outputSize) break;
    }
  }
}
