/** What the system says of a file, as an error of ours. For entries that import nothing of Node. */
import { ERR_FILE } from "../errors/btf.js";
import { BtfEnvironmentError, BtfError } from "../errors/error.js";

const REASONS: Record<string, string> = {
  ENOENT: "no such file",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EISDIR: "is a directory",
};

/** Runs `act` on a file; what the system says is a BtfEnvironmentError. */
export function attempt<T>(path: string | number, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    if (cause instanceof BtfError) throw cause;
    const { code = "", message } = cause as NodeJS.ErrnoException;
    const note = REASONS[code] ?? missingPermission(cause) ?? message;
    throw new BtfEnvironmentError(ERR_FILE, { name: String(path), note }, { cause });
  }
}

/** What Deno wants to be started with, where that is what is missing. */
function missingPermission(cause: unknown): string | undefined {
  const { name, message } = cause as Error;
  const [flag] = (name === "NotCapable" && /--allow-[\w-]+/.exec(message)) || [];
  return flag && `Deno opens it with the permission ${flag} alone`;
}
