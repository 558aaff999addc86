/** The answers to the page's questions, a file each. Those that are rarely asked are loaded with the first question. */
import { closeKernel, kernelOf } from "./kernels.js";
import { members } from "./members.js";
import { open } from "./open.js";
import { page } from "./page.js";
import { picture } from "./picture.js";
import { rows, search } from "./search.js";
import { useCounts, uses } from "./used-by.js";
import type { Handlers } from "./worker.js";

export const handlers: Handlers = {
  open,
  openArchived: async (args, context) => (await import("./archives.js")).openArchived(args, context),
  close: ({ kernel }) => closeKernel(kernel) as undefined,
  closeArchive: async ({ archive }) => (await import("./archives.js")).closeArchive(archive),
  search,
  rows,
  find: ({ kernel, kind, name }) => {
    const found = kernelOf(kernel);
    for (const btf of found.btfs) {
      const type = /^#\d+$/.test(name) ? btf.get(Number(name.slice(1))) : kind ? btf.find(name, kind) : btf.find(name);
      if (type) return found.refOf(type);
    }
    return undefined;
  },
  page,
  picture,
  members,
  useCounts,
  uses,
  offset: async (args) => (await import("./offset.js")).offset(args),
  decode: async (args) => (await import("./decode.js")).decodeHex(args),
  compare: async (args) => (await import("./compare.js")).compare(args),
  compareOne: async (args) => (await import("./compare.js")).compareOne(args),
  history: async (args) => (await import("./history.js")).historyOf(args),
  availability: async (args, context) => (await import("./availability.js")).availabilityOf(args, context),
  check: async (args) => (await import("./check.js")).checkCell(args),
  sizes: async (args) => (await import("./sizes.js")).sizes(args),
  copy: async (args) => (await import("./copy.js")).copy(args),
};
