// What is used of packages that bring no types of it.

declare module "lz4js" {
  /** Returns where the unpacked block ends in `target`, even if that is beyond its end. */
  export function decompressBlock(
    source: Uint8Array,
    target: Uint8Array,
    sourceStart: number,
    sourceLength: number,
    targetStart: number,
  ): number;
}

declare module "lzma1/decoder" {
  export class Decoder {
    readonly nowPos64: bigint;
    initDecompression(
      source: { readByte(): number },
      target: { writeBytes(from: Uint8Array, offset: number, length: number): void },
    ): void;
    /** Decodes a symbol: 1 at the end mark, -1 for damaged data. */
    codeOneChunk(): 0 | 1 | -1;
    flush(): void;
  }
}

declare module "unbzip2-stream/lib/bzip2.js" {
  type Bits = (count: number | null) => number;
  const bzip2: {
    header(bits: Bits): number;
    /** Decodes a block; returns the checksum so far, `null` at the end of the stream. */
    decompress(
      bits: Bits,
      put: (byte: number) => void,
      block: Int32Array,
      blockSize: number,
      checksum: number | null,
    ): number | null;
  };
  export default bzip2;
}
