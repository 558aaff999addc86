/** Failures about which bpftool says nothing: the exit code alone tells. */

/** A dump that broke off; what was written is closed. */
export class DumpFailed extends Error {
  readonly result: number;

  constructor(result: number) {
    super();
    this.result = result;
  }
}

/** Nothing was found, which bpftool does not say. */
export class NothingFound extends Error {}
