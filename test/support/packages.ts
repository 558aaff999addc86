// Debian's kernel packages, downloaded by apt into build/packages: nothing is
// installed, and the machine's own lists stay as they are.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const FOLDER = resolve("build/packages");
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Packages by the name that tests give them; of several versions the one that is wanted, else the newest. */
const WANTED = {
  // lz4, modules as they are.
  "6.1-cloud-amd64": { architecture: "amd64", name: /^linux-image-6\.1\.0-\d+-cloud-amd64$/, version: "6.1.176" },
  // xz with the filter for x86.
  "6.1-amd64": { architecture: "amd64", name: /^linux-image-6\.1\.0-\d+-amd64$/, version: "6.1.176" },
  // zstd, modules packed with xz.
  "6.12-amd64": { architecture: "amd64", name: /^linux-image-6\.12\.\d+\+deb12-amd64$/, version: "6.12.95" },
  // Small, for QEMU.
  "6.12-cloud-amd64": { architecture: "amd64", name: /^linux-image-6\.12\.\d+\+deb12-cloud-amd64$/, version: "6.12." },
  // An Image as it is.
  arm64: { architecture: "arm64", name: /^linux-image-6\.1\.0-\d+-cloud-arm64$/, version: "6.1.176" },
  // Big endian.
  "6.12-s390x": { architecture: "s390x", name: /^linux-image-6\.12\.\d+\+deb12-s390x$/, version: "6.12.95" },
} as const;

export type PackageName = keyof typeof WANTED;
export const packageNames = Object.keys(WANTED) as PackageName[];

/** The mirror that the machine's own apt uses. */
function mirror(): string {
  const sites = execFileSync("apt-get", ["indextargets", "--format", "$(REPO_URI)"], { encoding: "utf8" }).split("\n");
  const found = sites.find((site) => /\/debian\/?$/.test(site));
  if (!found) throw new Error("apt has no source of Debian's packages");
  return found;
}

type Apt = (program: "apt-get" | "apt-cache", ...args: string[]) => string;

/** apt with lists of its own for a machine's packages. */
function aptFor(architecture: string): Apt {
  const root = join(FOLDER, "apt", architecture);
  for (const folder of ["state/lists/partial", "cache/archives/partial", "parts"])
    mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, "state/status"), "");
  writeFileSync(
    join(root, "parts/debian.sources"),
    `Types: deb\nURIs: ${mirror()}\nSuites: bookworm bookworm-backports\nComponents: main\nSigned-By: ${KEYRING}\n`,
  );
  const configuration = join(root, "apt.conf");
  writeFileSync(
    configuration,
    `APT::Architecture "${architecture}"; APT::Architectures { "${architecture}"; };
Dir::State "${root}/state"; Dir::State::status "${root}/state/status"; Dir::Cache "${root}/cache";
Dir::Etc::sourcelist "/dev/null"; Dir::Etc::sourceparts "${root}/parts"; Dir::Etc::preferencesparts "/dev/null";
Acquire::Languages "none"; Acquire::Retries "3"; APT::Sandbox::User "root";
`,
  );
  const env = { ...process.env, APT_CONFIG: configuration };
  const apt: Apt = (program, ...args) =>
    execFileSync(program, args, {
      cwd: FOLDER,
      env,
      encoding: "utf8",
      maxBuffer: 1 << 30,
      stdio: ["ignore", "pipe", "pipe"],
    });
  apt("apt-get", "update", "-q");
  return apt;
}

/** The file of a package: downloaded once. */
function fetchPackage(name: PackageName): string {
  const folder = join(FOLDER, name);
  const [there] = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith(".deb")) : [];
  if (there) return join(folder, there);
  mkdirSync(folder, { recursive: true });
  const { architecture, name: pattern, version } = WANTED[name];
  const apt = aptFor(architecture);
  const known = apt("apt-cache", "dumpavail")
    .split("\n\n")
    .map((told) => [/^Package: (.*)$/m.exec(told)?.[1] ?? "", /^Version: (.*)$/m.exec(told)?.[1] ?? ""] as const)
    .filter(([one]) => pattern.test(one))
    .sort(([, a], [, b]) => a.localeCompare(b, undefined, { numeric: true }));
  const chosen = known.find(([, one]) => one.startsWith(version)) ?? known.at(-1);
  if (!chosen) throw new Error(`apt knows no package like ${pattern} for ${architecture}`);
  apt("apt-get", "download", `${chosen[0]}=${chosen[1]}`);
  const [file = ""] = readdirSync(FOLDER).filter((one) => one.startsWith(`${chosen[0]}_`));
  execFileSync("mv", [join(FOLDER, file), folder]);
  return join(folder, file);
}

const fetched = new Map<PackageName, string>();

/** Path of a package's file. */
export function kernelPackage(name: PackageName): string {
  const path = fetched.get(name) ?? fetchPackage(name);
  fetched.set(name, path);
  return path;
}
