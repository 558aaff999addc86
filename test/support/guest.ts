// Boots Debian's kernels under QEMU, without hardware's help: in a file system
// of memory that has Node, the built package and koffi.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { kernelPackage, type PackageName } from "./packages.js";

/** What a kernel came to: what /guest.mjs printed, and the kernel's own messages. */
export interface Guest {
  readonly output: string;
  readonly console: string;
}

/** A kernel that does not end is stopped after so many milliseconds. */
const LIMIT = 480_000;

/** Unpacks the kernel of a package, and the module that the tests load; once. */
export function unpacked(name: PackageName): { readonly kernel: string; readonly module: string } {
  const deb = kernelPackage(name);
  const root = join(dirname(deb), "unpacked");
  if (!existsSync(root)) {
    const partial = `${root}.${process.pid}`;
    execFileSync("dpkg-deb", ["-x", deb, partial]);
    execFileSync("mv", ["-T", partial, root]);
  }
  const [version = ""] = readdirSync(join(root, "lib/modules"));
  return {
    kernel: join(root, `boot/vmlinuz-${version}`),
    module: join(root, `lib/modules/${version}/kernel/drivers/net/veth.ko`),
  };
}

/** The libraries that an executable loads, by their paths. */
function librariesOf(executable: string): string[] {
  const told = execFileSync("ldd", [executable], { encoding: "utf8" });
  return [...told.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path]) => path!);
}

/** Packs a file system with what every guest has, and the files given by their paths in it. */
function pack(folder: string, module: string, files: Readonly<Record<string, string>>): string {
  const root = join(folder, "root");
  for (const name of ["bin", "dev", "proc", "sys", "tmp", "node_modules/btfkit"])
    mkdirSync(join(root, name), { recursive: true });
  execFileSync("gcc", ["-O2", "-static", "-o", join(root, "init"), "test/native/init.c"]);
  const copy = (from: string, to: string): void => cpSync(from, join(root, to), { recursive: true, dereference: true });
  const node = realpathSync(process.execPath);
  copy(node, "bin/node");
  for (const library of librariesOf(node)) copy(library, library);
  copy("dist", "node_modules/btfkit/dist");
  copy("package.json", "node_modules/btfkit/package.json");
  for (const name of ["koffi", "@koromix"]) copy(`node_modules/${name}`, `node_modules/${name}`);
  if (existsSync(module)) copy(module, "module.ko");
  else execFileSync("sh", ["-c", `xz -dc '${module}.xz' > '${join(root, "module.ko")}'`]);
  for (const [path, from] of Object.entries(files)) copy(from, path);
  for (const program of Object.keys(files).filter((path) => path.startsWith("bin/"))) {
    for (const library of librariesOf(join(root, program))) copy(library, library);
  }
  const archive = join(folder, "initrd");
  execFileSync("sh", ["-c", `find . | cpio -o -H newc --quiet > '${archive}'`], { cwd: root });
  return archive;
}

/**
 * Boots a kernel, has Node run /guest.mjs, and returns what it printed. A kernel that does not come as far is booted
 * once more: on a busy machine its clocks may seem broken to it.
 */
export async function boot(name: PackageName, files: Readonly<Record<string, string>>): Promise<Guest> {
  const guest = await bootOnce(name, files);
  return guest.output === "" ? await bootOnce(name, files) : guest;
}

async function bootOnce(name: PackageName, files: Readonly<Record<string, string>>): Promise<Guest> {
  const folder = mkdtempSync(join(tmpdir(), "btfkit-guest-"));
  try {
    const { kernel, module } = unpacked(name);
    const archive = pack(folder, module, files);
    // They stay, for whoever looks for the reason of a failure.
    const logs = resolve("build/guests");
    mkdirSync(logs, { recursive: true });
    const [console, output] = [join(logs, `${name}.console`), join(logs, `${name}.output`)];
    const append =
      "console=ttyS0 panic=-1 rdinit=/init lsm=landlock,lockdown,yama,bpf mitigations=off nokaslr no_timer_check";
    const child = spawn(
      "qemu-system-x86_64",
      [
        ...["-accel", "tcg", "-cpu", "max", "-m", "1500", "-smp", "1", "-display", "none", "-nodefaults", "-no-reboot"],
        ...["-serial", `file:${console}`, "-serial", `file:${output}`],
        ...["-kernel", kernel, "-initrd", archive, "-append", append],
      ],
      { stdio: ["ignore", "inherit", "inherit"], timeout: LIMIT },
    );
    await once(child, "close");
    const text = (path: string): string => (existsSync(path) ? readFileSync(path, "utf8").replaceAll("\r", "") : "");
    return { output: text(output), console: text(console) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Paths in the guest of a folder's files. */
export function filesIn(folder: string, to: string): Record<string, string> {
  return Object.fromEntries(readdirSync(folder).map((name) => [`${to}/${basename(name)}`, resolve(folder, name)]));
}
