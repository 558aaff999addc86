/** The order of kernels in an archive. */

import type { ArchivedKernel } from "./root.js";

/** The release without its numbers: kernels of one flavour differ in those alone. */
function flavourOf(release: string): string {
  return release.replace(/\d+/g, "#");
}

/** Returns the indexes of kernels by architecture, distribution and flavour, then by version. */
export function inOrder(kernels: readonly ArchivedKernel[]): number[] {
  const collator = new Intl.Collator("en", { numeric: true });
  const keys = kernels.map(({ release }) => flavourOf(release));
  return kernels
    .map((_, i) => i)
    .sort((a, b) => {
      const [left, right] = [kernels[a]!, kernels[b]!];
      return (
        collator.compare(left.architecture, right.architecture) ||
        collator.compare(left.distribution, right.distribution) ||
        collator.compare(keys[a]!, keys[b]!) ||
        collator.compare(left.release, right.release) ||
        collator.compare(left.id, right.id)
      );
    });
}
