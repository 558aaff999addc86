/** Opening: the start page, the drop target, and what is being opened or could not be. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { chosenFiles, droppedFiles, sourcesOf } from "../folders.js";
import { awaited } from "../link.js";
import type { FolderFile } from "../protocol.js";
import { closeOpening, type Opening, openFiles, openings } from "../state.js";
import { Archives } from "./archives.js";
import { Recent } from "./recent.js";

function openAll(files: readonly FolderFile[]): void {
  void openFiles(sourcesOf(files));
}

export function DropTarget({ children }: { readonly children: ComponentChildren }) {
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    const over = (event: DragEvent): void => {
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent): void => {
      if (event.relatedTarget === null) setOver(false);
    };
    const drop = (event: DragEvent): void => {
      event.preventDefault();
      setOver(false);
      if (event.dataTransfer) void droppedFiles(event.dataTransfer).then(openAll);
    };
    addEventListener("dragover", over);
    addEventListener("dragleave", leave);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", over);
      removeEventListener("dragleave", leave);
      removeEventListener("drop", drop);
    };
  }, []);
  return (
    <div class="drop-target" data-over={isOver}>
      {children}
    </div>
  );
}

/** A button that opens the file chooser, or that of folders. */
export function OpenButton({
  look = "quiet",
  label = "Open…",
  isFolder = false,
}: {
  readonly look?: "primary" | "secondary" | "quiet";
  readonly label?: string;
  readonly isFolder?: boolean;
}) {
  const input = useRef<HTMLInputElement | null>(null);
  return (
    <>
      <button type="button" class={look} onClick={() => input.current?.click()}>
        {label}
      </button>
      <input
        ref={(element) => {
          input.current = element;
          if (element) element.webkitdirectory = isFolder;
        }}
        type="file"
        multiple
        hidden
        aria-label={isFolder ? "Folder to open" : "Files to open"}
        onChange={(event) => {
          openAll(chosenFiles(event.currentTarget.files ?? []));
          event.currentTarget.value = "";
        }}
      />
    </>
  );
}

export function Openings() {
  return (
    <>
      {openings.value.map((opening) => (
        <OpeningRow key={opening.id} opening={opening} />
      ))}
    </>
  );
}

/** Progress is shown after a tenth of a second, the way to stop it after a whole one. */
function OpeningRow({ opening }: { readonly opening: Opening }) {
  const { id, name, failure, progress, startedAt, cancel } = opening;
  const [, setTick] = useState(0);
  useEffect(() => {
    const timers = [110, 1010].map((wait) => setTimeout(() => setTick(wait), wait));
    return () => timers.forEach(clearTimeout);
  }, []);
  if (failure !== undefined) {
    return (
      <div class="opening failed" role="alert">
        <p>
          <strong>{name}</strong> {failure.startsWith(`${name}: `) ? failure.slice(name.length + 2) : failure}
        </p>
        <button type="button" class="quiet" onClick={() => closeOpening(id)}>
          Dismiss
        </button>
      </div>
    );
  }
  const waited = performance.now() - startedAt;
  if (waited < 100) return null;
  const share = progress?.total ? progress.done / progress.total : undefined;
  return (
    <div class="opening" role="status">
      <p>
        {progress?.stage ?? `opening ${name}`}
        {share !== undefined && ` ${Math.round(share * 100)} %`}
      </p>
      <progress aria-label={`Opening ${name}`} {...(share !== undefined && { value: share })} />
      {waited > 1000 && (
        <button type="button" class="quiet" onClick={cancel}>
          Cancel
        </button>
      )}
    </div>
  );
}

export function Start() {
  const link = awaited.value;
  return (
    <div class="start">
      {link ? (
        <>
          <h1>Open the kernel of this link</h1>
          <p>
            It shows <code>{link.type?.replace(".", " ") ?? link.view}</code> of{" "}
            <code>{link.kernel?.split("~")[0]}</code>. Drop that kernel here: a link never holds the data.
          </p>
        </>
      ) : (
        <>
          <h1>The types of a Linux kernel</h1>
          <p>
            Drop a kernel, a module, a package or a BPF object anywhere on this page: layouts, who holds what, what
            changed.
          </p>
        </>
      )}
      <div class="drop-area">
        <OpenButton look="primary" label="Choose files…" />
        <OpenButton look="secondary" label="Choose a folder…" isFolder />
        <SampleButton />
        <p class="hint">or drop files here, or paste a URL</p>
      </div>
      <UrlForm />
      <Archives />
      <Recent />
      <dl class="opens">
        <div>
          <dt>Kernels</dt>
          <dd>
            <code>/sys/kernel/btf/vmlinux</code>, <code>vmlinux</code>, <code>vmlinuz</code>, <code>Image</code>,
            however compressed
          </dd>
        </div>
        <div>
          <dt>Packages</dt>
          <dd>
            <code>.deb</code>, <code>.rpm</code>, <code>.tar.*</code> with their modules, BTFHub's archives
          </dd>
        </div>
        <div>
          <dt>Modules</dt>
          <dd>
            <code>.ko</code>, <code>.ko.xz</code>, <code>.ko.zst</code>, after their kernel
          </dd>
        </div>
        <div>
          <dt>Archives</dt>
          <dd>
            the folder that <code>btfkit archive</code> makes, or its address: kernels by the thousand
          </dd>
        </div>
        <div>
          <dt>BPF objects</dt>
          <dd>
            <code>.bpf.o</code>, to check them on kernels
          </dd>
        </div>
      </dl>
      <p class="promise">Files are read in this browser. Nothing leaves this machine.</p>
    </div>
  );
}

/** A kernel that comes with the page, where its head names one. */
function SampleButton() {
  const name = document.querySelector<HTMLMetaElement>('meta[name="sample"]')?.content;
  if (!name) return null;
  const open = (): void => {
    void openFiles([{ name, url: new URL(name, location.href).href }]);
  };
  return (
    <button type="button" class="secondary" onClick={open}>
      Try the sample kernel
    </button>
  );
}

/** The last part of an address: a file, a folder, or the host. */
function nameAt(url: string): string {
  return /[^/]*(?=\/?$)/.exec(url)![0];
}

function UrlForm() {
  const [url, setUrl] = useState("");
  return (
    <form
      class="url-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (url) void openFiles([{ name: nameAt(url), url }]);
      }}
    >
      <input
        type="url"
        aria-label="Address of a file or an archive"
        placeholder="https://… of a kernel or an archive, from a server that allows it"
        value={url}
        onInput={(event) => setUrl(event.currentTarget.value)}
      />
      <button type="submit" disabled={!url}>
        Open
      </button>
    </form>
  );
}
