/**
 * Gets a record: where it lies in memory that is valid during the call alone.
 *
 * @param byteOffset where it starts in `bytes`
 * @param byteLength its length
 */
export type RecordVisitor = (bytes: Uint8Array, byteOffset: number, byteLength: number) => void;

/** Where events come from: a ring buffer, or a perf buffer of each CPU. */
export interface EventSource extends Disposable {
  /** Records that the kernel has dropped, as far as it counts them. */
  readonly lost: number;
  /** What becomes readable when there are records. */
  readonly descriptor: number;
  /** Calls back with each record, `limit` at most. Returns how many there were. */
  consume(visit: RecordVisitor, limit: number): number;
}
