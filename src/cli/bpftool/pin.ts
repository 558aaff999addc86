/** Pinning: paths in a BPF file system, which is mounted if there is none. */
import { type Descriptor, isBpfFs } from "../../live/descriptor.js";
import { ERRNO, errnoText } from "../../live/errno.js";
import type { Link } from "../../live/link.js";
import { BpfMap } from "../../live/map.js";
import { Program } from "../../live/program.js";
import { IdTable } from "./id-table.js";
import { type Arguments, pinnedPaths, type Session, ToolError } from "./session.js";

/** Flags of mount(2): include/uapi/linux/mount.h. */
const MS_BIND = 4096;
const MS_REC = 16384;
const MS_PRIVATE = 1 << 18;

/** Pins an object at the path that is the next argument. */
export async function pinAt(session: Session, object: Descriptor, path: string): Promise<void> {
  await mountBpfFsFor(session, path);
  const { system } = await session.kernel();
  const pathname = system.text(path);
  const result = system.tryBpf(system.attribute("OBJ_PIN", { pathname, bpf_fd: object.fd }));
  if (result < 0) throw new ToolError(`can't pin the object (${path}): ${errnoText(-result)}`, result);
}

/** Mounts a BPF file system where a path is to be pinned, if its folder is in none. */
export async function mountBpfFsFor(session: Session, path: string): Promise<void> {
  const { system } = await session.kernel();
  const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) || "/" : ".";
  if (!isBpfFs(system, folder)) {
    if (session.options.mountsNothing) {
      throw new ToolError("no BPF file system found, not mounting it due to --nomount option");
    }
    await mount(session, folder, path);
  }
}

/** Mounts a BPF file system on a folder, as a mount of its own. */
async function mount(session: Session, folder: string, path: string): Promise<void> {
  const { system } = await session.kernel();
  const fail = (what: string, result: number): never => {
    const why = `${what} failed: ${errnoText(-result)}`;
    throw new ToolError(`can't mount BPF file system to pin the object (${path}): ${why}`);
  };
  const [target, none, empty, type] = [system.text(folder), system.text("none"), system.text(""), system.text("bpf")];
  const isPrivate = (): number =>
    system.call("mount", empty.address, target.address, none.address, MS_PRIVATE | MS_REC, 0);
  let result = isPrivate();
  if (result === -ERRNO.EINVAL) {
    result = system.call("mount", target.address, target.address, none.address, MS_BIND, 0);
    if (result < 0) fail(`mount --bind ${folder} ${folder}`, result);
    result = isPrivate();
  }
  if (result < 0) fail(`mount --make-private ${folder}`, result);
  const options = system.text("mode=0700");
  result = system.call("mount", type.address, target.address, type.address, 0, options.address);
  if (result < 0) fail(`mount -t bpf bpf ${folder}`, result);
}

/** The paths at which objects of a kind are pinned, by id. */
export async function pinTable(session: Session, kind: "map" | "prog" | "link"): Promise<IdTable<string>> {
  const kernel = await session.kernel();
  const table = new IdTable<string>();
  for (const path of pinnedPaths()) {
    let object: BpfMap | Program | Link;
    try {
      object = kernel.pinned(path);
    } catch {
      continue;
    }
    const found = object instanceof BpfMap ? "map" : object instanceof Program ? "prog" : "link";
    if (found === kind) table.append(object.id, path);
    object[Symbol.dispose]();
  }
  return table;
}

/** Parses an object and a path, and pins it. */
export async function pinCommand<T extends Descriptor>(
  session: Session,
  args: Arguments,
  parse: (session: Session, args: Arguments) => Promise<T>,
): Promise<void> {
  args.require(3, -ERRNO.EINVAL);
  const object = await parse(session, args);
  try {
    await pinAt(session, object, args.take() ?? "");
  } finally {
    object[Symbol.dispose]();
  }
  session.succeed();
}
