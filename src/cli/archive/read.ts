/** Actions of `btfkit archive` that read: list, get, verify. */
import { type Context, type ExitCode, jsonText } from "../context.js";
import { UsageError } from "../exit.js";
import { refuseTerminal } from "../image-output.js";
import type { ArchiveOptions } from "./options.js";
import { openArchive } from "./target.js";

/** The version of the shapes of --json. */
const SHAPE = 1;

/** A line for each kernel; with --json all that is known of its images. */
export async function list(place: string, options: ArchiveOptions, context: Context): Promise<ExitCode> {
  const archive = await openArchive(place);
  if (options.json || options.pretty) {
    const kernels: object[] = [];
    for (const kernel of archive.kernels) {
      const { images } = await archive.describe(kernel.id);
      const files = images.map(({ name, byteLength, sha256, length }) => ({
        name,
        bytes: byteLength,
        sha256,
        stored: length,
      }));
      const [{ bytes, sha256 }] = files as [(typeof files)[number]];
      kernels.push({ version: SHAPE, ...kernel, bytes, sha256, modules: files.slice(1) });
    }
    await context.out.write(`${JSON.stringify(kernels, null, options.pretty ? 2 : 0)}\n`);
    return 0;
  }
  let text = "";
  for (const { id, distribution, architecture } of archive.kernels) {
    text += `${[id, architecture, distribution].filter(Boolean).join("  ")}\n`;
  }
  await context.out.write(text);
  return 0;
}

/** A kernel's BTF, or a module's, bit for bit. */
export async function get(
  place: string,
  ids: readonly string[],
  options: ArchiveOptions,
  context: Context,
): Promise<ExitCode> {
  const [id] = ids;
  if (id === undefined || ids.length > 1) throw new UsageError("one kernel: btfkit archive get DIR ID -o FILE");
  const asJson = options.json || options.pretty;
  if (!asJson || options.output) refuseTerminal(context);
  const archive = await openArchive(place);
  const name = options.module ?? "vmlinux";
  const bytes = await archive.get(id, name);
  const { sha256 } = (await archive.describe(id)).images.find((one) => one.name === name)!;
  if (!asJson || options.output) await context.out.write(bytes);
  if (asJson) {
    await context.stdout.write(jsonText({ version: SHAPE, id, name, bytes: bytes.length, sha256 }, options.pretty));
  } else if (options.output) context.warn(`${id}: ${bytes.length} bytes, SHA-256 ${sha256}`);
  return 0;
}

/** Checks every hash. */
export async function verify(place: string, options: ArchiveOptions, context: Context): Promise<ExitCode> {
  const archive = await openArchive(place);
  const report = await archive.verify((done, total) => context.progress(done, total, "kernels"));
  const { kernels, images, definitions, damages } = report;
  if (options.json || options.pretty) await context.out.write(jsonText({ version: SHAPE, ...report }, options.pretty));
  else if (damages.length === 0) {
    await context.out.write(
      `${kernels} kernels, ${images} images, ${definitions} definitions: all is as it was added\n`,
    );
  } else await context.out.write(damages.map((one) => `${one.place}: ${one.message}\n`).join(""));
  return damages.length === 0 ? 0 : 1;
}
