/** Results, printed target by target and kept as numbers. */

export class Report {
  /** One entry per target: name, passed, failed, milliseconds, and why it was skipped if it was. */
  targets = [];
  #strict;
  #verbose;

  /** @param strict a target that cannot be run is a failure */
  constructor({ strict, verbose }) {
    this.#strict = strict;
    this.#verbose = verbose;
  }

  /** Runs `body` with `print`, which takes lines that start with "ok " or "not ok " and passes others on. */
  async target(name, body) {
    const started = performance.now();
    const counts = { passed: 0, failed: 0 };
    // Targets run side by side: what one says stays together.
    const lines = [];
    const print = (line) => {
      if (line.startsWith("ok ")) {
        counts.passed++;
        if (!this.#verbose) return;
      } else if (line.startsWith("not ok ")) counts.failed++;
      lines.push(`  ${line}`);
    };
    try {
      await body(print);
      if (counts.passed + counts.failed === 0) print("not ok no test was run");
    } catch (error) {
      print(`not ok ${name}: ${error.stack}`);
    }
    this.#add({ name, ...counts, milliseconds: Math.round(performance.now() - started) }, lines);
  }

  skip(name, reason) {
    this.#add({ name, passed: 0, failed: this.#strict ? 1 : 0, milliseconds: 0, skipped: reason });
  }

  #add(target, lines = []) {
    this.targets.push(target);
    const { name, passed, failed, milliseconds, skipped } = target;
    const outcome = skipped
      ? `skipped: ${skipped}`
      : `${passed} passed, ${failed} failed, ${(milliseconds / 1000).toFixed(1)} s`;
    for (const line of lines) console.log(line);
    console.log(`${failed ? "FAIL" : skipped ? "SKIP" : "PASS"} ${name}: ${outcome}`);
  }

  get totals() {
    const sum = (field) => this.targets.reduce((total, target) => total + target[field], 0);
    return { passed: sum("passed"), failed: sum("failed") };
  }
}

/** Runs one check as a test. */
export async function check(print, name, body) {
  try {
    await body();
    print(`ok ${name}`);
  } catch (error) {
    print(`not ok ${name}: ${error.stack}`);
  }
}
