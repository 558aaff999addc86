/** Runs tests one after the other where there is no test runner. */

/**
 * @param register called with `test`, which takes a name and a body
 * @param print told of each test as a line: "ok NAME", or "not ok NAME: why"
 * @returns how many passed and failed
 */
export async function run(register, print) {
  const tests = [];
  register((name, body) => tests.push({ name, body }));
  const counts = { passed: 0, failed: 0 };
  for (const { name, body } of tests) {
    try {
      await body();
      counts.passed++;
      print(`ok ${name}`);
    } catch (error) {
      counts.failed++;
      print(`not ok ${name}: ${error?.stack?.includes(error.message) ? error.stack : error}`);
    }
  }
  return counts;
}
