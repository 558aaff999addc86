/** Opens whatever is dropped: BTF in any wrapping, a module on an open kernel, a BPF object. */
import { Btf, BtfError } from "btfkit";
import type { ImageStep } from "btfkit/image";
import type { FileSource, Opened } from "../protocol.js";
import { addKernel, kernelOf, type OpenKernel } from "./kernels.js";
import { addObject } from "./objects.js";
import type { CallContext } from "./worker.js";

/** Codes that a split BTF opened without its base commonly gives. */
const BASE_MISSING: readonly string[] = [
  "ERR_BTF_STRINGS_START",
  "ERR_BTF_STRINGS_EMPTY",
  "ERR_BTF_NAME_OFFSET",
  "ERR_BTF_TYPE_ID",
  "ERR_BTF_FUNC_PROTO",
];
const BPF_MACHINE = 247;
/** Bytes between two reports of progress. */
const STRIDE = 1 << 19;

interface Opening {
  readonly source: FileSource;
  /** A kernel that may be the base, if it turns out to be a module. */
  readonly base: number | undefined;
}

export async function open({ source, base }: Opening, context: CallContext): Promise<Opened> {
  const start = performance.now();
  if ("folder" in source) return { archive: await (await import("./archives.js")).openFolder(source) };
  if ("url" in source && isFolder(source.url)) {
    const archive = await (await import("./archives.js")).openAt(source);
    if (archive) return { archive };
  }
  const blob = "blob" in source ? source.blob : await download(source.url, source.name, context);
  const bytes = new Uint8Array(await blob.slice(0, 20).arrayBuffer());
  if (isBpfObject(bytes)) return openObject(source.name, blob, start);
  const parent = base === undefined ? undefined : kernelOf(base);
  const kernel = await openKernel(source.name, blob, parent, context);
  if ("url" in source && source.modules) await addModules(kernel, source.modules, context);
  kernel.milliseconds = performance.now() - start;
  return { kernel: kernel.info() };
}

/** The address of a folder, or of an archive's root in it: an archive, as folders are nothing else. */
function isFolder(url: string): boolean {
  const last = new URL(url).pathname.split("/").at(-1)!;
  return last === "archive.btfa" || !last.includes(".");
}

async function openKernel(
  name: string,
  blob: Blob,
  parent: OpenKernel | undefined,
  { signal, progress }: CallContext,
): Promise<OpenKernel> {
  const { openImage, openModules } = await import("btfkit/image");
  const counted = (): AsyncIterable<Uint8Array> =>
    counting(blob.stream(), (done) => progress({ stage: `reading ${name}`, done, total: blob.size }));
  try {
    const image = await openImage(counted(), { name, signal, modules: true });
    const origin = { name, release: image.version, architecture: image.architecture, steps: stepsOf(image.steps) };
    const kernel = addKernel(origin, image.btf);
    if (image.modules.length > 0) {
      progress({ stage: `opening ${image.modules.length} modules`, done: 0, total: undefined });
      const { modules, skipped } = await openModules(image);
      for (const module of modules) kernel.add(module);
      kernel.skipped.push(...skipped.map(({ path, error }) => `${path}: ${error.message}`));
    }
    return kernel;
  } catch (error) {
    if (!(error instanceof BtfError) || !BASE_MISSING.includes(error.code)) throw error;
    if (!parent) throw new Error(`${error.message}. If it is a module, open its kernel first, then the module again`);
    const image = await openImage(counted(), { name, signal, base: parent.btf });
    parent.add({ name: moduleName(name), btf: image.btf });
    return parent;
  }
}

async function addModules(
  kernel: OpenKernel,
  modules: readonly { readonly name: string; readonly url: string }[],
  { signal, progress }: CallContext,
): Promise<void> {
  for (const [done, { name, url }] of modules.entries()) {
    signal.throwIfAborted();
    progress({ stage: `opening module ${name}`, done, total: modules.length });
    try {
      kernel.add({ name, btf: await kernel.btf.loadSplit(await ask(url, name, signal)) });
    } catch (error) {
      if (signal.aborted) throw error;
      kernel.skipped.push(`${name}: ${error instanceof Error ? error.message : error}`);
    }
  }
}

async function openObject(name: string, blob: Blob, start: number): Promise<Opened> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const object = await addObject(name, bytes);
  if (!object.hasBtf) return { object: object.info };
  const origin = { name, release: undefined, architecture: "bpf", steps: ["ELF"] };
  const kernel = addKernel(origin, Btf.parse(bytes));
  kernel.milliseconds = performance.now() - start;
  return { object: object.info, kernel: kernel.info() };
}

async function ask(url: string, name: string, signal: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { signal, credentials: "omit" });
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new Error(`${name}: cannot be fetched: the server does not answer, or does not allow other pages to read it`);
  }
  if (!response.ok) throw new Error(`${name}: the server answers ${response.status} ${response.statusText}`.trim());
  return response;
}

async function download(url: string, name: string, { signal, progress }: CallContext): Promise<Blob> {
  const response = await ask(url, name, signal);
  const length = Number(response.headers.get("content-length"));
  const isPlain = !response.headers.has("content-encoding");
  const chunks: BlobPart[] = [];
  const total = length > 0 && isPlain ? length : undefined;
  const report = (done: number): void => progress({ stage: `downloading ${name}`, done, total });
  for await (const chunk of counting(response.body!, report)) chunks.push(chunk as Uint8Array<ArrayBuffer>);
  return new Blob(chunks);
}

/** Hands a stream's chunks on, and says how many bytes there were. */
async function* counting(
  stream: ReadableStream<Uint8Array>,
  report: (done: number) => void,
): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  let done = 0;
  let reported = 0;
  try {
    for (;;) {
      const next = await reader.read();
      if (next.done) return;
      done += next.value.length;
      if (done - reported >= STRIDE) {
        report(done);
        reported = done;
      }
      yield next.value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function isBpfObject(head: Uint8Array): boolean {
  if (head.length < 20 || head[0] !== 0x7f || head[1] !== 0x45 || head[2] !== 0x4c || head[3] !== 0x46) return false;
  const isLittle = head[5] === 1;
  return (isLittle ? head[18]! | (head[19]! << 8) : (head[18]! << 8) | head[19]!) === BPF_MACHINE;
}

function stepsOf(steps: readonly ImageStep[]): string[] {
  return steps.map(({ kind }) => kind);
}

function moduleName(file: string): string {
  return file.replace(/^.*\//, "").replace(/\.(ko|btf|gz|xz|zst)\b/g, "");
}
