/** What a kernel is called: its release or, where nothing tells, its file without what it is packed in. */
export function kernelLabel({
  release,
  name,
}: {
  readonly release: string | undefined;
  readonly name: string;
}): string {
  return release ?? name.replace(/^.*\//, "").replace(/\.(btf|gz|xz|zst|bz2|tar|deb|rpm)(?=\.|$)/g, "");
}
