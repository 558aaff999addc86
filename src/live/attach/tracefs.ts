/** Tracepoints by their names in tracefs. */
import { BtfLookupError } from "../../errors/error.js";
import { ERR_LIVE_ATTACH } from "../../errors/live.js";

/** Where it is mounted, the newer place first. */
const ROOTS = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];

/** Returns the number of a tracepoint. @throws BtfLookupError ERR_LIVE_ATTACH */
export function tracepointId(program: string, target: string): number {
  const { readFileSync, existsSync } = process.getBuiltinModule("node:fs");
  if (!/^\w[\w.-]*\/\w[\w.-]*$/.test(target))
    throw new BtfLookupError(ERR_LIVE_ATTACH, {
      name: program,
      note: `"${target}" is not CATEGORY/NAME of a tracepoint`,
    });
  const root = ROOTS.find((path) => existsSync(`${path}/events`));
  if (!root) {
    const note = `tracefs is not mounted: mount -t tracefs tracefs ${ROOTS[0]}`;
    throw new BtfLookupError(ERR_LIVE_ATTACH, { name: program, note });
  }
  try {
    return Number(readFileSync(`${root}/events/${target}/id`, "latin1"));
  } catch (cause) {
    const note = `the kernel has no tracepoint ${target} (${root}/events)`;
    throw new BtfLookupError(ERR_LIVE_ATTACH, { name: program, note }, { cause });
  }
}
